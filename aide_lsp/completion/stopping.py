"""Stop rules: where a completion ends. Models asked to fill a hole seldom stop by themselves.

In: the hole and the text generated so far. Out: where to cut it, once that is certain. Each decision is
a function of the text up to the character that decides it, so it is the same however the text came in
pieces. The one decided first counts:

- everywhere: a code fence; the same line again and again; a bracket or quote that stands behind the cursor;
- in a line: where what stands right of the cursor comes out again, else the end of the expression;
- at a line's end: the end of the line, or of the block that it opens;
- whole lines: where the line below comes out again, else the end of the block or definition.

It does not know tokens or the model.
"""

from collections import Counter
from collections.abc import Callable

from attrs import frozen

from aide_lsp.completion.hole import Hole, Shape, indentation
from aide_lsp.completion.raw_text import Line, RawText

LOOKAHEAD = 4
"""Lines in which what stands right of the cursor has to come out again; else one line is kept."""
EXPRESSION_LINES = 20
"""Lines in which an expression has to close its brackets; else one line is kept."""
REPEATS = 3
"""How often in a row a line may come."""
REUNIONS = ("line-below", "joint", "closed-behind")
"""Rules by which a text ends because it comes to what stands behind the cursor."""


@frozen
class Stop:
    """Where the text ends, and why."""

    end: int
    "Characters to keep."
    decided: int
    "Characters that had to be seen."
    rule: str
    "Name of the rule, as in the functions below."


def find_stop(hole: Hole, text: str, *, ended: bool = False) -> Stop | None:
    """Say where `text` ends; None: nothing decides it yet.

    `ended` says that the model ended it, so that its last line is whole.
    """
    raw = RawText(hole, text, ended)
    stops = [rule(raw) for rule in (_fence, _repetition, _bracket, _quote, _SHAPES[hole.shape])]
    return min((stop for stop in stops if stop), key=lambda stop: (stop.decided, stop.end), default=None)


def break_off(hole: Hole, text: str) -> Stop:
    """Say where a text ends that was broken off: behind its last whole line, if it has one."""
    *whole, last = RawText(hole, text, ended=False).lines
    end = last.start - 1 if any(not line.is_blank for line in whole) else last.end
    return Stop(end, len(text), "broken-off")


def _fence(raw: RawText) -> Stop | None:
    """Chat models close their answer with a fence, and explain it."""
    for line in raw.lines[1:]:
        if line.text.lstrip().startswith("```") and not raw.hole.language.prose:
            return Stop(line.start, line.entered + 2, "fence")
    return None


def _repetition(raw: RawText) -> Stop | None:
    written = [line for line in raw.lines if line.is_whole and not line.is_blank]
    for first, *others in zip(*(written[n:] for n in range(REPEATS)), strict=False):
        if all(line.text == first.text for line in others):
            return Stop(others[0].start, others[-1].seen, "repetition")
    return None


def _bracket(raw: RawText) -> Stop | None:
    """Stop before a bracket that stands behind the cursor already."""
    if raw.hole.language.prose:
        return None
    used: Counter[str] = Counter()
    for offset, bracket in raw.scan().unmatched:
        used[bracket] += 1
        allowed = raw.hole.closings(bracket)
        if allowed is not None and used[bracket] > allowed:
            end = offset - len(raw.hole.open.quote)
            return Stop(end, end + 1, "closed-behind")
    return None


def _quote(raw: RawText) -> Stop | None:
    """Stop before the quote that ends the string the cursor is in, if that stands behind the cursor."""
    quote = raw.hole.open.quote
    if not quote or not raw.hole.quote_behind:
        return None
    start = raw.text.find(quote)
    while start >= 0:
        if raw.scan(start + len(quote)).quote != quote:
            return Stop(start, start + len(quote), "closed-behind")
        start = raw.text.find(quote, start + 1)
    return None


def _inline(raw: RawText) -> Stop | None:
    is_telling = _is_telling(raw.hole.after)
    find, limit = (_joint, LOOKAHEAD) if is_telling else (_expression_end, EXPRESSION_LINES)
    lines = raw.lines[:limit]
    for line in lines:
        if not line.is_whole:
            return None
        if (stop := find(raw, line)) is not None:
            return stop
        if line.start and not line.is_blank and line.depth < raw.hole.base:
            return Stop(lines[0].end, line.seen, "line")
    if raw.ended or len(raw.lines) > limit:
        return Stop(lines[0].end, lines[-1].seen, "line")
    return None


def _expression_end(raw: RawText, line: Line) -> Stop | None:
    """Stop at the end of a line at which no bracket is open that the text opened."""
    return None if raw.scan(line.end).stack else Stop(line.end, line.seen, "line")


