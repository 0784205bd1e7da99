"""Stop rules: where a completion ends. Models asked to fill a hole seldom stop by themselves.

In: the hole and the text generated so far. Out: where to cut it, once that is certain. Each decision is
a function of the text up to the character that decides it, so it is the same however the text came in
pieces. Rules of one hole are tried in this order:

- everywhere: a code fence, a line repeated again and again;
- a closing bracket that stands behind the cursor already ends the completion;
- in a line: its end;
- at a line's end: the end of the line, or of the block that it opens;
- whole lines: the line below the hole comes out again; else the end of the block.

It does not know tokens or the model.
"""

from collections import Counter

from attrs import frozen

from aide_lsp.completion.hole import CLOSERS, Hole, Shape, indentation
from aide_lsp.completion.syntax import scan

OPENING_ENDS = (":", "{", "(", "[", "=>", "->", " do", " then", "\\", "begin")
"""What a line ends with that goes on below."""
LOOKAHEAD = 10
"""Lines that are generated to find the text right of the cursor again, where it is telling."""
REPEATS = 3
"""How often in a row a line may come."""


BLOCK_ENDS = ("end", "fi", "done", "esac")
"""Words that close a block, as closing brackets do."""

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
    "Name of the rule; see the rules below."


@frozen
class Line:
    """One generated line; the first one goes on from what stands left of the cursor."""

    start: int
    "Offset of its first generated character."
    text: str
    "The line as it will stand in the document, without its line end."
    end: int
    "Offset behind its last character, before its line end."
    complete: bool
    "Whether its line end was generated."

    @property
    def seen(self) -> int:
        """Characters that had to be generated to know the whole line."""
        return self.end + 1

    @property
    def entered(self) -> int:
        """Characters that had to be generated to know its indentation."""
        return self.end - len(self.text.lstrip()) + 1


def find_stop(hole: Hole, text: str, *, ended: bool = False) -> Stop | None:
    """Say where `text` ends; None: nothing decides it yet.

    `ended` says that no more text follows, so that the last line is whole.
    """
    lines = _lines(hole, text, ended)
    stops = [
        _at_fence(hole, lines),
        _at_repetition(lines),
        _at_closer(hole, text),
        _RULES[hole.shape](hole, lines, ended),
    ]
    return min((stop for stop in stops if stop), key=lambda stop: (stop.decided, stop.end), default=None)


def _lines(hole: Hole, text: str, ended: bool) -> list[Line]:
    lines: list[Line] = []
    start = 0
    for number, line in enumerate(text.split("\n")):
        end = start + len(line)
        shown = hole.before + line if number == 0 else line
        lines.append(Line(start, shown, end, ended or end < len(text)))
        start = end + 1
    return lines


def _at_fence(hole: Hole, lines: list[Line]) -> Stop | None:
    """Chat models close their answer with a fence, and explain it."""
    for line in lines[1:]:
        if line.text.lstrip().startswith("```") and not hole.language.prose:
            return Stop(line.start, line.entered + 2, "fence")
    return None


def _at_repetition(lines: list[Line]) -> Stop | None:
    written = [line for line in lines if line.text.strip() and line.complete]
    for first, *others in zip(*(written[n:] for n in range(REPEATS)), strict=False):
        if all(line.text == first.text for line in others):
            return Stop(others[0].start, others[-1].seen, "repetition")
    return None


def _at_closer(hole: Hole, text: str) -> Stop | None:
    """Stop before a bracket that stands behind the cursor already."""
    if hole.language.prose:
        return None
    used: Counter[str] = Counter()
    quote = hole.open.quote
    for offset, bracket in scan(quote + text, hole.language).unmatched:
        used[bracket] += 1
        allowed = hole.closings(bracket)
        if allowed is not None and used[bracket] > allowed:
            end = offset - len(quote)
            return Stop(end, end + 1, "closed-behind")
    return None


