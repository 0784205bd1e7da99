"""How a file is while it is edited: each state is a function of a file and a cursor."""

import re
from collections.abc import Callable

from attrs import frozen

from aide_lsp.infill.hole import indentation
from benchmarks.half_edited.places import Place
from benchmarks.real_code.holes import rank

CLOSING = re.compile(r"\s*(?:[)\]}]|</|end\b|fi\b|done\b|esac\b)")
KEYWORDS = frozenset(
    (
        *("using", "return", "async", "await", "class", "const", "function", "import", "public", "private"),
        *("static", "struct", "false", "throw", "while", "yield", "except", "raise", "namespace", "export"),
        *("break", "continue", "default", "switch", "match", "where", "impl", "trait", "enum", "super"),
        *("protected", "internal", "sealed", "abstract", "override", "final", "extends", "implements"),
        *("template", "typename", "constexpr", "inline", "typedef", "union", "defer", "range", "package"),
        *("interface", "typeof", "instanceof", "delete", "catch", "finally", "import", "global", "lambda"),
        *("endif", "ifdef", "ifndef", "include", "define", "elseif", "foreach", "string", "object", "float"),
        *("double", "unsigned", "signed", "short", "final", "begin", "local", "until", "crate", "mutable"),
    )
)
"""Words that no one renames."""
FOLLOWING = 400
"""Characters below the author's line that go on with it."""
NEAR = 3, 10
"""Lines from the cursor to what is broken."""


@frozen
class Edited:
    """A text around a cursor, and what the author wrote there."""

    id: str
    language: str
    kind: str
    state: str
    before: str
    after: str
    truth: str
    "The rest of the author's line, and what is below it."


def _pick(place: Place, count: int) -> int:
    return int(rank(place.id)[:8], 16) % count


def _nothing_below(place: Place, before: str, after: str) -> tuple[str, str] | None:
    return before, ""


def _rest_of_block(lines: list[str], base: int) -> int:
    """Count the lines below that are no further out."""
    count = 0
    for number, line in enumerate(lines):
        if line.strip() and indentation(line) < base:
            break
        count = number + 1 if line.strip() else count
    return count


def _base(before: str, lines: list[str]) -> int:
    own = before[before.rfind("\n") + 1 :]
    below = next((line for line in lines if line.strip()), "")
    opens = own.rstrip().endswith(("{", ":", "(", "["))
    return indentation(below) if opens and indentation(below) > indentation(own) else indentation(own)


def _no_end(place: Place, before: str, after: str) -> tuple[str, str] | None:
    lines = after.split("\n")[1:]
    base = _base(before, lines)
    count = _rest_of_block(lines, base)
    if count < len(lines) and CLOSING.match(lines[count]) and base:
        return before, "\n".join(["", *lines[count + 1 :]])
    return None


def _only_end(place: Place, before: str, after: str) -> tuple[str, str] | None:
    lines = after.split("\n")[1:]
    base = _base(before, lines)
    count = _rest_of_block(lines, base)
    return (before, "\n".join(["", *lines[count:]])) if count and base and count < len(lines) else None


def _without_bracket(place: Place, lines: list[str]) -> list[str] | None:
    found = [(n, m.start()) for n, line in enumerate(lines) for m in re.finditer(r"[)\]}>]", line)]
    if not found:
        return None
    number, at = found[_pick(place, len(found))]
    return [*lines[:number], lines[number][:at] + lines[number][at + 1 :], *lines[number + 1 :]]


def _bracket_above(place: Place, before: str, after: str) -> tuple[str, str] | None:
    *above, own = before.split("\n")
    near = _without_bracket(place, above[-NEAR[1] : -NEAR[0] + 1])
    return ("\n".join([*above[: -NEAR[1]], *near, *above[-NEAR[0] + 1 :], own]), after) if near else None


def _bracket_below(place: Place, before: str, after: str) -> tuple[str, str] | None:
    lines = after.split("\n")
    near = _without_bracket(place, lines[1 : NEAR[1]])
    return (before, "\n".join([lines[0], *near, *lines[NEAR[1] :]])) if near else None


def _half_below(place: Place, before: str, after: str) -> tuple[str, str] | None:
    lines = after.split("\n")
    long = [n for n, line in enumerate(lines[1 : NEAR[1]], 1) if len(line.strip()) > 12]
    if not long:
        return None
    number = long[_pick(place, min(3, len(long)))]
    line = lines[number]
    middle = (indentation(line) + len(line)) // 2
    return before, "\n".join([*lines[:number], line[:middle].rstrip(), *lines[number + 1 :]])


