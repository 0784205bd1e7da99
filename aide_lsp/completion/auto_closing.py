"""Closing brackets and quotes that an editor adds after the cursor when the opening one is typed.

Someone who types along a completion, `(a, b):`, gets `(` and, after the cursor, `)`. The text after the
cursor is another one then, but nothing that the completion did not foresee. Its rest, `a, b):`, is inserted
in place of that bracket: so no bracket is there twice, and the offer stays as it is. After Enter the bracket
is on the next line; then the rest ends before it.

Where the model closes such a bracket at once and goes on, `):`, the text is inserted in place of it as well.

The model does not read such brackets (`closed_here`): it reads the text after the cursor first, so each
bracket typed would have it read everything again, which takes seconds.
"""

import re
from collections.abc import Iterator

from attrs import evolve, frozen

PAIRS = {"(": ")", "[": "]", "{": "}"}
QUOTES = "\"'`"
MOST = 8
"""Closers that are looked at: more are hardly ever left open at once."""
LONGEST = 2000
"""Characters that are read: reading takes as long as there are signs, times how many are open at once."""
_SIGNS = re.compile(r"\\.|[()\[\]{}\"'`]", re.DOTALL)
MOST_LINES = 100
"""Lines above a bracket among which the one is looked for that it closes."""
_BELOW = re.compile(rf"[ \t]*\n([ \t]*)([)\]}}]{{1,{MOST}}}|</[A-Za-z][\w:.-]*>)(?=[;,]?[ \t]*(?:\n|\Z))")
_TAG = re.compile(r"<(/?)([A-Za-z][\w:.-]*)(?:\s[^<>]*)?(?<!/)>")
_ADDED = re.compile(rf"(\n[ \t]*)?([)\]}}\"'`]{{1,{MOST}}})")


@frozen
class Rest:
    """What is left of a completion."""

    text: str
    "What is inserted at the cursor."
    replaces: int = 0
    "How many characters after the cursor it replaces."


def closers_of(typed: str) -> str:
    """Return what an editor puts after a typed text: what closes all that it leaves open."""
    stack = list[str]()
    for match in _SIGNS.finditer(typed):
        _read(stack, match.group())
    return "".join(reversed(stack))


def added_after(after: str) -> Iterator[str]:
    """Yield the beginnings of a text after the cursor that an editor may have put there."""
    found = _ADDED.match(after)
    if found is not None:
        for length in range(1, len(found[2]) + 1):
            yield (found[1] or "") + found[2][:length]


def closed_in_line(before: str, after: str) -> int:
    """Return how many characters right of the cursor close what is open left of it, in its line."""
    line = before[max(before.rfind("\n") + 1, len(before) - LONGEST) :]
    signs, tags, length = closers_of(line)[:MOST], _open_tags(line), 0
    while True:
        if signs and after.startswith(signs[0], length):
            # A quote may be one of three.
            length += 3 if signs[0] in QUOTES and after.startswith(signs[0] * 3, length) else 1
            signs = signs[1:]
        elif tags and after.startswith(f"</{tags[-1]}>", length):
            length += len(f"</{tags.pop()}>")
        else:
            return length


def closed_here(before: str, after: str) -> int:
    """Return how many characters right of the cursor close what was opened where someone types.

    These are the closing brackets, quotes, and tags of the cursor's line, then those in lines of their own
    right below it: of the block that is being written, and of those around it. A function of the text alone,
    so what was there before counts as well.
    """
    length = closed_in_line(before, after)
    end, lines = len(before), MOST_LINES
    while (found := _BELOW.match(after, length)) and lines:
        # The line that a closing bracket belongs to is the nearest one that is no deeper.
        depth, closers = len(found[1]), found[2]
        line = ""
        while end >= 0 and lines and not (line.strip() and _depth(line) <= depth):
            start = before.rfind("\n", 0, end) + 1
            line, end, lines = before[start:end], start - 1, lines - 1
        if len(line) > LONGEST or _depth(line) != depth or not _opens(line.rstrip(), closers):
            break
        length = found.end()
    return length


