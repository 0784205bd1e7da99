"""Just enough of a language's syntax to know what is open: brackets, strings, code in them, comments, tags.

By the marks in the table of languages rather than by a grammar: it must work on text that a model is still
generating, from the middle of a string or a tag, in any language. The time is linear in the text.
"""

import re
from collections import defaultdict
from collections.abc import Iterator

from attrs import frozen

from aide_lsp.syntax import patterns
from aide_lsp.syntax.languages import LANGUAGES, UNKNOWN, Blocks, Language
from aide_lsp.syntax.openings import CLOSERS, Opening, OpeningKind

SCAN_CHARACTERS = 50_000
"""Openings are matched this far before and after the cursor."""
VOID_TAGS = frozenset(
    "area base br col embed hr img input link meta param source track wbr !doctype !DOCTYPE".split()  # noqa: SIM905
)
"""Tags of HTML that nothing closes."""
_PREFIX = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ$@")
_NAME = re.compile(r"[^\s<>/]*")


@frozen
class Closer:
    """Something in a text that closes what the text itself did not open."""

    offset: int
    "Where it begins."
    mark: str
    "What it is, such as `)`, or `</b>` however it is spaced."
    decided_at: int
    "Characters of the text that must be known to be sure of it."
    opening: Opening | None
    "What it closes, of what was open at the start; None: nothing that is known."


@frozen
class Scan:
    """What a text leaves open, and what it closes."""

    open: tuple[Opening, ...] = ()
    "What is open at the end, outermost first. What was open at the start keeps its offset."
    closers: tuple[Closer, ...] = ()
    "What closes nothing that the text opened, in order."
    kept: int = 0
    "How many of those open at the start are still open: they are the first of `open`."

    @property
    def opened(self) -> tuple[Opening, ...]:
        """What the text opened and left open."""
        return self.open[self.kept :]


def scan(text: str, language: Language, start: tuple[Opening, ...] = ()) -> Scan:
    """Scan a text that begins where `start` is open."""
    scanner = _Scanner(text, language, start)
    for match in scanner.matches():
        scanner.take(match)
    return Scan(tuple(scanner.stack.openings), tuple(scanner.closers), scanner.kept)


def is_single_line(opening: Opening, language: Language) -> bool:
    """Whether it is a string or comment that ends with its line."""
    closers = (*language.quotes, patterns.LINE_END)
    return opening.kind in (OpeningKind.STRING, OpeningKind.COMMENT) and opening.closer in closers


def prefix_before(text: str, quote: int) -> str:
    """Return the letters that belong to the quote after them."""
    start = quote
    while start > max(0, quote - 3) and text[start - 1] in _PREFIX:
        start -= 1
    return text[start:quote]


class _Stack:
    """Openings, outermost first, with the indexes of those that are looked for."""

    def __init__(self) -> None:
        self.openings: list[Opening] = []
        self._by_closer: defaultdict[str, list[int]] = defaultdict(list)
        # What ends with its line; all but brackets; what a closing tag does not reach across; elements.
        self._lines: list[int] = []
        self._frames: list[int] = []
        self._walls: list[int] = []
        self._elements: list[int] = []

    def push(self, opening: Opening, ends_with_line: bool) -> None:
        index = len(self.openings)
        self.openings.append(opening)
        for places in self._places(opening, ends_with_line):
            places.append(index)

    def _places(self, opening: Opening, ends_with_line: bool) -> Iterator[list[int]]:
        yield self._by_closer[opening.closer]
        if ends_with_line:
            yield self._lines
        if opening.kind is not OpeningKind.BRACKET:
            yield self._frames
        if opening.kind not in (OpeningKind.BRACKET, OpeningKind.TAG):
            yield self._walls
        if opening.kind is OpeningKind.TAG and opening.closer != ">":
            yield self._elements

    def cut(self, index: int) -> None:
        """Drop an opening and all in it."""
        for opening in self.openings[index:]:
            del self._by_closer[opening.closer][-1]
        del self.openings[index:]
        for places in (self._lines, self._frames, self._walls, self._elements):
            while places and places[-1] >= index:
                places.pop()

    @property
    def line(self) -> int | None:
        """Index of the outermost opening that ends with its line."""
        return self._lines[0] if self._lines else None

    @property
    def frame(self) -> int | None:
        """Index of the innermost opening that is no bracket."""
        return self._frames[-1] if self._frames else None

    @property
    def element(self) -> Opening | None:
        """The innermost element."""
        return self.openings[self._elements[-1]] if self._elements else None

    def bracket(self, closer: str) -> int | None:
        """Find what a bracket closes, without leaving the string or tag it is in."""
        return self._last(closer, self._frames)

    def tag(self, closer: str) -> int | None:
        """Find what a closing tag closes: code in a script may be unfinished, so brackets are no limit."""
        return self._last(closer, self._walls)

    def _last(self, closer: str, limits: list[int]) -> int | None:
        found = self._by_closer[closer]
        return found[-1] if found and (not limits or found[-1] >= limits[-1]) else None


