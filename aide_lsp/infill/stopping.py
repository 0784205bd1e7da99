"""Stop rules: where a completion ends. Infilling models seldom stop on their own.

Each decision is a function of the text up to the character that decides it, so it does not depend on how
the text was split into tokens. The rule that is decided first wins:

- everywhere: a code fence; repetition without end; a bracket, quote, tag, or mark that is already after the
  cursor;
- within a line: where the text leads to what is right of the cursor, else the end of the expression; in an
  empty pair of brackets complete lines, if the text begins with a line end;
- at the end of a line: the end of the line, or of the block it opens;
- complete lines: where the line below is repeated, else the end of the block or definition.
"""

import re
from collections import Counter
from collections.abc import Callable
from itertools import islice

from aide_lsp.infill.copies import are_above, are_below, copies_line_below, start_of_next_entry
from aide_lsp.infill.endings import (
    FIRST_LINES,
    finished,
    finished_lines,
    is_begun,
    is_decorator,
    last_element_end,
)
from aide_lsp.infill.hole import Hole, Shape, indentation, runs
from aide_lsp.infill.inline import LOOKAHEAD, fitted, inline_end, is_balanced, is_distinctive, rest_of_line
from aide_lsp.infill.raw_text import CLOSING_WORDS, CONTAINER, Line, RawText
from aide_lsp.infill.repetition import repetition
from aide_lsp.infill.stop_rules import Stop, StopRule
from aide_lsp.infill.type_arguments import types_end
from aide_lsp.syntax.languages import Blocks
from aide_lsp.syntax.openings import OpeningKind
from aide_lsp.syntax.scan import Closer

LAST_LINES = 60
"""Lines of a truncated text among which the last one is that leaves nothing unfinished."""
CASE = re.compile(r"\s*(?:case|default)\b")
BRANCH = re.compile(r"(?:else|elseif|elsif|elif|when|rescue|ensure|catch|except|finally)\b")
"""How a line begins that goes on with the statement above it, where words end blocks."""
END_WORD = re.compile(rf"(?:{'|'.join(CLOSING_WORDS)})\b")
"""How a line begins that ends it."""
VISIBLE_LINE = re.compile(r"[^\n]*\S[^\n]*(?:\n|\Z)")
"""A line that is not blank, with its end."""
TAG = re.compile(r"\s*<[A-Za-z][\w:.-]*>\s*")
"""A tag alone in its line."""
LEAST_LETTERS = 4
"""Letters and digits of a line that is seldom there twice."""
ABOVE = 400
"""Characters left of the cursor among which the last visible one is."""


def find_stop(hole: Hole, text: str, *, ended: bool = False) -> Stop | None:
    """Return where `text` ends; None: no rule applies yet.

    `ended` says that the model ended the text, so that its last line is complete.
    """
    raw = RawText(hole, text, ended)
    stops = [rule(raw) for rule in (_fence, repetition, _closer, _pair, _mark, _SHAPES[hole.shape])]
    return min((stop for stop in stops if stop), key=lambda stop: (stop.decided_at, stop.end), default=None)


def break_off(hole: Hole, text: str) -> Stop:
    """Return where a truncated text ends: after its last complete line, else its last complete element."""
    if (header := block_header(hole, text)) is not None:
        return header
    raw = RawText(hole, text, ended=False)
    complete = raw.lines[:-1]
    fills_pair = hole.is_empty_pair and not text[: raw.lines[0].end].strip()
    if hole.shape is Shape.INLINE and is_distinctive(hole.after) and complete and not fills_pair:
        # None of the lines leads to what is right of the cursor, so at most the first one is meant.
        return fitted(raw, Stop(raw.lines[0].end, len(text), StopRule.TRUNCATED))
    if any(not line.is_blank for line in complete):
        end = next(finished(raw, complete[-LAST_LINES:]), complete[-1]).end
    else:
        end = last_element_end(raw, len(text), words=raw.is_prose(len(text)))
    stop = Stop(end, len(text), StopRule.TRUNCATED)
    return stop if fills_pair or hole.shape is not Shape.INLINE else fitted(raw, stop)


