"""Numbers the CUDA graphs of forwards. One by one, kernels would take longer to launch than to run.

The runtime captures a graph at the first run of a number and replays it from then on. A forward's graph
depends on its KV buffers and on the positions that its kernels plan for; everything else about it is always
the same (`IoBinding`).
"""

from collections.abc import Mapping
from typing import Any

NOT_CAPTURED = -1
"""For the runtime: launch the kernels one by one."""
MOST_GRAPHS = 64
"""The runtime keeps graphs as long as the session. Spare buffers are reused (`kv_cache.py`)."""


class CudaGraphs:
    """The numbers of one session's graphs."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[int, ...], int] = {}
        self._kv: Mapping[str, Any] = {}
        self._places: tuple[int, ...] = ()

    def release(self) -> None:
        """Let go of KV buffers; should others come at the same places, their graphs are the same."""
        self._kv = {}

    def number(self, kv: Mapping[str, Any], total: int) -> int:
        """Return the number of the graph for the KV buffers `kv`, planned for `total` positions."""
        # Identity is enough: buffers are replaced as a new mapping when they grow.
        if kv is not self._kv:
            self._kv = kv
            self._places = tuple(
                number for value in kv.values() for number in (value.data_ptr(), *value.shape())
            )
        key = (total, *self._places)
        if key not in self._numbers:
            if len(self._numbers) >= MOST_GRAPHS:
                return NOT_CAPTURED
            # From 1 on: 0 is the runtime's number for runs that name none.
            self._numbers[key] = len(self._numbers) + 1
        return self._numbers[key]