def _line_end(raw: RawText) -> Stop | None:
    first = raw.lines[0]
    if not first.is_whole:
        return None
    opens = raw.opens(first)
    has_block = opens and indentation(raw.hole.below) > raw.hole.base
    if first.end == 0 and has_block:
        return _into_block(raw)
    if first.end == 0 and not opens:
        return _whole_lines(raw)
    return _block(raw) if opens and not has_block else Stop(first.end, first.seen, "line")


def _into_block(raw: RawText) -> Stop | None:
    """Lines at the beginning of a block that stands below already: only such as lead up to it."""
    stop = _whole_lines(raw)
    if stop is None or stop.rule in ("line-below", "header"):
        return stop
    return Stop(0, stop.decided, "line")


def _block(raw: RawText) -> Stop | None:
    """The lines that are indented deeper than the one that opens the block, and what closes it."""
    for line in _written(raw.lines[1:]):
        ends = line.is_entered and line.depth <= raw.hole.base
        if ends and not line.closes:
            return Stop(line.start, line.entered, "block")
        if (stop := _reunion(raw, line)) is not None:
            return stop
        if ends and line.is_whole and not raw.opens(line):
            return Stop(line.end, line.seen, "block")
    return None


def _whole_lines(raw: RawText) -> Stop | None:
    written = _written(raw.lines[1:] if raw.hole.before.strip() else raw.lines)
    if not written:
        return None
    floor = _floor(raw.hole, written[0])
    for index, line in enumerate(written):
        if index and _is_new_paragraph(raw.hole, written[0], written[index - 1], line):
            return Stop(line.start, line.entered, "definition")
        ends = line.is_entered and line.depth <= floor
        if ends and not line.closes:
            block = Stop(line.start, line.entered, "block")
            return _behind_header(raw, written[:index], line.entered) or block
        if (stop := _reunion(raw, line)) is not None:
            return stop
        if ends and line.is_whole:
            return Stop(line.end, line.seen, "block")
    return _behind_header(raw, written, written[-1].seen) if raw.ended else None


def _floor(hole: Hole, first: Line) -> int:
    """The deepest indentation that ends the block.

    Where the cursor is indented, that says which block is meant. At the very beginning of a line it may
    be any block that the line below leaves open.
    """
    return first.depth - 1 if hole.before else min(first.depth - 1, indentation(hole.below))


def _is_new_paragraph(hole: Hole, first: Line, previous: Line, line: Line) -> bool:
    """Whether a line begins something new behind a definition, or behind anything at the top level."""
    if first.depth and not (first.defines and hole.before):
        return False
    if not line.is_entered or line.depth > first.depth or line.closes or line.continues:
        return False
    return previous.depth > line.depth or previous.end + 1 < line.start


def _behind_header(raw: RawText, written: list[Line], decided: int) -> Stop | None:
    """Stop behind the first line that opens a block for the line below, which stands deeper."""
    for line in written:
        if raw.opens(line) and line.depth < indentation(raw.hole.below):
            return Stop(line.end, decided, "header")
    return None


def _reunion(raw: RawText, line: Line) -> Stop | None:
    """Stop where the line below the hole comes out again."""
    if not line.is_whole:
        return None
    if line.text.rstrip() == raw.hole.below.rstrip() and _is_balanced(raw, line.start, line):
        return Stop(line.start, line.seen, "line-below")
    inside = raw.hole.is_before_line and _is_telling(raw.hole.after)
    return _joint(raw, line) if inside else None


def _joint(raw: RawText, line: Line) -> Stop | None:
    """Stop where the text right of the cursor begins in a line that ends with it."""
    after, shown = raw.hole.after.rstrip(), line.text.rstrip()
    end = line.end - (len(line.text) - len(shown)) - len(after)
    if not shown.endswith(after) or end < line.start or not _is_balanced(raw, end, line):
        return None
    return Stop(end, line.seen, "joint")


def _is_balanced(raw: RawText, end: int, line: Line) -> bool:
    """Whether cutting the text at `end` leaves no more brackets without a partner than keeping the line."""
    return raw.hole.imbalance(raw.text[:end]) <= raw.hole.imbalance(raw.text[: line.end])


def _is_telling(after: str) -> bool:
    """Whether the text right of the cursor is more than brackets: worth waiting for it to come out again."""
    return len(after.strip()) >= 3 and any(character.isalnum() for character in after)


def _written(lines: list[Line]) -> list[Line]:
    return [line for line in lines if not line.is_blank]


_SHAPES: dict[Shape, Callable[[RawText], Stop | None]] = {
    Shape.INLINE: _inline,
    Shape.LINE_END: _line_end,
    Shape.LINES: _whole_lines,
}