def block_header(hole: Hole, text: str) -> Stop | None:
    """Return where the first line of a text ends that opens the block for a deeper line below the cursor."""
    raw = RawText(hole, text, ended=False)
    lines: list[Line] = []
    if hole.shape is Shape.LINES:
        lines = raw.lines[:-1]
    elif hole.shape is Shape.LINE_END and not raw.lines[0].end:
        lines = raw.lines[1:-1]  # the existing line is complete, and may open the block itself
    return _block_header(raw, _non_blank(lines), len(text))


def first_lines(hole: Hole, text: str) -> Stop | None:
    """Return where the last line ends that can be shown while the text is being generated; None: none."""
    # Only what follows shows whether a line of a bracket that nothing closes is meant; in SQL, its comma.
    is_open = hole.shape is Shape.LINE_END and hole.is_in_unclosed_bracket
    if hole.shape is Shape.INLINE or hole.is_before_line or is_open or hole.language.id == "sql":
        return None
    raw = RawText(hole, _beginning(text), ended=False)
    lines = [line for line in _non_blank(raw.lines) if line.is_complete or is_begun(line)]
    lines = lines[: FIRST_LINES + 1]
    # More may show that only the first line of a block is meant, or that the line goes on.
    is_header = hole.shape is Shape.LINE_END and _leads_into_block(raw)
    if not lines or is_header or block_header(hole, raw.text) is not None:
        return None
    # Or that the text has come to the line below, or repeats itself.
    seen, above = {hole.below.strip()}, ""
    for line in lines:
        text = line.text.strip()
        if text in seen or text == above:
            break
        above = text
        if sum(map(str.isalnum, text)) >= LEAST_LETTERS:
            seen.add(text)
    return next(finished_lines(hole, raw.text, line.start - 1), None)


def _beginning(text: str) -> str:
    """Return the lines of a text among which the first lines are, and the one below."""
    visible = islice(VISIBLE_LINE.finditer(text), FIRST_LINES, None)
    return text[: line.end()] if (line := next(visible, None)) else text


def _fence(raw: RawText) -> Stop | None:
    """Stop at a code fence: chat models begin and close their answer with one, then explain it."""
    # A line that has text already is the user's, whatever it begins with.
    for line in raw.lines[1:] if raw.hole.before.strip() else raw.lines:
        # In prose it is part of the text, but ends one that is open at the cursor and closed after it.
        is_text = raw.hole.language.prose and not raw.hole.language.drops_comments
        if line.text.lstrip().startswith("```") and (not is_text or raw.hole.is_fence_closed):
            # The first backtick is what makes the line's start known; the fence takes two more.
            return Stop(line.start, line.start_known_at + 2, StopRule.FENCE)
    return None


def _closer(raw: RawText) -> Stop | None:
    """Stop before what closes something that is open at the cursor, and that the text after it closes."""
    first, closers = raw.lines[0], raw.scan().closers
    if raw.hole.shape is not Shape.LINE_END:
        return _first_excess(raw, closers)
    # In `f(x) (`, the line opens another bracket, and the text below closes that one instead.
    opened = raw.scan(first.end).opened if first.is_complete else ()
    reopened = Counter(one.closer for one in opened if one.mark in ("(", "["))
    return _first_excess(raw, closers, reopened)


def _pair(raw: RawText) -> Stop | None:
    """Stop before a bracket that is already after the cursor, in a text."""
    return _first_excess(raw, raw.hole.scan_brackets(raw.text).closers) if raw.hole.is_text else None


