"""Holes that are cut into a source file: a cursor, and what its author wrote there.

What is cut is decided by hashes of place and kind, never by a random generator: the same files give the same
holes, and a smaller sample is part of every larger one.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import zip_longest

from attrs import field, frozen

from aide_lsp.infill.hole import indentation
from aide_lsp.syntax.languages import language_of
from benchmarks.real_code.formats import FORMATS, is_readable
from benchmarks.real_code.packages import Part
from benchmarks.real_code.source import OPENERS, code_only, errors, open_brackets, parse
from benchmarks.real_code.walk import rank_by

rank = rank_by("aide-holes-v1:")
WIDEST = 140
"""Characters of a line; a file with longer ones is not read as code by people."""
GENERATED = re.compile(r"generated|do not edit|@license|minified", re.IGNORECASE)
MOST_TRUTH = 400
BLOCK_LINES = (2, 6)
PER_FILE = 2
"""Most holes of one kind in a file."""
FILES = 60
"""Most files of a part, those with the lowest hashes."""


@frozen
class Hole:
    """One place to complete."""

    id: str
    language: str
    kind: str
    before: str
    "Text up to the cursor."
    after: str
    "Text after it."
    truth: str
    "What its author wrote there."

    @property
    def path(self) -> str:
        """Path of the file in its package."""
        return self.id.split(":")[1]


@frozen
class _File:
    text: str
    code: str
    "As `text`, without comments and strings."
    starts: list[int] = field(init=False)
    lines: list[str] = field(init=False)

    @lines.default
    def _split(self) -> list[str]:
        return self.text.split("\n")

    @starts.default
    def _measure(self) -> list[int]:
        starts = [0]
        for line in self.text.split("\n"):
            starts.append(starts[-1] + len(line) + 1)
        return starts

    def line_code(self, number: int) -> str:
        """Return a line without its comments and strings."""
        return self.code[self.starts[number] : self.starts[number + 1] - 1]

    def is_code(self, number: int) -> bool:
        """Whether a line has code, and does not begin in a string or comment."""
        code = self.line_code(number)
        return bool(re.match(r"\s*[\w@#.\[({})\]*&:$-]", code) and re.search(r"\w", code)) and "~" not in code

    def indent(self, number: int) -> int:
        return indentation(self.lines[number])

    def next_line(self, number: int) -> int:
        """Return the next line that is not blank; 0: none."""
        later = range(number + 1, len(self.lines))
        return next((one for one in later if self.lines[one].strip()), 0)


Spans = Iterator[tuple[int, int]]
"""From the cursor to the end of what is removed."""


def _next_line(file: _File) -> Spans:
    for number in range(len(file.lines) - 2):
        if file.is_code(number) and file.is_code(number + 1):
            yield file.starts[number + 1] - 1, file.starts[number + 2] - 1


def _rest(pattern: str) -> Callable[[_File], Spans]:
    expression = re.compile(pattern)

    def spans(file: _File) -> Spans:
        for number in range(len(file.lines)):
            if file.is_code(number):
                start, end = file.starts[number], file.starts[number + 1] - 1
                for found in expression.finditer(file.code, start + file.indent(number), end):
                    if found.end() < end:
                        yield found.end(), end

    return spans


def _empty_line(file: _File) -> Spans:
    for number in range(1, len(file.lines) - 1):
        indent, after = file.indent(number), file.next_line(number)
        whole = not open_brackets(file.line_code(number)) and not file.lines[number].endswith((":", ","))
        before = next((one for one in range(number - 1, -1, -1) if file.lines[one].strip()), number)
        alone = max(file.indent(before), file.indent(after)) <= indent or file.lines[before].endswith("{")
        if indent and file.is_code(number) and whole and alone and file.indent(after) <= indent:
            yield file.starts[number] + indent, file.starts[number + 1] - 1


def _pairs(file: _File) -> Spans:
    opened: list[tuple[str, int]] = []
    for found in re.finditer(r"[()\[\]{}]", file.code):
        bracket = found.group()
        if bracket not in OPENERS:
            opened.append((bracket, found.end()))
        elif opened and opened[-1][0] == OPENERS[bracket]:
            yield opened.pop()[1], found.start()
        else:
            opened.clear()


def _pair(file: _File) -> Spans:
    for start, end in _pairs(file):
        if file.text[start:end].strip() and "\n" not in file.text[start:end]:
            yield start, end


def _open_pair(file: _File) -> Spans:
    for start, end in _pairs(file):
        inside = file.text[start:end].split("\n")
        if 3 <= len(inside) <= BLOCK_LINES[1] + 2 and not inside[0].strip() and not inside[-1].strip():
            yield start, end


def _blocks(file: _File) -> Iterator[tuple[int, int, int]]:
    """Yield the line that opens a block, and its first and last line."""
    for number in range(len(file.lines) - 1):
        first, indent = file.next_line(number), file.indent(number)
        opens = file.line_code(number).rstrip().endswith(("{", ":"))
        if not (opens and first == number + 1 and file.indent(first) > indent):
            continue
        last = first
        while (later := file.next_line(last)) and file.indent(later) > indent:
            last = later
        yield number, first, last


def _block(file: _File) -> Spans:
    for _, first, last in _blocks(file):
        if BLOCK_LINES[0] <= last - first + 1 <= BLOCK_LINES[1] and file.is_code(first):
            yield file.starts[first] + file.indent(first), file.starts[last + 1] - 1


def _deeper(file: _File) -> Spans:
    for number, _, _ in _blocks(file):
        if not file.is_code(number):
            continue
        start = file.starts[number] + file.indent(number)
        code = file.line_code(number).strip()
        # The line opens its block and nothing else: `} else {` closes another, `),` ends an argument.
        if code[0] not in ")]}" and open_brackets(code) in ("", "{"):
            yield start, file.starts[number + 1] - 1


KINDS: dict[str, Callable[[_File], Spans]] = {
    "next line": _next_line,
    "rest of line": _rest(r"(?<=\S) (?=[\w\"({\[])"),
    "after .": _rest(r"(?<=[\w)\]])(?:\.|->|::)(?=\w)"),
    "after (": _rest(r"\((?=[^)])"),
    "after =": _rest(r"(?<![=!<>])= (?=\S)"),
    "empty line": _empty_line,
    "pair": _pair,
    "open pair": _open_pair,
    "block": _block,
    "deeper": _deeper,
}
"""What is removed, by kind: `deeper` is the line that opens the block below."""
CSS = {"after .": _rest(r"\.(?=\w)"), "after =": _rest(r": (?=\S)")}


def _is_written(file: _File, number: int) -> bool:
    """Whether a line has something else than a comment."""
    return bool(file.line_code(number).strip(" \t~"))


def _line_after(file: _File) -> Spans:
    for number in range(len(file.lines) - 2):
        if _is_written(file, number) and _is_written(file, number + 1):
            yield file.starts[number + 1] - 1, file.starts[number + 2] - 1


def _line(file: _File) -> Spans:
    for number in range(len(file.lines) - 1):
        if _is_written(file, number):
            yield file.starts[number] + file.indent(number), file.starts[number + 1] - 1


def _in_line(pattern: str) -> Callable[[_File], Spans]:
    expression = re.compile(pattern)

    def spans(file: _File) -> Spans:
        for number in range(len(file.lines) - 1):
            found = expression.match(file.line_code(number)) if _is_written(file, number) else None
            if found:
                yield file.starts[number] + found.end(), file.starts[number + 1] - 1

    return spans


def _quotes(file: _File) -> Spans:
    for found in re.finditer(r"([\"'])([^\"'\n~]+)\1", file.code):
        yield found.span(2)


def _lines_below(file: _File) -> Spans:
    for number in range(len(file.lines) - 1):
        first, base = number + 1, file.indent(number)
        below = file.lines[first:]
        count = next((n for n, line in enumerate(below) if not line.strip() or indentation(line) <= base), 0)
        if _is_written(file, number) and BLOCK_LINES[0] <= count <= BLOCK_LINES[1]:
            yield file.starts[first] + file.indent(first), file.starts[first + count] - 1


MARKUP_KINDS: dict[str, Callable[[_File], Spans]] = {
    "next line": _line_after,
    "line": _line,
    "after key": _in_line(r"\s*[^\s:=][^:=]*?(?::\s+|\s*=\s*)(?=\S)"),
    "rest of line": _in_line(r"\s*\S*[^\s:=] +(?=[^\s:=])"),
    "quotes": _quotes,
    "pair": _pair,
    "block": _lines_below,
}
"""The same in files that are no program code; `block` is the lines that are deeper than the one above."""


def _without_comments(text: str, language: str) -> str:
    """Return the text with the lines that begin a comment replaced by `~`."""
    marks = language_of(language).marks
    lines = (
        "~" * len(line) if marks and line.lstrip().startswith(marks) else line for line in text.split("\n")
    )
    return "\n".join(lines)


def cut(part: Part, path: str, text: str) -> list[Hole]:
    """Return some holes of each kind; none if the file is not one that people write, or has errors."""
    if GENERATED.search(text[:1500]) or max(map(len, text.split("\n"))) > WIDEST:
        return []
    if part.language in FORMATS:
        file = _File(text, _without_comments(text, part.language))
        return _cut(part, path, file, MARKUP_KINDS) if is_readable(text, part.language) else []
    tree = parse(text, part.language)
    kinds = KINDS | (CSS if part.language == "css" else {})
    return [] if errors(tree) else _cut(part, path, _File(text, code_only(text, tree)), kinds)


def _cut(part: Part, path: str, file: _File, kinds: dict[str, Callable[[_File], Spans]]) -> list[Hole]:
    found: list[Hole] = []
    for kind, spans in kinds.items():
        holes = [
            Hole(
                f"{part.name}:{path}:{start}:{kind}",
                part.language,
                kind,
                file.text[:start],
                file.text[end:],
                file.text[start:end],
            )
            for start, end in spans(file)
            if 2 <= len(file.text[start:end].strip()) <= MOST_TRUTH
        ]
        found.extend(sorted(holes, key=order)[:PER_FILE])
    return found


def order(hole: Hole) -> str:
    """Return what holes are sorted by."""
    return rank(hole.id)


def sample(holes: list[Hole]) -> list[Hole]:
    """Order holes so that any first N are spread evenly over languages, kinds and projects."""
    groups: dict[tuple[str, str], dict[str, list[Hole]]] = defaultdict(lambda: defaultdict(list))
    for hole in sorted(holes, key=order):
        groups[hole.language, hole.kind][hole.id.split(":")[0]].append(hole)
    cells = [
        _interleaved(list(parts.values()))
        for _, parts in sorted(groups.items(), key=lambda cell: rank(" ".join(cell[0])))
    ]
    return _interleaved(cells)


def _interleaved(lists: list[list[Hole]]) -> list[Hole]:
    return [hole for row in zip_longest(*lists) for hole in row if hole is not None]
