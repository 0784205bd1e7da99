"""The hole: what the text around the cursor says about what is missing there.

In: a text with \\n line ends, an offset, a language. Out: a `Hole`: the lines around the cursor, what is
open at it, and the shape of what can be inserted. A pure function of the text. It does not know what
the model will say.
"""

from collections import Counter
from enum import Enum

from attrs import field, frozen

from aide_lsp.completion.syntax import OPENERS, SCAN_CHARACTERS, Language, Scan, scan

CLOSERS = "".join(OPENERS)


class Shape(Enum):
    """How much may be inserted."""

    INLINE = "inline"
    "The rest of an expression or of a line: text stands right of the cursor, or a bracket or string is open."
    LINE_END = "line-end"
    "The rest of the line, and the block it opens."
    LINES = "lines"
    "Whole lines: nothing but blanks stands left of the cursor."


@frozen
class Hole:
    """The place at the cursor."""

    shape: Shape
    "How much may be inserted."
    before: str
    "The cursor's line, left of the cursor."
    after: str
    "The cursor's line, right of the cursor, without its line end."
    above: str
    "The nearest line above that is not blank; empty: none."
    below: str
    "The nearest line that is not blank and stays below what is inserted; empty: none."
    language: Language
    "What strings and comments look like."
    open: Scan = field(factory=Scan)
    "What is open at the cursor."
    closed: tuple[tuple[str, int], ...] = ()
    "How many brackets of each kind, by the opening one, are closed behind the cursor."

    quote_behind: bool = False
    "Whether the string that the cursor is in is closed behind it."

    @property
    def base(self) -> int:
        """Indentation of the cursor's line, in characters."""
        return indentation(self.before)

    @property
    def is_before_line(self) -> bool:
        """Whether whole lines go in right before an existing line, at its beginning."""
        return self.shape is Shape.LINES and bool(self.after.strip())

    def imbalance(self, text: str) -> int:
        """Count the brackets without a partner around the cursor if `text` were inserted there."""
        inserted = scan(self.open.quote + text, self.language)
        here, behind = Counter(self.open.stack + inserted.stack), Counter(dict(self.closed))
        behind.update(OPENERS[bracket] for _, bracket in inserted.unmatched)
        return sum(abs(here[kind] - behind[kind]) for kind in OPENERS.values())

    def closings(self, bracket: str) -> int | None:
        """How many brackets of the kind of a closing one may be closed here; None: any number."""
        behind = dict(self.closed).get(OPENERS[bracket], 0)
        return max(0, self.open.stack.count(OPENERS[bracket]) - behind) if behind else None


def read_hole(head: str, tail: str, language: Language) -> Hole:
    """Describe the place between the texts left and right of the cursor."""
    before = head[head.rfind("\n") + 1 :]
    after, _, rest = tail.partition("\n")
    open_here = _scan_head(head, language)
    shape = _shape(before, after, open_here)
    inserts_above = shape is Shape.LINES and after.strip()
    return Hole(
        shape=shape,
        before=before,
        after=after,
        above=_last_line(head[: len(head) - len(before)]),
        below=before + after if inserts_above else _first_line(rest),
        language=language,
        open=open_here,
        closed=_closed(open_here, tail, language),
        quote_behind=_is_quote_behind(open_here.quote, after, tail),
    )


def indentation(line: str) -> int:
    """Count the blanks a line begins with."""
    return len(line) - len(line.lstrip())


def _shape(before: str, after: str, open_here: Scan) -> Shape:
    if not before.strip() and not open_here.quote:
        # `    |)` goes on inside the brackets; `    |return x` gets lines above it.
        return Shape.INLINE if after.strip()[:1] in tuple(CLOSERS) else Shape.LINES
    if after.strip() or len(open_here.quote) == 1:
        return Shape.INLINE
    return Shape.LINE_END


def _scan_head(head: str, language: Language) -> Scan:
    start = max(0, len(head) - SCAN_CHARACTERS)
    return scan(head[head.find("\n", start) + 1 if start else 0 :], language)


def _closed(open_here: Scan, tail: str, language: Language) -> tuple[tuple[str, int], ...]:
    behind = scan(open_here.quote + tail[:SCAN_CHARACTERS], language)
    closed = Counter(OPENERS[bracket] for _, bracket in behind.unmatched)
    if len(tail) > SCAN_CHARACTERS:
        closed["{"] += open_here.stack.count("{")  # the far end of a long file was not seen: it closes them
    return tuple(sorted(closed.items()))


def _is_quote_behind(quote: str, after: str, tail: str) -> bool:
    if len(quote) == 1 and quote != "`":
        return quote in after
    # Strings that may span lines are closed here if the rest, left alone, would open one too many.
    return bool(quote) and tail.count(quote) % 2 == 1


def _first_line(text: str) -> str:
    start = len(text) - len(text.lstrip())
    start = text.rfind("\n", 0, start) + 1
    end = text.find("\n", start)
    line = text[start : end if end >= 0 else len(text)]
    return line if line.strip() else ""


def _last_line(text: str) -> str:
    text = text.rstrip()
    return text[text.rfind("\n") + 1 :]