def _first_excess(
    raw: RawText, closers: tuple[Closer, ...], reopened: Counter[str] | None = None
) -> Stop | None:
    used: Counter[str] = Counter()
    for closer in closers:
        mark, decided_at = closer.opening.closer if closer.opening else closer.mark, closer.decided_at
        used[mark] += 1
        allowed = raw.hole.closings(mark)
        if allowed is None:
            continue
        if reopened is not None and mark in (")", "]") and closer.offset < raw.lines[0].end:
            allowed, decided_at = allowed + reopened[mark], max(decided_at, raw.lines[0].complete_at)
        if used[mark] > allowed:
            return _closed_after(raw, closer.offset, decided_at, mark)
    return None


def _mark(raw: RawText) -> Stop | None:
    """Stop before the mark that ends the text at the cursor."""
    mark = raw.hole.mark
    if mark == ">":
        end = types_end(raw.text)
        return None if end is None else _closed_after(raw, end, end + 1, mark)
    found = runs(mark, raw.text) if mark else []
    # The next character decides whether the mark is a longer one.
    return _closed_after(raw, found[0].start(), found[0].end() + 1, mark) if found else None


def _closed_after(raw: RawText, end: int, decided_at: int, mark: str) -> Stop | None:
    if decided_at > len(raw.text):
        if not raw.ended:
            return None
        decided_at = len(raw.text)
    # In Swift, `\\(name\\)` would be symmetric: the backslash belongs to what is cut off.
    end -= raw.text[:end].endswith("\\") and not raw.hole.after.startswith("\\")
    # So it would be in Lua in `--[[ a --]]`.
    opening = raw.hole.open[-1] if raw.hole.open else None
    if opening is not None and opening.kind is OpeningKind.COMMENT and opening.closer == mark:
        begins = [start for start in raw.hole.language.line_comments if opening.mark.startswith(start)]
        end = len(raw.text[:end].removesuffix(begins[0])) if begins else end
    # The text closes what is around it, but not what it opened itself.
    is_code = raw.hole.shape is Shape.INLINE and not raw.hole.is_text and not raw.hole.is_in_new_tag
    if is_code and raw.hole.imbalance(raw.text[:end]) > raw.hole.imbalance(""):
        return Stop(0, decided_at, StopRule.DOES_NOT_FIT)
    return fitted(raw, Stop(end, decided_at, StopRule.CLOSED_AFTER), mark)


def _inline(raw: RawText) -> Stop | None:
    # Between a pair of brackets there may be complete lines.
    if raw.hole.is_empty_pair and not raw.text[: raw.lines[0].end].strip():
        return _complete_lines(raw) if raw.lines[0].is_complete else None
    return inline_end(raw)


def _line_end(raw: RawText) -> Stop | None:
    first = raw.lines[0]
    if not first.is_complete:
        return None
    # A line that a backslash continues may be a continuation itself, and the next one no deeper.
    opens = raw.opens(first) and not (first.end == 0 and first.text.endswith("\\"))
    has_block = opens and indentation(raw.hole.below) > raw.hole.base
    if opens and first.end == 0 and raw.hole.language.prose:
        # A colon may also come before lines that are not deeper.
        below = _non_blank(raw.lines[1:])
        if not below or not below[0].is_start_known:
            return None
        opens = below[0].depth > raw.hole.base
    if _leads_into_block(raw):
        return _into_block(raw)
    # So it is after a comma between the entries of JSON.
    is_comma = raw.hole.language.data and raw.text[: first.end].strip() == ","
    if is_comma or (first.end == 0 and not opens):
        return _complete_lines(raw)
    if not opens and raw.hole.is_in_unclosed_bracket:
        return _bracket_end(raw)
    return _block(raw) if opens and not has_block else Stop(first.end, first.complete_at, StopRule.LINE)


def _bracket_end(raw: RawText) -> Stop | None:
    """Stop after the line that closes the bracket at the cursor, which nothing below closes."""
    lines = raw.lines[:LOOKAHEAD]
    for line in lines:
        if not line.is_complete:
            return None
        if raw.scan(line.end).kept < len(raw.hole.open):
            return Stop(line.end, line.complete_at, StopRule.LINE)
        if line.start and (stop := _repeated_suffix(raw, line)) is not None:
            return stop
    is_decided = raw.ended or len(raw.lines) > LOOKAHEAD
    return Stop(lines[0].end, lines[-1].complete_at, StopRule.LINE) if is_decided else None


