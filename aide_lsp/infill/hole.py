"""The hole: what the text around the cursor says about what is missing there.

A pure function of the text, which has \\n line ends.
"""

import re
from collections import Counter
from collections.abc import Iterator
from enum import Enum
from itertools import compress

from attrs import evolve, field, frozen

from aide_lsp.infill.fences import is_fenced
from aide_lsp.infill.type_arguments import is_in_parameters, is_in_types
from aide_lsp.syntax.languages import UNKNOWN, Blocks, Language
from aide_lsp.syntax.openings import Opening, OpeningKind
from aide_lsp.syntax.patterns import LINE_END
from aide_lsp.syntax.scan import SCAN_CHARACTERS, Scan, is_single_line, prefix_before, scan

CLOSERS = ")]}"
"""Closing brackets."""
FORMULA = "$$"
"""What encloses a formula in lines of its own."""
_MARK = re.compile(r"""([*_`"'~+])\1*|[ \t]*(?:\$+|\|+)""")
"""What encloses text on both sides alike; blanks may be inside formulas and the cells of tables."""
ENCLOSING = " \t\"'`)]}"
"""What an editor may have put after the cursor by itself."""
_TAG = re.compile(r"<[A-Za-z][\w:.-]*(?=\s)")
_TEXT = (OpeningKind.STRING, OpeningKind.COMMENT)


class Shape(Enum):
    """How much may be inserted."""

    INLINE = "inline"
    "The rest of an expression or line: there is text right of the cursor, or a bracket or string is open."
    LINE_END = "line-end"
    "The rest of the line, and the block it opens."
    LINES = "lines"
    "Complete lines: only whitespace is left of the cursor."


@frozen
class Hole:
    """The place at the cursor."""

    shape: Shape
    "How much may be inserted."
    before: str
    "The cursor's line, left of the cursor."
    after: str
    "The cursor's line, right of the cursor, without its line end."
    below: str
    "The nearest non-blank line that stays below the inserted text; empty: none."
    language: Language
    "What strings and comments look like."
    open: tuple[Opening, ...] = ()
    "What is open at the cursor, outermost first."
    surplus: tuple[str, ...] = ()
    "What closes something right of the cursor that nothing opens."
    pairs: tuple[Opening, ...] = ()
    "Brackets open at the cursor in the line's text, which is a comment, a string, or prose."
    mark: str = ""
    "What ends the text at the cursor, is next right of it, and began it too, such as `**`; empty: nothing."
    is_fenced: bool = False
    "Whether the cursor is in a code fence, in prose or a comment."
    head: str = field(default="", repr=False)
    "The text left of the cursor."
    tail: str = field(default="", repr=False)
    "The text right of the cursor."

    @property
    def base(self) -> int:
        """Indentation of the cursor's line, in characters."""
        return indentation(self.before)

    @property
    def is_before_line(self) -> bool:
        """Whether complete lines are inserted at the beginning of an existing line."""
        return self.shape is Shape.LINES and bool(self.after.strip())

    @property
    def is_fence_closed(self) -> bool:
        """Whether the cursor is in a code fence that is closed below it."""
        return self.is_fenced and is_fenced(self.tail)

    @property
    def is_text(self) -> bool:
        """Whether the cursor is in a comment, in a string, or in prose, rather than in code."""
        return is_text(self.open, self.language)

    @property
    def is_empty_pair(self) -> bool:
        """Whether what is open at the cursor begins right before it, and ends right after it."""
        if self.mark == FORMULA:
            return self.before.rstrip().endswith(FORMULA)
        if not self.open or not self.open[-1].is_closed or is_single_line(self.open[-1], self.language):
            return False
        pair, before, after = self.open[-1], self.before.rstrip(), self.after.lstrip()
        if not after.startswith(pair.closer):
            return False
        # A tag's mark is without its attributes.
        return before.endswith(">" if pair.kind is OpeningKind.TAG else pair.mark)

    @property
    def is_in_unclosed_bracket(self) -> bool:
        """Whether a parenthesis or square bracket is open at the cursor, and nothing after it closes it."""
        return bool(self.open) and self.open[-1].mark in ("(", "[") and not self.open[-1].is_closed

    @property
    def is_in_new_tag(self) -> bool:
        """Whether the cursor is in a tag that nothing after it ends."""
        return any(one.closer == ">" and not one.is_closed for one in self.open)

    def scan(self, text: str) -> Scan:
        """Scan a text that begins at the cursor."""
        return scan(text, self.language, self.open)

    def scan_brackets(self, text: str) -> Scan:
        """Scan a text that begins at the cursor for brackets, also where they are not code."""
        return scan(text, UNKNOWN, self.pairs) if self.is_text else self.scan(text)

    def imbalance(self, text: str) -> int:
        """Count the unmatched brackets around the cursor if `text` were inserted there."""
        inserted = self.scan_brackets(text)
        count = Counter(opening.closer for opening in inserted.open if opening.kind not in _TEXT)
        count.subtract(opening.closer for opening in self._opened if opening.is_closed)
        count.subtract(self.surplus)
        count.subtract(closer.mark for closer in inserted.closers if not closer.opening)
        return sum(map(abs, count.values()))

    def closings(self, closer: str) -> int | None:
        """How many times the text may close what ends with `closer`; None: any number."""
        open_here = [opening for opening in self._opened if opening.closer == closer]
        closed = sum(opening.is_closed for opening in open_here) + self.surplus.count(closer)
        # If none is closed after the cursor, the code is unfinished: the text may close any bracket.
        return max(0, len(open_here) - closed) if closed else None

    @property
    def _opened(self) -> tuple[Opening, ...]:
        return (*self.open, *self.pairs)


