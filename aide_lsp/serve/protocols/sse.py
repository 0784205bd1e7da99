"""Server-sent events: generations of other clients' requests, one after the other, as a stream."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

SSE = "text/event-stream"
Line = tuple[int, dict[str, Any]]
"""The number of a generation, and one of its lines."""


def event(data: Any) -> bytes:
    """Return an event with JSON."""
    return b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"


class RunningLines(Protocol):
    """A generation that runs, line by line (`engines/shared/stream.py`)."""

    async def next(self) -> dict[str, Any]:
        """Return the next line; the one with `end` is last."""

    def close(self) -> None:
        """End it."""


class Generations:
    """Generations of one request, one after the other. Close them in any case."""

    def __init__(self, starts: list[Callable[[], RunningLines]]) -> None:
        """Take what begins each."""
        self._starts = starts
        self._running: RunningLines | None = None
        self._is_closed = False

    async def lines(self) -> AsyncIterator[Line]:
        """Yield the lines of each, with its number; the one with `end` is its last.

        Raises:
            Exception: what the engine raised.
        """
        for number, start in enumerate(self._starts):
            if self._is_closed:
                return
            self._running = start()
            line: dict[str, Any] = {}
            while "end" not in line:
                line = await self._running.next()
                yield number, line

    def close(self) -> None:
        """End them."""
        self._is_closed = True
        if self._running is not None:
            self._running.close()
