"""The context window: which text around the cursor the model reads.

A pure function of text, cursor and budget, never of what was typed before. It is designed so that the prompt
changes as little as possible while you type, because only what changes has to be prefilled:

- The budget (Num Context) counts tokens of text; the prompt's control tokens come on top.
- The suffix gets a quarter. What one side does not use goes to the other, in steps of an eighth of the
  budget, so that the suffix, which models read first, stays the same while the prefix grows.
- The cursor's line counts as if it were already of some length, so that no edge moves while it is typed.
- Both sides consist of complete lines. The left edge is on the coarsest grid of 32, 16, ... 1 lines that
  still uses at least half of the budget, so the beginning of the prompt stays the same while you type.
- A line is cut only if it is too long for its side on its own.
"""

from collections.abc import Callable

from attrs import frozen

CountTokens = Callable[[str], int]
"""Counts the tokens of a text."""

GRID_LINES = 32
"""Coarsest grid for the left edge, in lines. Finer grids halve it, so they contain all its lines."""
LINE_TOKENS = 32
"""What the cursor's line counts at least, unless that is more than an eighth of the budget: most lines are
shorter when they are complete."""
LINE_CHARACTERS = 10_000
"""A longer line ends the window, unless the cursor is in it; then only this much of it is read."""


@frozen
class Window:
    """What the model reads."""

    prefix: str
    "Text that ends at the cursor."
    suffix: str
    "Text that begins at the cursor."


@frozen
class _Edge:
    """A place where one side of the window may end."""

    offset: int
    "Offset in the text, in code points."
    tokens: int
    "About how many tokens there are between it and the cursor once the cursor's line is complete."


def cut_window(head: str, tail: str, budget: int, count: CountTokens, healed: int = 0) -> Window:
    """Cut the texts before and after the cursor to at most `budget` tokens together.

    `healed`: tokens of the budget that are for text between `head` and the cursor, not in the window.
    """
    above = _edges_above(head, budget, count, healed)
    suffix, tokens = _cut_suffix(tail, budget - _prefix_share(above, budget, healed), count)
    return Window(_cut_prefix(head, above, budget - tokens, count, healed), suffix)


def _prefix_share(above: list[_Edge], budget: int, healed: int) -> int:
    """Tokens reserved for the prefix: three quarters, or less if the whole head needs less."""
    share = max(budget - budget // 4, min(healed, budget))
    if above[-1].offset > 0:
        return share
    step = max(1, budget // 8)
    return min(share, -(-above[-1].tokens // step) * step)


def _edges_above(head: str, budget: int, count: CountTokens, healed: int) -> list[_Edge]:
    """Return the beginnings of lines from the cursor upwards that fit the budget, nearest first.

    At least one, which may cost more than the budget.
    """
    start = head.rfind("\n") + 1
    line = count(head[max(start, len(head) - LINE_CHARACTERS) :]) + healed
    tokens = max(line, min(LINE_TOKENS, budget // 8))
    edges = [_Edge(start, tokens)]
    while start:
        end, start = start, head.rfind("\n", 0, start - 1) + 1
        if end - start > LINE_CHARACTERS:
            break
        # Line by line: engines remember the counts of texts, and most lines were in the last window too.
        tokens += count(head[start:end])
        if tokens > budget:
            break
        edges.append(_Edge(start, tokens))
    return edges


def _cut_prefix(head: str, above: list[_Edge], budget: int, count: CountTokens, healed: int) -> str:
    fitting = [edge for edge in above if edge.tokens <= budget]
    while fitting:
        start = _snap(head, fitting, budget).offset
        prefix = head[start:]
        # The sum over lines is an estimate: encoded together they may take more tokens or fewer.
        if count(prefix) + healed <= budget:
            return prefix
        fitting = [edge for edge in fitting if edge.offset > start]
    line = head[max(above[0].offset, len(head) - LINE_CHARACTERS) :]
    return _shrink(line, max(0, budget - healed), count, _without_beginning)[0]


def _snap(head: str, fitting: list[_Edge], budget: int) -> _Edge:
    """Choose the left edge: the beginning of the text, or the farthest edge on the coarsest usable grid."""
    farthest = fitting[-1]
    if farthest.offset == 0:
        return farthest
    number = head.count("\n", 0, farthest.offset)  # of the farthest line; the numbers of the others follow
    step = GRID_LINES
    while step > 1:
        index = len(fitting) - 1 - (-number % step)
        if index >= 0 and 2 * fitting[index].tokens >= budget:
            return fitting[index]
        step //= 2
    return farthest


def _cut_suffix(tail: str, budget: int, count: CountTokens) -> tuple[str, int]:
    ends = _line_ends(tail, budget, count)
    for end in reversed(ends):
        suffix = tail[:end]
        # Counted again as a whole: the sum over lines is an estimate.
        if (tokens := count(suffix)) <= budget:
            return suffix, tokens
    line = tail[:LINE_CHARACTERS].partition("\n")[0]
    return _shrink(line, budget, count, _without_end)


def _line_ends(tail: str, budget: int, count: CountTokens) -> list[int]:
    """Return the ends of the lines from the cursor downwards that fit the budget."""
    ends: list[int] = []
    start, tokens = 0, 0
    while start < len(tail):
        end = tail.find("\n", start) + 1 or len(tail)
        tokens += count(tail[start:end]) if end - start <= LINE_CHARACTERS else budget + 1
        if tokens > budget:
            break
        ends.append(end)
        start = end
    return ends


def _shrink(
    piece: str, budget: int, count: CountTokens, without: Callable[[str, int], str]
) -> tuple[str, int]:
    """Shorten one line from its far end until it fits."""
    tokens = count(piece)
    while tokens > budget:
        # In proportion, since every round counts the tokens of the line again.
        surplus = max(1, len(piece) - len(piece) * budget // tokens)
        # In steps of 64 characters: the cut stays in place while you type in a long line.
        steps = -(-surplus // 64) * 64
        piece = without(piece, steps if steps < len(piece) else surplus)
        tokens = count(piece)
    return piece, tokens


def _without_beginning(piece: str, count: int) -> str:
    return piece[count:]


def _without_end(piece: str, count: int) -> str:
    return piece[: len(piece) - count]
