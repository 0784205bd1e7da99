"""Endings: where a text can end that is cut. That is after a finished line, or after an element of one.

Elements are the parts of a list, of a statement, or of a sentence.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from aide_lsp.infill.hole import CLOSERS, Hole, Shape
from aide_lsp.infill.raw_text import Line, RawText
from aide_lsp.infill.stop_rules import Stop, StopRule
from aide_lsp.syntax.languages import Blocks
from aide_lsp.syntax.openings import OpeningKind
from aide_lsp.syntax.patterns import LINE_END

LAST_ENDS = 8
"""Finished lines, besides the first ones, at which a text that does not fit may end: each is checked."""
DECORATOR = re.compile(r"\s*(?:@[\w.]+(?:\(.*\))?|#\[.*\])\s*")
"""A line that says something of the definition below it."""
BRACKETED = re.compile(r"\s*\[.*\]\s*")
"""The same in C#, and how a table of TOML or a section of INI begins."""
CONTINUATION = re.compile(r"\?\.|\.[A-Za-z(]|->|=>|[?:+|] |&&|\|\||\|>|<<|where\b")
"""How a line begins that goes on with the one above."""
CONTINUATION_CHARACTERS = 5
"""Characters that show it."""
FIRST_LINES = 4
"""Lines that are shown at most while the rest is generated: later ones may turn out to be a loop."""

_ENDS = re.compile(
    # Before a comma or line end; after what ends a statement, a sentence, a string, or a bracket.
    r"(?=,|\n)|(?<=[;!?])|(?<=[^\W_]\.)(?=\s)|(?<=[\"'`)\]}>])(?=\s|[<(\[{])"
)
_WORD_ENDS = re.compile(r"(?<=\w)(?=\s)")


def last_element_end(raw: RawText, limit: int, *, words: bool = False) -> int:
    """Return where the last complete element of the text up to `limit` ends; 0: it has none.

    Between brackets or in a string that the text itself opens, no element ends. In prose, `words` are
    elements if there is no complete sentence.
    """
    for pattern in (_ENDS, _WORD_ENDS) if words else (_ENDS,):
        # The separator after an element is what shows that it is complete.
        for match in reversed(list(pattern.finditer(raw.text, 0, limit + 1))):
            end = match.start()
            kept = raw.text[:end].rstrip(" \t,")
            if end <= limit and kept.strip(f" \t\n{CLOSERS},;") and raw.is_level(end):
                return len(kept)
    return 0


def finished_lines(hole: Hole, text: str, end: int) -> Iterator[Stop]:
    """Yield where a text that does not fit as a whole may end, up to `end`; the last place first.

    Within a line there is none: only what follows shows whether more than its rest is meant.
    """
    if hole.shape is Shape.INLINE:
        return
    raw = RawText(hole, text, ended=False)
    complete = [line for line in raw.lines[:-1] if line.end <= end and not line.is_blank]
    first = {line.start for line in complete[:FIRST_LINES]}
    for number, line in enumerate(finished(raw, complete)):
        if number < LAST_ENDS or line.start in first:
            yield Stop(line.end, len(text), StopRule.FIRST_LINES)


def finished(raw: RawText, complete: list[Line]) -> Iterator[Line]:
    """Yield the lines after which nothing is unfinished, the last one first."""
    written = [line for line in raw.lines if not line.is_blank]
    following = {line.start: below for line, below in pairwise(written)}
    last = [line for line in complete if raw.text[: line.end].strip() and not line.is_blank]
    for line in reversed(last):
        if raw.is_level(line.end) and not _wants_more(raw, line, following.get(line.start)):
            yield line


def is_begun(line: Line) -> bool:
    """Whether enough of a line is known to see whether it goes on with the one above."""
    return line.is_start_known and len(line.text.strip()) >= CONTINUATION_CHARACTERS


def is_decorator(raw: RawText, line: Line) -> bool:
    """Whether a line says something of the definition below it, or begins a table or a section."""
    language = raw.hole.language
    if (language.id == "csharp" or "=" in language.key_marks) and BRACKETED.fullmatch(line.text):
        return True
    # In Ruby, `@name` is a variable.
    return language.blocks is not Blocks.WORDS and DECORATOR.fullmatch(line.text) is not None


def _wants_more(raw: RawText, line: Line, below: Line | None) -> bool:
    """Whether a line says too little without the one that is generated below it."""
    if raw.opens(line) or is_decorator(raw, line):
        return True
    if raw.hole.language.prose or raw.hole.is_text:
        return False
    if _is_comment(raw, line):
        return True
    if line.text.rstrip().endswith(","):
        return not raw.hole.open  # of a list others may follow, of `SELECT a,` another has to
    if below is None or line.text.rstrip().endswith((";", "}")):
        return False
    goes_on = below.text.lstrip().startswith("{") or CONTINUATION.match(below.text.lstrip())
    return below.depth > line.depth or bool(goes_on)


def _is_comment(raw: RawText, line: Line) -> bool:
    """Whether a line is a comment, or the end of one: it says something of what comes below."""
    marks = raw.hole.language.marks
    opened = raw.scan(line.start).opened
    is_inside = bool(opened) and opened[-1].kind is OpeningKind.COMMENT and opened[-1].closer != LINE_END
    return is_inside or (bool(marks) and line.text.lstrip().startswith(marks))