def _leads_into_block(raw: RawText) -> bool:
    """Whether the cursor's line is complete for the model, and opens the block in which the text goes on."""
    first = raw.lines[0]
    is_below = first.end == 0 and indentation(raw.hole.below) > raw.hole.base
    return is_below and not first.text.endswith("\\") and raw.opens(first)


def _into_block(raw: RawText) -> Stop | None:
    """Keep lines at the beginning of an existing block only if they lead up to it."""
    stop = _complete_lines(raw)
    if stop is None or stop.rule.leads_to_line_below:
        return stop
    return Stop(0, stop.decided_at, StopRule.LINE)


def _block(raw: RawText) -> Stop | None:
    """Stop after the lines that are indented deeper than the one that opens the block, and what closes it."""
    for line in _non_blank(raw.lines[1:]):
        if _closes_branch_below(raw, line):
            return Stop(line.start, line.start_known_at, StopRule.BLOCK)
        ends = line.is_start_known and line.depth <= raw.hole.base
        # Where words end blocks, `else` does not.
        if line.continues and raw.hole.language.blocks is Blocks.WORDS:
            continue
        # The brace of a function may be on a line of its own, below the parameters.
        opens_body = line.text.lstrip().startswith("{") and raw.text[: line.start].rstrip().endswith(")")
        if ends and not line.closes and not opens_body:
            return Stop(line.start, line.start_known_at, StopRule.BLOCK)
        if ends and line.is_complete and _is_end_below(raw, line):
            return Stop(line.start, line.complete_at, StopRule.LINE_BELOW)
        if (stop := _repeated_suffix(raw, line)) is not None:
            return stop
        if ends and line.is_complete and not raw.opens(line):
            return Stop(line.end, line.complete_at, StopRule.BLOCK)
    return None


def _is_end_below(raw: RawText, line: Line) -> bool:
    """Whether the end of the block is there already, as where its first line is being written again.

    Another block that ends at the same depth is around all of the file, or a `switch` as deep as its `case`.
    """
    is_end = line.closes and line.text.rstrip() == raw.hole.below.rstrip()
    return is_end and line.depth > 0 and not CASE.match(raw.hole.before)


def _complete_lines(raw: RawText) -> Stop | None:
    # After existing text the first generated line is the rest of that line, not a complete one.
    lines = _non_blank(raw.lines[1:] if raw.hole.before.strip() else raw.lines)
    if not lines:
        return None
    outside = _outside_depth(raw.hole, lines[0])
    for index, line in enumerate(lines):
        is_new = index and _is_new_paragraph(raw.hole, lines[0], lines[index - 1], line)
        if is_new and not raw.is_fenced(line.start):
            definition = Stop(line.start, line.start_known_at, StopRule.DEFINITION)
            return _block_header(raw, lines[:index], line.start_known_at) or definition
        is_below = _closes_branch_below(raw, line)
        ends = is_below or (line.is_start_known and line.depth <= outside)
        if is_below or (ends and not line.closes):
            block = Stop(line.start, line.start_known_at, StopRule.BLOCK)
            return _block_header(raw, lines[:index], line.start_known_at) or block
        if (stop := _repeated_suffix(raw, line)) is not None:
            return stop
        if ends and line.is_complete:
            return Stop(line.end, line.complete_at, StopRule.BLOCK)
    return _block_header(raw, lines, lines[-1].complete_at) if raw.ended else None


def _closes_branch_below(raw: RawText, line: Line) -> bool:
    """Whether a line would end the statement of which the line below is another branch."""
    below = raw.hole.below
    if raw.hole.language.blocks is not Blocks.WORDS or not BRANCH.match(below.lstrip()):
        return False
    is_end = line.is_start_known and END_WORD.match(line.text.lstrip()) is not None
    return is_end and line.depth <= indentation(below)