def read_hole(head: str, tail: str, language: Language, openings: tuple[Opening, ...] | None = None) -> Hole:
    """Describe the hole between the texts left and right of the cursor.

    `openings` is what is open at the cursor where a syntax tree knows it; else the language's marks say it.
    """
    before = head[head.rfind("\n") + 1 :]
    after, _, rest = tail.partition("\n")
    open_here = (
        _openings(head, before, tail, language)
        if openings is None
        else _known(openings, after, tail, language)
    )
    if not language.id:
        # In a comment, as it seems.
        is_near = [opening.is_closed or opening.offset >= len(head) - len(before) for opening in open_here]
        open_here = tuple(compress(open_here, is_near)) if any(is_near) else open_here
    open_here = tuple(_with_name(opening, head, language) for opening in open_here)
    open_here = tuple(_begun_in_line(open_here, len(head) - len(before), after, rest))
    if language.prose:
        # Most brackets in prose enclose nothing that matters further on, and many are not balanced.
        open_here = tuple(opening for opening in open_here if opening.kind is not OpeningKind.BRACKET)
    is_in_tag = language.blocks is Blocks.TAGS and _is_tag(open_here)
    if openings is not None and (is_in_tag or _surplus(open_here, (), after, language)):
        open_here = _with_unknown(open_here, head, before, after, language)
    pairs = _pairs(open_here, before, after, len(head), language) if is_text(open_here, language) else ()
    shape = _shape(before, after, open_here, language)
    # Complete lines are inserted above the cursor's own line, which is then the one below them.
    inserts_above = shape is Shape.LINES and after.strip()
    return Hole(
        shape=shape,
        before=before,
        after=after,
        below=before + after if inserts_above else _first_line(rest),
        language=language,
        open=open_here,
        surplus=_surplus(open_here, pairs, after, language),
        pairs=pairs,
        mark=_mark(open_here, before, after, len(head), language),
        is_fenced=is_fenced(head),
        head=head,
        tail=tail,
    )


def is_text(open_here: tuple[Opening, ...], language: Language) -> bool:
    """Whether a place where this is open is in a comment, a string, or prose."""
    if not open_here:
        return language.prose
    innermost = open_here[-1]
    if innermost.kind is OpeningKind.TAG:
        embedded = {f"<{name.removesuffix('_element')}>" for name, _ in language.embeds}
        return innermost.closer != ">" and innermost.mark not in embedded
    return innermost.kind in _TEXT