def _opens(line: str, closers: str) -> bool:
    """Whether a line leaves open what is closed by this."""
    if closers.startswith("<"):
        return closers == "".join(f"</{tag}>" for tag in _open_tags(line)[-1:])
    return closers_of(line) == closers


def _open_tags(line: str) -> list[str]:
    """Return the names of the tags that are open at the end of a line, the innermost last."""
    tags: list[str] = []
    for found in _TAG.finditer(line):
        if not found[1]:
            tags.append(found[2])
        elif found[2] in tags:
            del tags[tags.index(found[2]) :]
    return tags[-MOST:]


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))


def typings(inserted: str) -> Iterator[str]:
    """Yield what may have been typed where a text was inserted: all of it, or what is before closers."""
    yield inserted
    if len(inserted) > LONGEST:
        return
    for length in range(1, min(MOST, len(inserted) - 1) + 1):
        typed, added = inserted[:-length], inserted[-length:]
        if closers_of(typed) == added:
            yield typed
            # After Enter, they are on a line of their own.
            above = typed.rstrip(" \t")
            if above.endswith("\n"):
                yield above[:-1]


def rest_after(text: str, typed: str, added: str) -> Rest | None:
    """Return the rest of a completion once its beginning was typed, and `added` put after the cursor.

    None: something else was typed, nothing is left, or no editor puts that there.
    """
    rest, closers = text[len(typed) :], added.lstrip("\n \t")
    if not typed or not text.startswith(typed) or not rest:
        return None
    if not added:
        return Rest(rest)
    if len(text) > LONGEST:
        return None
    ends = _closings(rest, closers) if closers_of(typed) == closers else None
    if ends and added != closers:
        # An insertion replaces nothing in another line: it ends before that.
        return _unless_blank(rest[: ends[0]].rpartition("\n")[0])
    return None if ends is None else _over(rest, closers, ends)


def rest_over(text: str, closers: str) -> Rest | None:
    """Return how a text is inserted before closers that it closes itself; blanks may be before those.

    None: it closes something else before, or says no more than they do.
    """
    signs = closers.lstrip(" ")
    ends = _closings(text, signs) if len(text) <= LONGEST else None
    rest = None if ends is None else _over(text, signs, ends)
    blanks = len(closers) - len(signs)
    return evolve(rest, replaces=rest.replaces + blanks) if rest and rest.replaces else rest


def _over(text: str, closers: str, ends: list[int]) -> Rest | None:
    if ends and text[ends[0] :] == closers[: len(ends)]:
        return _unless_blank(text[: ends[0]])
    return Rest(text, len(ends))


def _closings(text: str, closers: str) -> list[int] | None:
    """Return where a text closes what these closers stand for; None: it closes something else before."""
    stack, ends = list(reversed(closers)), list[int]()
    for match in _SIGNS.finditer(text):
        if not _read(stack, match.group()) and len(ends) < len(closers):
            return None
        ends += [match.start()] * (len(closers) - len(ends) - len(stack))
    return ends


def _read(stack: list[str], sign: str) -> bool:
    """Update the closers that are still to come, the next one last; False: this one is none of them."""
    if sign in PAIRS:
        stack.append(PAIRS[sign])
    elif sign in stack:
        above = stack[len(stack) - stack[::-1].index(sign) :]
        # A quote may end a string with brackets in it. A bracket may follow apostrophes.
        if sign not in QUOTES and any(other not in QUOTES for other in above):
            return False
        del stack[len(stack) - len(above) - 1 :]
    elif sign in QUOTES:
        stack.append(sign)
    else:
        return sign.startswith("\\")
    return True


def _unless_blank(text: str) -> Rest | None:
    return Rest(text) if text.strip() else None
