"""Which CUDA graph holds a forward: launching its hundreds of kernels one by one takes longer than they do.

In: the KV buffers of a forward, the positions that kernels plan for. Out: the number of its graph, for the
runtime, which captures a graph at the first run of a number and replays it from then on. All else about such
a forward is always the same (`IoBinding`). It does not run anything.
"""

from collections.abc import Mapping
from typing import Any

NOT_CAPTURED = -1
"""For the runtime: launch the kernels one by one."""
MOST_GRAPHS = 64
"""The runtime keeps graphs as long as a session. Buffers that are spare serve again (`kv_cache.py`)."""


class CudaGraphs:
    """The numbers of one session's graphs."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, ...], int] = {}
        self._kv: Mapping[str, Any] = {}
        self._places: tuple[int, ...] = ()

    def number(self, kv: Mapping[str, Any], total: int) -> int:
        """Return the number of the graph for `kv`, planned for `total` positions."""
        if kv is not self._kv:
            self._kv = kv
            self._places = tuple(
                number for value in kv.values() for number in (value.data_ptr(), *value.shape())
            )
        key = (total, *self._places)
        if key not in self._numbers:
            if len(self._numbers) >= MOST_GRAPHS:
                return NOT_CAPTURED
            self._numbers[key] = len(self._numbers) + 1
        return self._numbers[key]