def _outside_depth(hole: Hole, first: Line) -> int:
    """Return the deepest indentation that is outside the block.

    An indented cursor says which block is meant. At the very beginning of a line it may be any block that
    the line below leaves open.
    """
    return first.depth - 1 if hole.before else min(first.depth - 1, indentation(hole.below))


def _is_new_paragraph(hole: Hole, first: Line, previous: Line, line: Line) -> bool:
    """Whether a line begins something new after a definition, or after anything at the top level."""
    # Within a block blank lines only separate paragraphs; the end of the block ends the completion. A class
    # that is empty could get any number of them.
    fills_container = hole.is_empty_pair and CONTAINER.match(hole.before) is not None
    if first.depth and not fills_container and not (first.defines and hole.before):
        return False
    if not line.is_start_known or line.depth > first.depth or line.closes or line.continues:
        return False
    return previous.depth > line.depth or previous.end + 1 < line.start


def _block_header(raw: RawText, lines: list[Line], decided_at: int) -> Stop | None:
    """Stop after the first line that opens a block for the line below, which is indented deeper."""
    for line in lines:
        is_between = _outside_depth(raw.hole, lines[0]) < line.depth < indentation(raw.hole.below)
        if is_between and raw.opens(line):
            return Stop(line.end, decided_at, StopRule.BLOCK_HEADER)
    return None


def _repeated_suffix(raw: RawText, line: Line) -> Stop | None:
    """Stop where the line below the hole, or the rest of the cursor's line, is repeated."""
    if not line.is_complete:
        return None
    entry = _entry_below(raw, line)
    is_copy = len(entry) > 1 and not are_above(raw.hole, entry) and is_balanced(raw, entry[0].start, line)
    if is_copy or entry or _opens_entry(raw, line):
        return Stop(entry[0].start, line.complete_at, StopRule.LINE_BELOW) if is_copy else None
    # A line like `}` is often equal by accident, and closes a bracket of the generated text. So is one like
    # `{`: the entries of a list begin alike.
    above = (raw.text[: line.start].rstrip() or raw.hole.head[-ABOVE:].rstrip())[-1:]
    is_entry = above in (",", "[", "(") and not is_distinctive(line.text) and "_" not in line.text
    is_below = line.text.rstrip() == raw.hole.below.rstrip() and not is_entry
    if is_below and is_balanced(raw, line.start, line):
        return Stop(line.start, line.complete_at, StopRule.LINE_BELOW)
    start = start_of_next_entry(raw, line)
    if start is not None and is_balanced(raw, start, line):
        return Stop(start, line.complete_at, StopRule.LINE_BELOW)
    if copies_line_below(raw, line) and is_balanced(raw, line.start, line):
        return Stop(line.start, line.complete_at, StopRule.LINE_BELOW)
    inside = raw.hole.is_before_line and is_distinctive(raw.hole.after)
    return rest_of_line(raw, line) if inside else None


def _entry_below(raw: RawText, line: Line) -> list[Line]:
    """Return the lines up to this one that are the next lines below, if the first says nothing of its own."""
    written = [other for other in _non_blank(raw.lines) if other.start <= line.start]
    starts = (number for number, other in enumerate(written) if _opens_entry(raw, other))
    return next((written[number:] for number in starts if are_below(raw.hole, written[number:])), [])


def _opens_entry(raw: RawText, line: Line) -> bool:
    """Whether a line says nothing of its own, so that the entry it begins may begin as the one below does."""
    return is_decorator(raw, line) or TAG.fullmatch(line.text) is not None


def _non_blank(lines: list[Line]) -> list[Line]:
    return [line for line in lines if not line.is_blank]


_SHAPES: dict[Shape, Callable[[RawText], Stop | None]] = {
    Shape.INLINE: _inline,
    Shape.LINE_END: _line_end,
    Shape.LINES: _complete_lines,
}
