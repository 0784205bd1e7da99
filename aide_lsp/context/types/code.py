"""Code without comments and strings, and where its brackets and names are.

All of it goes by indentation and brackets rather than by a grammar: so a definition is understood whatever is
unfinished elsewhere in the text.
"""

import re
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from itertools import islice

from attrs import field, frozen

from aide_lsp.context.names.module import Cursor
from aide_lsp.context.types.facts import CLASS, Receiver

KEPT = 8
"""Texts whose code is kept: while a line is typed, the rest of the text is the same."""
_PLAIN = re.compile(r"""(["'`])(?:[\w./@-]{0,200}|[\w.]{1,100} \| None)\1""")
"""A string that may name a type, a member, or a module."""
_BRACKETS = re.compile(r"[()\[\]{}]")
_BRACES = re.compile(r"[{}]")
_OPEN = "([{"
LONGEST_BRACKETS = 20_000
"""Characters of what is in brackets."""
FURTHEST_BRACKET = 2_000
"""Characters from a name back to the bracket that it is in."""
MOST_NESTED = 8
"""Brackets around a name that count."""
LONGEST_LINE = 500
"""Characters of a line of code, without comments and what is in strings."""
MOST_USES = 500
"""Of a name in some code."""


@frozen
class Meaning:
    """What a name means at a cursor, without the cursor's line."""

    kinds: frozenset[str]
    "Its types; empty ones are unknown."
    scope: str = field(default="", repr=False)
    "The code in which it means that: a function, a class, or all."
    blocks: int = 0
    "How many blocks around the cursor are in the one that declares it; -1: none is."


@frozen
class CodeAround:
    """The code around a cursor."""

    above: str = field(repr=False)
    below: str = field(repr=False)
    before: str
    "In the cursor's line, as `after` is."
    after: str

    @property
    def others(self) -> str:
        """That without the cursor's line."""
        return joined(self.above, self.below)

    @staticmethod
    def of(cursor: Cursor, marks: re.Pattern[str]) -> "CodeAround | None":
        """Return it; None: the cursor is in a comment or string of several lines, or one has no end."""
        above, below = code_of(cursor.above, marks), code_of(cursor.below, marks)
        before, after = _stripped(cursor.before, marks), _stripped(cursor.after, marks)
        if above is None or below is None or before is None or after is None:
            return None
        return CodeAround(above, below, before, after)

    def receiver(
        self, name: str, begun: str, meaning: Meaning, more: Collection[str] = ()
    ) -> Receiver | None:
        """Return a name with its type, if it has only one; `more`: types that the cursor's line gives it."""
        kinds = meaning.kinds.union(more)
        kind = next(iter(kinds)) if len(kinds) == 1 else ""
        if not kind or _is_declared_inside(kind.removeprefix(CLASS).removesuffix("()"), self.others):
            return None
        return Receiver(kind, begun, self.others, members_used(name, meaning.scope))


@lru_cache(KEPT)
def joined(above: str, below: str) -> str:
    """Return two texts as one: always the same object, whose hash is known."""
    return above + below


@lru_cache(KEPT)
def _is_declared_inside(name: str, code: str) -> bool:
    """Whether a function, or what else is indented, declares something with a name of a type."""
    return (
        re.search(rf"^[ \t]+(?:class|type|interface|enum|def|function)[ \t]+{name}\b", code, re.M) is not None
    )


@lru_cache(KEPT)
def code_of(text: str, marks: re.Pattern[str]) -> str | None:
    """Return the lines of a text with something in them, without its comments; None: one has no end.

    `marks` matches strings, comments, and line ends that do not count; a group `open` matches what may
    span lines and has no end.
    """
    code = _stripped(text, marks)
    lines = [line for one in code.split("\n") if (line := one.rstrip())] if code is not None else []
    # What is matched in a line may take time that grows faster than the line.
    if code is None or max(map(len, lines), default=0) > LONGEST_LINE:
        return None
    return "".join(f"{line}\n" for line in lines)


def _stripped(text: str, marks: re.Pattern[str]) -> str | None:
    """Return a text without its comments, with empty strings; those that may be names stay."""
    is_open = False

    def instead(found: re.Match[str]) -> str:
        nonlocal is_open
        is_open |= found["open"] is not None
        mark = found.group()
        if mark[0] in "#/\\":
            return ""
        return mark if _PLAIN.fullmatch(mark) else '""'

    code = marks.sub(instead, text)
    return None if is_open else code