def indentation(line: str) -> int:
    """Count the whitespace characters a line begins with."""
    return len(line) - len(line.lstrip())


def _shape(before: str, after: str, open_here: tuple[Opening, ...], language: Language) -> Shape:
    strings = [opening for opening in open_here if opening.kind is OpeningKind.STRING]
    if not before.strip() and not strings:
        closers = tuple(opening.closer for opening in open_here if opening.closer != LINE_END)
        # `    |)` continues inside the brackets, `    |;` the statement; `    |return x` gets lines above it.
        continues = after.strip() in (";", ",") or after.strip().startswith((*CLOSERS, *closers))
        return Shape.INLINE if continues else Shape.LINES
    if after.strip() or any(is_single_line(string, language) for string in strings):
        return Shape.INLINE
    return Shape.LINE_END


def _openings(head: str, before: str, tail: str, language: Language) -> tuple[Opening, ...]:
    # From the beginning of a line: a scan must begin outside of strings, and most end with their line.
    start = max(0, len(head) - SCAN_CHARACTERS)
    start = head.find("\n", start) + 1 if start else 0
    if language.prose:
        start = len(head) - len(before)
    open_here = scan(head[start:], language).open
    open_here = tuple(evolve(opening, offset=opening.offset + start) for opening in open_here)
    known = _reliable(open_here, tail, language)
    closers = scan(tail[:SCAN_CHARACTERS], language, open_here[:known]).closers
    closed = {closer.opening.offset for closer in closers if closer.opening}
    # What is not scanned is assumed to close the braces, as complete files do.
    is_cut = len(tail) > SCAN_CHARACTERS
    return tuple(
        evolve(opening, is_closed=opening.offset in closed or (is_cut and opening.mark == "{"))
        for opening in open_here
    )


def _known(openings: tuple[Opening, ...], after: str, tail: str, language: Language) -> tuple[Opening, ...]:
    """Return what a tree knows to be open, with a string that was just begun as not closed."""
    if not openings or openings[-1].closer in after:
        return openings
    begun = (evolve(one, is_closed=False) for one in openings[_reliable(openings, tail, language) :])
    return (*openings[: _reliable(openings, tail, language)], *begun)


def _with_name(opening: Opening, head: str, language: Language) -> Opening:
    """Complete a mark: in some grammars the letters before a quote, or after `<`, are no part of it."""
    if opening.kind is OpeningKind.BRACKET and opening.mark == "<":
        tag = _TAG.match(head, opening.offset)
        return evolve(opening, kind=OpeningKind.TAG, mark=tag.group()) if tag else opening
    if opening.kind is not OpeningKind.STRING or not language.string_prefix or opening.mark[0].isalpha():
        return opening
    return evolve(opening, mark=prefix_before(head, opening.offset) + opening.mark)


def _begun_in_line(
    open_here: tuple[Opening, ...], line_start: int, after: str, below: str
) -> Iterator[Opening]:
    """Yield what is open, as not closed where only code of other lines could close it.

    So it is with what is interpolated in a string that begins in the cursor's line, and with a tag above
    another one.
    """
    in_string = False
    is_above_tag = not after.strip(ENCLOSING) and below.lstrip().startswith("<")
    for opening in open_here:
        is_new = opening.offset >= line_start
        is_begun = (in_string and opening.closer not in after) or (is_above_tag and opening.closer == ">")
        yield evolve(opening, is_closed=False) if is_new and is_begun else opening
        in_string |= is_new and opening.kind is OpeningKind.STRING


def _reliable(open_here: tuple[Opening, ...], tail: str, language: Language) -> int:
    """Count the openings of which the text after the cursor may close all.

    A string that may span lines is only closed below if the rest has an odd number of its quotes: else it was
    just begun, and what follows is code.
    """
    if open_here and open_here[-1].kind is OpeningKind.STRING:
        string = open_here[-1]
        is_symmetric = string.mark.endswith(string.closer) and not is_single_line(string, language)
        if is_symmetric and tail.count(string.closer) % 2 == 0:
            return len(open_here) - 1
    return len(open_here)