def _pasted(place: Place, before: str, after: str) -> tuple[str, str] | None:
    lines = after.split("\n")
    full = [n for n, line in enumerate(lines[1:5], 1) if line.strip()]
    if not full:
        return None
    *above, own = before.split("\n")
    if _pick(place, 2) and above and above[-1].strip():
        return "\n".join([*above, above[-1], own]), after
    number = full[0]
    return before, "\n".join([*lines[: number + 1], lines[number], *lines[number + 1 :]])


def _renamed(place: Place, before: str, after: str) -> tuple[str, str] | None:
    above, below = before.split("\n")[-20:], after.split("\n")[:20]
    words = set(re.findall(r"\b[a-z]\w{4,}\b", "\n".join(above))) & set(
        re.findall(r"\b[a-z]\w{4,}\b", "\n".join(below))
    )
    if not words:
        return None
    words -= KEYWORDS
    if not words:
        return None
    word = sorted(words, key=lambda word: rank(place.id + word))[0]
    start = len(before) - len("\n".join(above))
    return before[:start] + re.sub(rf"\b{word}\b", f"new_{word}", before[start:]), after


def _conflict(place: Place, before: str, after: str) -> tuple[str, str] | None:
    lines = after.split("\n")
    *above, own = before.split("\n")
    if _pick(place, 2) and len(above) > 4:
        one, two = above[-2:]
        new = ["<<<<<<< HEAD", one, two, "=======", one, ">>>>>>> main"]
        return "\n".join([*above[:-2], *new, own]), after
    if len(lines) < 5:
        return None
    one, two = lines[1:3]
    return before, "\n".join([lines[0], "<<<<<<< HEAD", one, two, "=======", one, ">>>>>>> main", *lines[3:]])


def _auto_closed(place: Place, before: str, after: str) -> tuple[str, str] | None:
    """What an editor puts after the brackets opened in the line; their block is yet to be written."""
    own = before[before.rfind("\n") + 1 :]
    stack = ""
    for sign in re.findall(r"[()\[\]{}\"`]", own):
        if sign in '"`':
            stack = stack[:-1] if stack.endswith(sign) else stack + sign
        elif sign in "([{":
            stack += {"(": ")", "[": "]", "{": "}"}[sign]
        elif stack.endswith(sign):
            stack = stack[:-1]
    if not stack:
        return None
    # The block is yet to be written, so it has no other end.
    cut = _no_end(place, before, after) if stack[0] == "}" else None
    return before, stack[::-1] + (cut[1] if cut else after)


STATES: dict[str, Callable[[Place, str, str], tuple[str, str] | None]] = {
    "nothing below": _nothing_below,
    "block without end": _no_end,
    "only the end of the block": _only_end,
    "auto-closed": _auto_closed,
    "bracket missing above": _bracket_above,
    "bracket missing below": _bracket_below,
    "half a line below": _half_below,
    "line pasted twice": _pasted,
    "name being renamed": _renamed,
    "conflict": _conflict,
}


def edited(place: Place, state: str) -> Edited | None:
    """Put a file into a state; None: it cannot be in it."""
    changed = STATES[state](place, place.text[: place.offset], place.text[place.end :])
    if changed is None or not changed[0].strip():
        return None
    truth = place.text[place.offset : place.end + FOLLOWING]
    return Edited(f"{place.id}:{state}", place.language, place.kind, state, *changed, truth)


def sample(cells: dict[tuple[str, str], list[Place]], per_language: int) -> list[Edited]:
    """Return this many of each language, spread over kinds and states by hash."""
    chosen: list[Edited] = []
    for language in sorted({language for language, _ in cells}):
        pairs = [(kind, state) for own, kind in cells if own == language for state in STATES]
        pairs.sort(key=lambda pair: rank(language + ":".join(pair)))
        count, used = 0, set[str]()
        for kind, state in pairs:
            if count == per_language:
                break
            for place in cells[language, kind][:40]:
                if place.id in used:
                    continue
                item = edited(place, state)
                if item is not None:
                    used.add(place.id)
                    chosen.append(item)
                    count += 1
                    break
    return chosen
