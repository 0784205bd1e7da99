"""Cuts code into parts that parse by themselves: what is unfinished in one does not matter in another.

A part begins at each line at the left margin that begins something, and a faulty one is cut further, by
indentation. Without what does not parse even so, the rest does.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from attrs import field, frozen

from aide_lsp.syntax.node import SyntaxNode
from aide_lsp.syntax.tree import root_of

MOST_PARSES, MOST_PARSED = 400, 1_000_000
"""Of the parts of one text, and their characters; a text with more has no code."""
LONGEST_FAULTY = 50_000
"""Characters of a part that is parsed again after a fault."""
MOST_NESTED = 6
_NOT_LINE_END = re.compile(r"[^\n]")
_GOES_ON = re.compile(r"[)\]}{.?:&|=]|(?:else|elif|except|finally|catch|case|default|where)\b|\w+:\Z")
"""The beginning of a line that does not begin anything."""
_CLOSES = re.compile(r"\s*[)\]}]")
_BRACKETS = re.compile(r"[()\[\]{}]")
_CLOSER = {"(": ")", "[": "]", "{": "}"}
_OPENER = {closer: opener for opener, closer in _CLOSER.items()}


@frozen
class ChunkRules:
    """How code of a language is cut."""

    marks: re.Pattern[str]
    "Its strings and comments; a group `open` matches what may span lines and has no end."
    fill: str
    "A statement that does nothing."
    block: str
    "What may begin a block."
    function: str = ""
    "In brackets, what comes before `{` if that begins a block; empty: blocks are lines that are indented."
    others: tuple[str, ...] = ()
    "Elsewhere, what else may come before `{`, such as a type before its fields."

    def bare(self, text: str, cursor: int = -1) -> str | None:
        """Return a text with blanks for strings and comments; None: one has no end, or has the cursor."""
        parts, end = list[str](), 0
        for found in self.marks.finditer(text):
            start, last = found.span()
            if found["open"] is not None or start < cursor < last:
                return None
            parts += (text[end:start], _NOT_LINE_END.sub(" ", found.group()) if last - start > 1 else " ")
            end = last
        return "".join((*parts, text[end:]))


@frozen
class Code:
    """Code that parses."""

    root: SyntaxNode
    text: str = field(repr=False)
    lost: str = field(default="", repr=False)
    "Lines that are left out, since they do not parse."


def code_of(text: str, grammar: str, rules: ChunkRules) -> Code | None:
    """Return what of a text parses; None: it has an end of none, or takes too long."""
    root = root_of(text, grammar)
    if root is None or not root.has_error:
        return None if root is None else Code(root, text)
    bare = rules.bare(text)
    if bare is None:
        return None
    lines = text.split("\n")
    try:
        kept = _Repair(lines, bare.split("\n"), grammar, rules.fill).sound(0, len(lines), [], [], 0)
    except _TooLongError:
        return None
    sound = "\n".join(kept)
    root = root_of(sound, grammar)
    lost = "\n".join(line for line, other in zip(lines, kept, strict=True) if line != other)
    return None if root is None or root.has_error else Code(root, sound, lost)


def chunks(bare: Sequence[str], first: int, last: int) -> Iterator[tuple[int, int]]:
    """Cut lines before each that is no more indented than those above and begins something."""
    own, start, is_decorated = -1, first, False
    for number in range(first, last):
        line = bare[number].strip()
        if not line:
            continue
        indent = indent_of(bare[number])
        if own < 0:
            own = indent
        elif indent <= own and not is_decorated and not _GOES_ON.match(line):
            yield start, number
            start = number
        # The first may only look indented: strings are blank.
        own = min(own, indent)
        if indent <= own:
            is_decorated = line[0] in "@#" or (is_decorated and line[0] in ")]}")
    yield start, last


def indent_of(line: str) -> int:
    """Return how many blanks a line begins with."""
    return len(line) - len(line.lstrip(" \t"))


class _TooLongError(Exception):
    """There is too much that does not parse."""


class _Repair:
    """Lines, and what is known to parse of them."""

    def __init__(self, lines: list[str], bare: list[str], grammar: str, fill: str) -> None:
        self._lines, self._bare, self._grammar, self._fill = lines, bare, grammar, fill
        self._parses = self._parsed = 0

    def sound(self, first: int, last: int, before: list[str], after: list[str], depth: int) -> list[str]:
        """Return as many lines, of which all parse between others: some are blank."""
        return [
            line
            for start, end in chunks(self._bare, first, last)
            for line in self._chunk(start, end, before, after, depth)
        ]

    def _chunk(self, start: int, end: int, before: list[str], after: list[str], depth: int) -> list[str]:
        lines = self._lines[start:end]
        if sum(map(len, lines)) > LONGEST_FAULTY:
            return self._blank(start, end)
        if self._is_sound([*before, *lines, *after]):
            return lines
        numbers = [number for number in range(start, end) if self._bare[number].strip()]
        own = indent_of(self._bare[numbers[0]]) if numbers else 0
        deeper = [number for number in numbers if indent_of(self._bare[number]) > own]
        first, last = (deeper[0], deeper[-1] + 1) if deeper else (end, end)
        head, tail = self._lines[start:first], self._lines[last:end]
        # Without some of a block, the rest means the same; without some of an expression, it may not.
        is_block = "".join(self._bare[start:first]).rstrip().endswith(":") or _CLOSES.match(
            "".join(self._bare[last:end])
        )
        if deeper and depth < MOST_NESTED and is_block:
            inner = self.sound(first, last, [*before, *head], [*tail, *after], depth + 1)
            for body in (inner, self._blank(first, last)):
                if self._is_sound([*before, *head, *body, *tail, *after]):
                    return [*head, *body, *tail]
        return self._blank(start, end)

    def _blank(self, start: int, end: int) -> list[str]:
        indent = next((line[: indent_of(line)] for line in self._bare[start:end] if line.strip()), "")
        return [indent + self._fill, *([""] * (end - start - 1))]

    def _is_sound(self, lines: list[str]) -> bool:
        text = "\n".join((*lines, ""))
        self._parses += 1
        self._parsed += len(text)
        if self._parses > MOST_PARSES or self._parsed > MOST_PARSED:
            raise _TooLongError
        root = root_of(text, self._grammar)
        return root is not None and not root.has_error


def stand_ins(lead: str, above: str, below: str, rules: ChunkRules) -> Iterator[str]:
    """Yield what may stand in a line that is left out, so that the code around it parses: likeliest first.

    Args:
        lead: what the line begins with: blanks, and brackets that it closes.
        above: bare code before it, from where something begins at the left margin.
        below: bare code after it, up to where the next does.
        rules: those of the language.
    """
    opened, _ = _unbalanced(above + lead)
    _, closed = _unbalanced(below)
    more = len(closed) - len(opened)
    # What follows does not begin at the cursor, unless a blank would indent it.
    gap = " " * bool(rules.function)
    if more > 0:
        missing = "".join(_OPENER[one] for one in reversed(closed[:more]))
        block = missing.replace("({", f"({rules.function}{{")
        found = [block, missing]
        if missing[0] == "{" and rules.function:
            found = [block, rules.block + block[1:], *(other + missing for other in rules.others)]
        for one in dict.fromkeys(found):
            yield f"{lead}{gap}{'x' * one.startswith('(')}{one}"
    rest = "".join(_CLOSER[one] for one in reversed(opened[more:])) if more < 0 else ""
    next_line = next((line for line in below.split("\n") if line.strip()), "")
    is_block = not rules.function and not more and indent_of(next_line) > indent_of(lead)
    for one in (*((rules.block,) * is_block), rules.fill, "", "x", "x,"):
        yield f"{lead}{gap}{rest}{one}"


def closing(bare: str) -> str:
    """Return the brackets that close those that some code leaves open."""
    return "".join(_CLOSER[one] for one in reversed(_unbalanced(bare)[0]))


def _unbalanced(bare: str) -> tuple[str, str]:
    """Return the brackets that some code leaves open, and those that it closes and does not open."""
    opened, closed, counts = list[str](), list[str](), Counter[str]()
    for mark in _BRACKETS.findall(bare):
        if mark in _CLOSER:
            opened.append(mark)
            counts[mark] += 1
        elif counts[_OPENER[mark]]:
            # What is open inside is unfinished.
            while (last := opened.pop()) != _OPENER[mark]:
                counts[last] -= 1
            counts[last] -= 1
        else:
            closed.append(mark)
    return "".join(opened), "".join(closed)