def closed_at(code: str, start: int) -> int:
    """Return where what a bracket opens is closed, after the bracket; -1: nowhere."""
    depth = 0
    for found in _BRACKETS.finditer(code, start, start + LONGEST_BRACKETS):
        depth += 1 if found.group() in _OPEN else -1
        if depth == 0:
            return found.end()
    return -1


def opened_at(code: str, end: int) -> int:
    """Return the last bracket before a place that is open there; -1: none is."""
    depth = 0
    start = max(0, end - FURTHEST_BRACKET)
    for place in range(end - 1, start - 1, -1):
        one = code[place]
        if one in ")]}":
            depth += 1
        elif one in _OPEN:
            if depth == 0:
                return place
            depth -= 1
    return -1


def parts_of(code: str) -> list[str]:
    """Split what is in brackets at its commas."""
    parts, depth, start = list[str](), 0, 0
    for found in re.finditer(r"[()\[\]{},]", code):
        if found.group() == ",":
            if depth == 0:
                parts.append(code[start : found.start()].strip())
                start = found.end()
        else:
            depth += 1 if found.group() in _OPEN else -1
    return [*filter(None, (*parts, code[start:].strip()))]


def rest_of_line(code: str, start: int) -> str:
    """Return the line of a place from it on."""
    end = code.find("\n", start)
    return code[start : end if end >= 0 else len(code)]


def indent_of(line: str) -> int:
    """Return how many blanks a line begins with."""
    return len(line) - len(line.lstrip(" \t"))


@frozen
class Use:
    """Where a name is in some code."""

    code: str = field(repr=False)
    start: int
    end: int

    @property
    def left(self) -> str:
        """Its line up to it."""
        return self.code[self.code.rfind("\n", 0, self.start) + 1 : self.start]

    @property
    def right(self) -> str:
        """Its line from it on."""
        return rest_of_line(self.code, self.end)


def bindings(name: str, code: str, binds: Callable[[Use], str | None]) -> Iterator[tuple[Use, str]]:
    """Yield where a name is given a type in some code, and which; empty: an unknown one.

    `binds`: the type that a use gives to it; None: none.
    """
    uses = [Use(code, *found.span()) for found in islice(_word(name).finditer(code), MOST_USES)]
    if len(uses) == MOST_USES:
        yield uses[-1], ""
        return
    for use in uses:
        if (kind := binds(use)) is not None:
            yield use, kind


@lru_cache(64)
def _word(name: str) -> re.Pattern[str]:
    # Three dots before a name are no part of a dotted name.
    return re.compile(rf"(?:(?<![\w.\"'`$#])|(?<=\.\.\.)){re.escape(name)}(?![\w$])")


@lru_cache(KEPT)
def members_used(name: str, code: str) -> tuple[str, ...]:
    """Return the members that some code uses of a name, sorted."""
    found = re.findall(rf"(?<![\w.$]){re.escape(name)}[?!]?\.(\w+)", code)
    return tuple(sorted(set(found)))


def blocks_at(code: str, start: int, end: int) -> int:
    """Return how many blocks are open between two places; -1: the block of the first is closed."""
    depth = 0
    for found in _BRACES.finditer(code, start, end):
        depth += 1 if found.group() == "{" else -1
        if depth < 0:
            return -1
    return depth


def outline(above: str, indent: int) -> list[int]:
    """Return where lines begin that are less and less indented than what comes after a text, outermost first.

    A line that closes something counts as the one that opens it.
    """
    found, end = list[int](), len(above)
    while indent > 0 and end > 0:
        start = above.rfind("\n", 0, end - 1) + 1
        line = above[start:end].strip()
        if line and (own := indent_of(above[start:end])) < indent:
            if line[0] in ")]}":
                indent = own + 1
            else:
                found.append(start)
                indent = own
        end = start
    return found[::-1]


def end_of(below: str, indent: int) -> int:
    """Return where the first line begins that is no more indented than `indent`, and closes nothing."""
    start = 0
    while start < len(below):
        end = below.find("\n", start) + 1 or len(below)
        line = below[start:end].strip()
        if line and line[0] not in ")]}" and indent_of(below[start:end]) <= indent:
            return start
        start = end
    return len(below)