class _Scanner:
    """Reads a text once."""

    def __init__(self, text: str, language: Language, start: tuple[Opening, ...]) -> None:
        self.text = text
        self.language = language
        # The language at the place that is read.
        self.here = language
        self.kept = len(start)
        self.closers: list[Closer] = []
        # Where the first of the two braces is that end an interpolation.
        self.half = -2
        self.stack = _Stack()
        for opening in start:
            self.stack.push(opening, is_single_line(opening, language))

    def matches(self) -> Iterator[re.Match[str]]:
        position = 0
        while match := self._pattern().search(self.text, position):
            position = match.end()
            yield match

    def _pattern(self) -> re.Pattern[str]:
        """Choose how to read on: what is innermost decides."""
        top = self.stack.openings[-1] if self.stack.openings else None
        self.here = self._language()
        is_markup = self.here.blocks is Blocks.TAGS
        match top:
            case Opening(kind=OpeningKind.STRING):
                return patterns.string(self.here, top.mark, top.closer)
            case Opening(kind=OpeningKind.COMMENT):
                return patterns.comment(top.closer)
            case Opening(kind=OpeningKind.TAG, closer=">"):
                return patterns.TAG
            case Opening(kind=OpeningKind.TAG) if self.here is self.language:
                return patterns.text(self.here)
            case None if is_markup:
                return patterns.text(self.here)
            case _:
                pass
        if is_markup:
            self.here = LANGUAGES[self.here.embeds[0][1]] if self.here.embeds else UNKNOWN
        return patterns.code(self.here, self.here is not self.language, self.stack.line is not None)

    def _language(self) -> Language:
        """Return the language of the element here: a script has one of its own."""
        element = self.stack.element if self.language.embeds else None
        embedded = element and dict(self.language.embeds).get(f"{_name(element.mark)}_element")
        return LANGUAGES[embedded] if embedded else self.language

    def take(self, match: re.Match[str]) -> None:
        """Follow what was found."""
        start, mark = match.start(), match.group()
        match match.lastgroup:
            case "bracket":
                self._bracket(start, mark)
            case "quote" | "long_quote":
                self._quote(start, mark)
            case "comment":
                self._push(OpeningKind.COMMENT, mark, dict(self.here.block_comments)[mark], start)
            case "line_comment":
                marks = [m for m in self.here.line_comments if mark.startswith(m)]
                self._push(OpeningKind.COMMENT, max(marks, key=len), patterns.LINE_END, start)
            case "interpolation":
                closer = "".join(CLOSERS.get(character, "") for character in reversed(mark))
                self._push(OpeningKind.INTERPOLATION, mark, closer, start)
            case "end":
                self._close(start, mark, len(self.stack.openings) - 1, match.end())
            case "line":
                # In half-typed code a quote must not swallow everything below.
                self._cut(self.stack.line)
            case "tag":
                self._push(OpeningKind.TAG, mark, ">", start)
            case "tag_end":
                self._end_tag(start, mark)
            case "closing_tag":
                closer = f"</{_name(mark)}>"
                self._close(start, closer, self.stack.tag(closer), match.end())
            case _:
                pass

    def _push(self, kind: OpeningKind, mark: str, closer: str, offset: int) -> None:
        opening = Opening(kind, mark, closer, offset)
        self.stack.push(opening, is_single_line(opening, self.here))

    def _cut(self, index: int | None) -> None:
        if index is not None:
            self.stack.cut(index)
            self.kept = min(self.kept, index)

    def _close(self, start: int, mark: str, index: int | None, decided_at: int) -> None:
        """Close an opening, and what is still open in it: unfinished code has gaps."""
        if index is None or index < self.kept:
            opening = None if index is None else self.stack.openings[index]
            self.closers.append(Closer(start, mark, decided_at, opening))
        self._cut(index)

    def _bracket(self, start: int, mark: str) -> None:
        if mark in CLOSERS:
            return self._push(OpeningKind.BRACKET, mark, CLOSERS[mark], start)
        index, frame = self.stack.bracket(mark), self.stack.frame
        if index is None and frame is not None and self.stack.openings[frame].closer == mark * 2:
            return self._half(start, mark, frame)
        # After a quote it may be a character, which the next one decides.
        is_unsure = self.here.has_characters and self.text[start - 1 : start] == "'"
        return self._close(start, mark, index, start + 1 + is_unsure)

    def _half(self, start: int, mark: str, frame: int) -> None:
        """Take one of the two braces that end an interpolation."""
        if self.half == start - 1:
            self._close(self.half, mark * 2, frame, start + 1)
        self.half = start

    def _quote(self, start: int, mark: str) -> None:
        prefix = prefix_before(self.text, start) if self.here.string_prefix else ""
        closer = dict(self.here.long_quotes).get(mark, mark)
        self._push(OpeningKind.STRING, prefix + mark, closer, start - len(prefix))

    def _end_tag(self, start: int, mark: str) -> None:
        tag = self.stack.openings[-1]
        self._close(start, mark, len(self.stack.openings) - 1, start + len(mark))
        name = _name(tag.mark)
        if mark == ">" and not (name in VOID_TAGS and self.language.embeds):
            self._push(OpeningKind.TAG, f"<{name}>", f"</{name}>", tag.offset)


def _name(tag: str) -> str:
    """Return the name in `<name`, `<name>`, or `</name>`."""
    match = _NAME.match(tag.lstrip("</"))
    return match.group() if match else ""
