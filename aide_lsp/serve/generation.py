"""One generation in a thread of its own, and the answer that streams it."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import Any, Protocol, TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from aide_lsp.completion.model import Model, TextGeneration
from aide_lsp.completion.observer import CompletionObserver
from aide_lsp.completion.prompt import Prompt
from aide_lsp.engines.shared.stream import end_line, text_line
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.serve.protocols.sse import SSE, Generations, Line

T = TypeVar("T")
NOT_STORED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""For proxies: pass each piece on at once."""
MOST_PENDING = 4_000_000
"""Bytes of a generation that its reader has not taken. A reader that is slower is not waited for."""


class RunningGeneration:
    """A generation in a thread. Iterate it on the event loop; close it in any case.

    Its items are lines of the stream (`engines/shared/stream.py`); the one with `end` is last. The thread
    never waits for its reader: for one that is too slow, it ends.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop, self._queue = loop, asyncio.Queue[tuple[dict[str, Any] | Exception, int]]()
        self._lock, self._pending = Lock(), 0
        self._cancel = CancelToken()
        self._began = monotonic()
        self.first_seconds = 0.0
        """Seconds until the first piece of text, with those of waiting for a turn; 0: there was none."""

    def run(
        self, model: Model, prompt: Prompt, options: GenerationOptions, observer: CompletionObserver
    ) -> TextGeneration:
        """Generate, and return what has ended; for the generation's own thread."""
        generation = model.generate(prompt, options, self._cancel, observer)
        try:
            for piece in generation:
                self.first_seconds = self.first_seconds or monotonic() - self._began
                self.put(text_line(piece, generation))
        finally:
            generation.close()
        self.put(end_line(generation))
        return generation

    def put(self, item: dict[str, Any] | Exception) -> None:
        """Hand a line or an error to the reader; for the generation's own thread."""
        size = 0 if isinstance(item, Exception) else _size(item)
        with self._lock:
            self._pending += size
            is_too_slow = self._pending > MOST_PENDING
        if is_too_slow:
            self._cancel.cancel()
        # The loop is closed when the server has ended.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._queue.put_nowait, (item, size))

    async def next(self) -> dict[str, Any]:
        """Return the next line.

        Raises:
            Exception: what the engine raised.
        """
        item, size = await self._queue.get()
        with self._lock:
            self._pending -= size
        if isinstance(item, Exception):
            raise item
        return item

    def close(self) -> None:
        """End it."""
        self._cancel.cancel()


def _size(line: dict[str, Any]) -> int:
    """Return about how many bytes a line has; those of steps have many."""
    return len(json.dumps(line)) if "step" in line or "rendered" in line else len(line.get("text", "")) + 300


class Closable(Protocol):
    """What can be ended."""

    def close(self) -> None:
        """End it."""


class GenerationResponse(StreamingResponse):
    """Streams a generation, and ends it when the client has gone, or does not read."""

    def __init__(self, lines: AsyncIterator[bytes], running: Closable, media_type: str) -> None:
        super().__init__(lines, media_type=media_type, headers=NOT_STORED)
        self._running = running

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream it."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._running.close()


async def answered(
    request: Request,
    generations: Generations,
    answer: Callable[[AsyncIterator[Line]], Awaitable[Response]],
    events: Callable[[Line | None, AsyncIterator[Line]], AsyncIterator[bytes]],
    *,
    streams: bool,
) -> Response:
    """Answer another client's request with its generations: when they have ended, or as events.

    Raises:
        ClientDisconnect: the client has closed the connection.
        Exception: what the engine raised, before anything was sent.
    """
    try:
        lines = generations.lines()
        if not streams:
            return await or_gone(request, answer(lines))
        # The status depends on how it begins.
        first = await or_gone(request, anext(lines, None))
    except BaseException:
        generations.close()
        raise
    return GenerationResponse(events(first, lines), generations, SSE)


async def or_gone(request: Request, result: Awaitable[T]) -> T:
    """Wait for a result; stop when the client has closed the connection.

    Raises:
        ClientDisconnect: it has.
    """
    listening, future = asyncio.ensure_future(_gone(request)), asyncio.ensure_future(result)
    both: set[asyncio.Future[Any]] = {listening, future}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not future.done():
            raise ClientDisconnect
        return future.result()
    finally:
        listening.cancel()
        future.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
