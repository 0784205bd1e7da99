"""Where text ends that is inserted within a line."""

from aide_lsp.infill.raw_text import Line, RawText
from aide_lsp.infill.stop_rules import Stop, StopRule

LOOKAHEAD = 4
"""Lines within which the text after the cursor must be repeated; else one line is kept."""
EXPRESSION_LINES = 20
"""Lines within which an expression must close its brackets; else one line is kept."""


def inline_end(raw: RawText) -> Stop | None:
    distinctive = is_distinctive(raw.hole.after)
    find, limit = (rest_of_line, LOOKAHEAD) if distinctive else (_expression_end, EXPRESSION_LINES)
    lines = raw.lines[:limit]
    for line in lines:
        if not line.is_complete:
            return None
        if (stop := find(raw, line)) is not None:
            return stop
        # A line further out cannot belong to the expression.
        if line.start and not line.is_blank and line.depth < raw.hole.base:
            return Stop(lines[0].end, line.complete_at, StopRule.LINE)
    if raw.ended or len(raw.lines) > limit:
        return Stop(lines[0].end, lines[-1].complete_at, StopRule.LINE)
    return None


def _expression_end(raw: RawText, line: Line) -> Stop | None:
    """Stop at the end of a line at which every bracket that the text opened is closed."""
    return None if raw.scan(line.end).stack else Stop(line.end, line.complete_at, StopRule.LINE)


def rest_of_line(raw: RawText, line: Line) -> Stop | None:
    """Stop where the text right of the cursor begins in a line that ends with it."""
    after, text = raw.hole.after.rstrip(), line.text.rstrip()
    end = line.end - (len(line.text) - len(text)) - len(after)
    if not text.endswith(after) or end < line.start or not is_balanced(raw, end, line):
        return None
    return Stop(end, line.complete_at, StopRule.REST_OF_LINE)


def is_balanced(raw: RawText, end: int, line: Line) -> bool:
    """Whether cutting the text at `end` leaves no more unmatched brackets than keeping the line."""
    return raw.hole.imbalance(raw.text[:end]) <= raw.hole.imbalance(raw.text[: line.end])


def is_distinctive(after: str) -> bool:
    """Whether the text right of the cursor is more than brackets, so that its repetition is no accident."""
    return len(after.strip()) >= 3 and any(character.isalnum() for character in after)