def _surplus(
    open_here: tuple[Opening, ...], pairs: tuple[Opening, ...], after: str, language: Language
) -> tuple[str, ...]:
    if is_text(open_here, language):
        # Elsewhere in a text a single bracket means nothing, as in "1) ... 2) ...".
        closers = scan(after.lstrip()[:1], UNKNOWN, pairs).closers
    else:
        closers = scan(after, language, open_here).closers
    return tuple(closer.mark for closer in closers if not closer.opening)


def _is_tag(open_here: tuple[Opening, ...]) -> bool:
    return bool(open_here) and open_here[-1].closer == ">"


def _with_unknown(
    open_here: tuple[Opening, ...], head: str, before: str, after: str, language: Language
) -> tuple[Opening, ...]:
    """Add the brackets of the cursor's line that a tree does not know.

    Such are `${` in a text of YAML, and the brace of `a={b}` in a tag.
    """
    start = len(head) - len(before)
    if language.blocks is Blocks.TAGS and _is_tag(open_here):
        start = open_here[-1].offset
    elif is_text(open_here, language) or any(opening.offset >= start for opening in open_here):
        return open_here
    found = scan(head[start:], language).open
    closed = {closer.opening for closer in scan(after, language, found).closers}
    brackets = (one for one in found if one.kind is OpeningKind.BRACKET and one in closed)
    return (*open_here, *(evolve(one, offset=one.offset + start, is_closed=True) for one in brackets))


def _pairs(
    open_here: tuple[Opening, ...], before: str, after: str, cursor: int, language: Language
) -> tuple[Opening, ...]:
    """Find the brackets that are open in the text around the cursor, within its line."""
    start = _text_start(open_here, before, cursor)
    open_text = scan(before[start:], UNKNOWN).open
    if open_here:
        ends = scan(after, language, open_here).closers
        after = after[: ends[0].offset] if ends else after
    closed = {closer.opening.offset for closer in scan(after, UNKNOWN, open_text).closers if closer.opening}
    return tuple(evolve(opening, is_closed=opening.offset in closed) for opening in open_text)


def _text_start(open_here: tuple[Opening, ...], before: str, cursor: int) -> int:
    """Find where the text at the cursor begins in its line."""
    if not open_here:
        return 0
    innermost = open_here[-1]
    start = innermost.offset + len(innermost.mark) - (cursor - len(before))
    if innermost.kind is OpeningKind.TAG:
        start = before.rfind(">") + 1
    return max(0, start)


def _mark(open_here: tuple[Opening, ...], before: str, after: str, cursor: int, language: Language) -> str:
    """Find what encloses the cursor in a text, or in an unknown language, or parameters or types."""
    match, is_code = _MARK.match(after), not is_text(open_here, language)
    if is_code and language.has_pipes and is_in_parameters(before, after):
        return "|"
    if is_code and language.blocks is Blocks.BRACES and not _is_tag(open_here) and is_in_types(before, after):
        return ">"
    if not match or not (is_text(open_here, language) or not language.id):
        return ""
    mark = match.group().lstrip()
    start = _text_start(open_here, before, cursor) if is_text(open_here, language) else 0
    begins = [found for found in runs(mark, before[start:]) if not _is_in_word(found)]
    return mark if len(begins) % 2 else ""


def runs(mark: str, text: str) -> list[re.Match[str]]:
    """Find where a text has exactly this mark, not a longer one of the same characters."""
    one = re.escape(mark[0])
    return list(re.finditer(rf"(?<![{one}\\\\]){re.escape(mark)}(?!{one})", text))


def _is_in_word(match: re.Match[str]) -> bool:
    before, after = match.string[: match.start()], match.string[match.end() :]
    return before[-1:].isalnum() and after[:1].isalnum()


def _first_line(text: str) -> str:
    start = len(text) - len(text.lstrip())
    start = text.rfind("\n", 0, start) + 1
    end = text.find("\n", start)
    line = text[start : end if end >= 0 else len(text)]
    return line if line.strip() else ""
