"""Which tokens the KV cache covers, so that only the rest of a prompt is run.

Plans the forwards that run the rest, in shapes that give the same bits whatever was run before (`RowRule`).
The keys and values themselves are in the session.
"""

from collections.abc import Iterator, Sequence

from attrs import frozen

CHUNK_ROWS = 256
"""Rows of one forward of a long prompt: if the rest is cancelled, what was run stays."""
BLOCK_ROWS = 32
"""Rows of the smallest block if rows are not independent; on average half of it is run again per prompt."""


@frozen
class RowRule:
    """Which forwards give a token the same keys, values and logits whatever was run before."""

    multiple: int = 1
    "A forward has a multiple of this many rows."
    block: int = 0
    """If results depend on the rows that run together: the size of the smallest block of a prompt that is
    kept for later prompts (`block_ends` says which blocks). CHUNK_ROWS is this times a power of two. 0: rows
    are independent, and all are kept."""
    step: int = 0
    """If results depend on how many rows run together, but not on what the other rows hold: the rows of every
    forward after the last block, starting at a multiple of it. Rows not known yet are a draft, or padding.
    `block` is a multiple of it. 0: the rest of a prompt runs at once, then token after token."""

    @property
    def drafts(self) -> bool:
        """Whether a token's result is the same if it runs as a draft."""
        return bool(self.step) or not self.block


@frozen
class Chunk:
    """The rows of one forward."""

    ids: list[int]
    "Token ids, placed at positions `past`, `past + 1`, ..."
    past: int
    "Tokens of the KV cache before the rows."
    row: int
    "Index in `ids` of the last token of the text or its draft; rows after it are padding."
    drafted: int = 0
    "How many tokens up to there are a draft."

    @property
    def kept(self) -> list[int]:
        """The tokens whose keys and values are kept."""
        return self.ids[: self.row + 1]

    @property
    def logit_rows(self) -> list[int]:
        """Indices in `ids` of the tokens whose candidates are needed: the last one and all of a draft."""
        return list(range(self.row - self.drafted, self.row + 1))


class PrefixCache:
    """The tokens whose keys and values the session holds, in order of position."""

    def __init__(self) -> None:
        self._ids: list[int] = []
        self._ends: list[int] = []  # of the forwards that ran them

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def ids(self) -> Sequence[int]:
        """The tokens, by position."""
        return tuple(self._ids)

    def reuse(self, ids: Sequence[int], rule: RowRule, prompt: int | None = None) -> int:
        """Drop what a text does not share; return how many of its tokens need not be run.

        The last one is always run, for its logits. `prompt`: as in `forward_ends`.
        """
        self.trim(min(common_prefix(self._ids, list(ids)), len(ids) - 1))
        if rule.block:
            # A token has the same bits only if the very forward that the plan wants has run it.
            self.trim(_last_shared(self._ends, forward_ends(len(ids), rule, prompt)))
        return len(self._ids)

    def extend(self, ids: Sequence[int], past: int) -> None:
        """Record that one forward ran `ids` at positions `past`, `past + 1`, ..."""
        assert past <= len(self._ids), "a forward left a gap in the KV cache"
        self.trim(past)
        self._ids += ids
        self._ends.append(len(self._ids))

    def trim(self, length: int) -> None:
        """Drop all but the first `length` tokens."""
        del self._ids[length:]
        # What is left of a forward that is cut was run together with rows that are gone.
        while self._ends and self._ends[-1] > length:
            self._ends.pop()

    def clear(self) -> None:
        """Drop everything."""
        self.trim(0)

    def copy(self, length: int) -> "PrefixCache":
        """Return a copy that covers the first `length` tokens, for a copy of the KV cache."""
        copy = PrefixCache()
        copy._ids, copy._ends = list(self._ids), list(self._ends)
        copy.trim(length)
        return copy


def common_prefix(left: list[int], right: list[int]) -> int:
    """Return the length of the longest common prefix."""
    shorter = min(len(left), len(right))
    # Comparing lists is a hundred times faster than a loop over them.
    if left[:shorter] == right[:shorter]:
        return shorter
    return next(index for index in range(shorter) if left[index] != right[index])


def block_ends(length: int, rule: RowRule, chunk_rows: int = CHUNK_ROWS) -> list[int]:
    """Return where the blocks of a prompt end: a function of its length alone.

    A block is the largest of rule.block, its double, ..., `chunk_rows` that fits and begins at a multiple of
    its size. So few forwards run a long prompt, and at most rule.block tokens are after the last block and
    run again for each prompt. The last token is never in a block: it is always run.
    """
    ends, at = [], 0
    while length - 1 - at >= rule.block:
        size = chunk_rows
        while at % size or at + size > length - 1:
            size //= 2
        ends.append(at := at + size)
    return ends


def forward_ends(
    length: int, rule: RowRule, prompt: int | None = None, chunk_rows: int = CHUNK_ROWS
) -> list[int]:
    """Return where all forwards of a text but the last end, if results depend on that.

    Args:
        length: tokens of the text.
        rule: one with blocks.
        prompt: how many of them are the prompt; the others were generated. None: all.
        chunk_rows: rows of the largest block.
    """
    prompt = length if prompt is None else prompt
    ends = block_ends(prompt, rule, chunk_rows)
    if rule.step:
        return [*ends, *range((ends[-1] if ends else 0) + rule.step, length, rule.step)]
    return [*ends, *range(prompt, length)]


def plan(
    ids: Sequence[int],
    past: int,
    rule: RowRule,
    chunk_rows: int = CHUNK_ROWS,
    draft: Sequence[int] = (),
    prompt: int | None = None,
) -> Iterator[Chunk]:
    """Yield the forwards that run `ids[past:]`; the last one also runs a draft of what follows.

    The number of rows is brought to the rule's multiple by starting some tokens earlier, whose keys and
    values come out the same again. If there are none, or they would differ, padding is added at the end.
    `prompt`: as in `forward_ends`.
    """
    start, text, multiple = past, [*ids, *draft], rule.step or rule.multiple
    for end in _ends(len(ids), past, rule, chunk_rows, prompt):
        drafted = len(draft) if end == len(ids) else 0
        end += drafted
        # In blocks, an earlier start would run tokens in another shape.
        first = start if rule.block else max(0, start - (start - end) % multiple)
        rows = text[first:end]
        # Any token would do: padding is not kept, and the next forward overwrites its keys and values.
        padding = [rows[-1]] * (-len(rows) % multiple)
        yield Chunk(rows + padding, first, len(rows) - 1, drafted)
        start = end


def _ends(length: int, past: int, rule: RowRule, chunk_rows: int, prompt: int | None) -> list[int]:
    if rule.block:
        return [*(end for end in forward_ends(length, rule, prompt, chunk_rows) if end > past), length]
    return [*range(past + chunk_rows, length, chunk_rows), length]


def _last_shared(left: list[int], right: list[int]) -> int:
    """Return the last number that both begin with, or 0."""
    shared = common_prefix(left, right)
    return left[shared - 1] if shared else 0
