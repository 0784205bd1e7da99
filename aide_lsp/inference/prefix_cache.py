"""Knows which tokens the KV cache covers, so that only the rest of a prompt is run.

In: the token ids of a prompt, and of what was run. Out: how many of them need no run, and the forwards
that run the rest. It does not hold keys or values (the session does) and does not know text.
"""

from collections.abc import Iterator, Sequence

from attrs import frozen

CHUNK_ROWS = 256
"""Rows of one forward of a long prompt: what was run stays when the rest is cancelled."""


@frozen
class Chunk:
    """The rows of one forward."""

    ids: list[int]
    "Token ids, placed at positions `past`, `past + 1`, ..."
    past: int
    "How many tokens of the KV cache the rows stand on."
    row: int
    "Index in `ids` of the last token that was asked for; rows behind it are padding."


class PrefixCache:
    """The tokens whose keys and values the session holds, in order of position."""

    def __init__(self) -> None:
        self._ids: list[int] = []

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def ids(self) -> Sequence[int]:
        """The tokens, by position."""
        return tuple(self._ids)

    def reuse(self, prompt_ids: Sequence[int]) -> int:
        """Drop what does not begin `prompt_ids`; return how many of its tokens need not be run.

        The last one is always run, for its logits.
        """
        self.trim(min(common_prefix(self._ids, list(prompt_ids)), len(prompt_ids) - 1))
        return len(self._ids)

    def extend(self, ids: Sequence[int], past: int) -> None:
        """Note that `ids` were run at positions `past`, `past + 1`, ..."""
        assert past <= len(self._ids), "a forward left a gap in the KV cache"
        self._ids[past:] = ids

    def trim(self, length: int) -> None:
        """Forget all but the first `length` tokens."""
        del self._ids[length:]

    def clear(self) -> None:
        """Forget everything."""
        self._ids.clear()


def common_prefix(left: list[int], right: list[int]) -> int:
    """Return the length of the longest common prefix."""
    shorter = min(len(left), len(right))
    if left[:shorter] == right[:shorter]:
        return shorter
    return next(index for index in range(shorter) if left[index] != right[index])


def plan(ids: Sequence[int], past: int, row_minimum: int, chunk_rows: int = CHUNK_ROWS) -> Iterator[Chunk]:
    """Yield the forwards that run `ids[past:]`, each of `row_minimum` rows or more.

    A forward that would be too short begins earlier, with tokens whose keys and values come out the
    same again; at the very beginning of a text there are none, and it is padded at its end instead.
    """
    start = past
    while start < len(ids):
        end = min(start + chunk_rows, len(ids))
        if 0 < len(ids) - end < row_minimum:
            end = len(ids)
        first = max(0, min(start, end - row_minimum))
        rows = list(ids[first:end])
        padding = [rows[-1]] * (row_minimum - len(rows))
        yield Chunk(rows + padding, first, len(rows) - 1)
        start = end
