"""The hole: what the text around the cursor says about what is missing there.

A pure function of the text, which has \\n line ends.
"""

from collections import Counter
from enum import Enum

from attrs import field, frozen

from aide_lsp.syntax.languages import Language
from aide_lsp.syntax.scan import OPENERS, SCAN_CHARACTERS, Scan, scan

CLOSERS = "".join(OPENERS)


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
    open: Scan = field(factory=Scan)
    "Brackets, string and comment that are open at the cursor."
    closed: tuple[tuple[str, int], ...] = ()
    "How many brackets of each kind are closed after the cursor; the key is the opening bracket."
    quote_after: bool = False
    "Whether the string that the cursor is in is closed after it."
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

    def imbalance(self, text: str) -> int:
        """Count the unmatched brackets around the cursor if `text` were inserted there."""
        # The text continues the string that the cursor is in.
        inserted = scan(self.open.quote + text, self.language)
        opened, closed = Counter(self.open.stack + inserted.stack), Counter(dict(self.closed))
        closed.update(OPENERS[bracket] for _, bracket in inserted.unmatched)
        return sum(abs(opened[kind] - closed[kind]) for kind in OPENERS.values())

    def closings(self, bracket: str) -> int | None:
        """How many times the text may use this closing bracket; None: any number."""
        # If none is closed after the cursor, the code is unfinished: the text may close any bracket.
        closed = dict(self.closed).get(OPENERS[bracket], 0)
        return max(0, self.open.stack.count(OPENERS[bracket]) - closed) if closed else None


def read_hole(head: str, tail: str, language: Language) -> Hole:
    """Describe the hole between the texts left and right of the cursor."""
    before = head[head.rfind("\n") + 1 :]
    after, _, rest = tail.partition("\n")
    open_here = _scan_head(head, language)
    shape = _shape(before, after, open_here)
    # Complete lines are inserted above the cursor's own line, which is then the one below them.
    inserts_above = shape is Shape.LINES and after.strip()
    return Hole(
        shape=shape,
        before=before,
        after=after,
        below=before + after if inserts_above else _first_line(rest),
        language=language,
        open=open_here,
        closed=_closed(open_here, tail, language),
        quote_after=_is_quote_after(open_here.quote, after, tail),
        head=head,
        tail=tail,
    )


def indentation(line: str) -> int:
    """Count the whitespace characters a line begins with."""
    return len(line) - len(line.lstrip())


def _shape(before: str, after: str, open_here: Scan) -> Shape:
    if not before.strip() and not open_here.quote:
        # `    |)` continues inside the brackets; `    |return x` gets lines above it.
        return Shape.INLINE if after.strip()[:1] in tuple(CLOSERS) else Shape.LINES
    if after.strip() or len(open_here.quote) == 1:
        return Shape.INLINE
    return Shape.LINE_END


def _scan_head(head: str, language: Language) -> Scan:
    # From the beginning of a line: a scan must begin outside of strings, and most end with their line.
    start = max(0, len(head) - SCAN_CHARACTERS)
    return scan(head[head.find("\n", start) + 1 if start else 0 :], language)


def _closed(open_here: Scan, tail: str, language: Language) -> tuple[tuple[str, int], ...]:
    after = scan(open_here.quote + tail[:SCAN_CHARACTERS], language)
    closed = Counter(OPENERS[bracket] for _, bracket in after.unmatched)
    if len(tail) > SCAN_CHARACTERS:
        # What is not scanned is assumed to close the braces, as complete files do.
        closed["{"] += open_here.stack.count("{")
    return tuple(sorted(closed.items()))


def _is_quote_after(quote: str, after: str, tail: str) -> bool:
    if len(quote) == 1 and quote != "`":
        return quote in after
    # A string that may span lines is closed below if the rest has an odd number of its quotes.
    return bool(quote) and tail.count(quote) % 2 == 1


def _first_line(text: str) -> str:
    start = len(text) - len(text.lstrip())
    start = text.rfind("\n", 0, start) + 1
    end = text.find("\n", start)
    line = text[start : end if end >= 0 else len(text)]
    return line if line.strip() else ""