def _inline(hole: Hole, lines: list[Line], ended: bool) -> Stop | None:
    """Up to what stands right of the cursor if it comes out again, else to the end of the line."""
    first = lines[0]
    if not first.complete:
        return None
    if not _is_telling(hole.after):
        return Stop(first.end, first.seen, "line")
    for line in lines[:LOOKAHEAD]:
        if line.complete and (end := _joint(hole, line)) is not None:
            return Stop(end, line.seen, "joint")
        if line is not first and line.text.strip() and indentation(line.text) < hole.base:
            return Stop(first.end, line.entered, "line")
    if ended or len(lines) > LOOKAHEAD:
        return Stop(first.end, lines[:LOOKAHEAD][-1].seen, "line")
    return None


def _line_end(hole: Hole, lines: list[Line], ended: bool) -> Stop | None:
    first = lines[0]
    if not first.complete:
        return None
    if first.end == 0 and not _opens(first.text, hole):
        return _whole_lines(hole, lines[1:], ended)
    if _opens(first.text, hole) and indentation(hole.below) <= hole.base:
        return _block(hole, lines[1:])
    return Stop(first.end, first.seen, "line")


def _block(hole: Hole, lines: list[Line]) -> Stop | None:
    """The lines that are indented deeper than the one that opens the block, and what closes it."""
    for line in _written(lines):
        if line.complete and _is_below(hole, line):
            return Stop(line.start, line.seen, "line-below")
        if indentation(line.text) > hole.base:
            continue
        if not _closes(line.text):
            return Stop(line.start, line.entered, "block")
        if line.complete and not _opens(line.text, hole):
            return Stop(line.end, line.seen, "block")
    return None


def _whole_lines(hole: Hole, lines: list[Line], ended: bool) -> Stop | None:
    """Up to the line below if it comes out again, else to the end of the block."""
    written = _written(lines)
    if not written:
        return None
    floor = _floor(hole, written[0])
    for line in written:
        if line.complete and (end := _reunion(hole, line)) is not None:
            return Stop(end, line.seen, "line-below")
        if indentation(line.text) > floor:
            continue
        if not _closes(line.text):
            inner = written[: written.index(line)]
            block = Stop(line.start, line.entered, "block")
            return _behind_header(hole, inner, line.entered) or block
        if line.complete:
            return Stop(line.end, line.seen, "block")
    return _behind_header(hole, written, written[-1].seen) if ended else None


def _floor(hole: Hole, first: Line) -> int:
    """The deepest indentation that ends the block.

    Where the cursor is indented, that says which block is meant. At the very beginning of a line it may
    be any block that the line below leaves open.
    """
    block = indentation(first.text) - 1
    return min(block, indentation(hole.below)) if not hole.before else block


def _behind_header(hole: Hole, written: list[Line], decided: int) -> Stop | None:
    """Stop behind the first line that opens a block for the line below, which stands deeper."""
    for line in written:
        if _opens(line.text, hole) and indentation(line.text) < indentation(hole.below):
            return Stop(line.end, decided, "header")
    return None


def _written(lines: list[Line]) -> list[Line]:
    return [line for line in lines if line.text.strip()]


def _is_below(hole: Hole, line: Line) -> bool:
    return line.text.rstrip() == hole.below.rstrip()


def _reunion(hole: Hole, line: Line) -> int | None:
    """Find where the text below the hole begins in a line that repeats it."""
    if _is_below(hole, line):
        return line.start
    return _joint(hole, line) if hole.is_before_line and _is_telling(hole.after) else None


def _is_telling(after: str) -> bool:
    """Whether the text right of the cursor is more than brackets: worth waiting for it to come out again."""
    return len(after.strip()) >= 3 and any(character.isalnum() for character in after)


def _joint(hole: Hole, line: Line) -> int | None:
    """Find where the text right of the cursor begins in a line that ends with it."""
    after, shown = hole.after.rstrip(), line.text.rstrip()
    if not shown.endswith(after):
        return None
    return max(line.start, line.end - (len(line.text) - len(shown)) - len(after))


def _opens(line: str, hole: Hole) -> bool:
    """Whether a line goes on in a block or an open bracket."""
    return line.rstrip().endswith(OPENING_ENDS) or bool(scan(line, hole.language).stack)


def _closes(line: str) -> bool:
    return line.lstrip().startswith((*CLOSERS, *BLOCK_ENDS))


_RULES = {Shape.INLINE: _inline, Shape.LINE_END: _line_end, Shape.LINES: _whole_lines}
