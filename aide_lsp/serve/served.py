"""The engine that is served, while it loads and after, and what each request does with it."""

import asyncio
import logging
import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from threading import Lock
from time import monotonic
from typing import Any, TypeVar

from starlette.requests import ClientDisconnect, Request

from aide_lsp.completion.model import Model
from aide_lsp.completion.observer import UNOBSERVED, CompletionObserver
from aide_lsp.completion.prompt import Prompt
from aide_lsp.engines.engine import Engine
from aide_lsp.engines.shared.wire import WireError, from_error
from aide_lsp.errors import BusyError, CrashError, where
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.serve.answers import RefusedError
from aide_lsp.serve.bodies import Bodies
from aide_lsp.serve.generation import RunningGeneration, or_gone
from aide_lsp.serve.metrics import Metrics

T = TypeVar("T")
E = TypeVar("E", bound=BaseException)
LOGGER = "aide.serve"
SESSION_HEADER = "x-session-id"
MOST_AT_ONCE = 64
"""Requests that run or wait in the engine, where each has a thread; as many others may wait to be counted."""
AT_ONCE_TOKENS = 4
"""Threads that count tokens, which never wait for the model."""
_SESSION = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Served:
    """An engine for the requests of all clients.

    For the event loop's thread.
    """

    def __init__(self, engine: Engine | None = None, metrics: Metrics | None = None) -> None:
        self.metrics = metrics or Metrics()
        self.bodies = Bodies()
        self.is_failed = False
        self.connections: Callable[[], int] = lambda: 0
        """Returns the number of open connections."""
        self.clients: Callable[[], int] = lambda: 0
        """Returns the number of clients that are connected."""
        self._began = monotonic()
        self._engine = engine
        self._settled = asyncio.Event()
        self._work = _Threads(MOST_AT_ONCE, "aide-request")
        self._count = _Threads(AT_ONCE_TOKENS, "aide-tokens")

    def ready(self, engine: Engine) -> None:
        """Note that the engine is loaded."""
        self._engine = engine
        self._settled.set()

    def failed(self) -> None:
        """Note that it cannot be loaded."""
        self.is_failed = True
        self._settled.set()

    @property
    def age(self) -> float:
        """Seconds since it began."""
        return monotonic() - self._began

    @property
    def at_once(self) -> int:
        """Requests that run or wait in the engine."""
        return self._work.at_once

    @property
    def is_ready(self) -> bool:
        """Whether the engine is loaded."""
        return self._engine is not None

    @property
    def engine(self) -> Engine:
        """The loaded engine.

        Raises:
            RefusedError: it is not loaded.
        """
        if self._engine is None:
            code, text = ("failed", "cannot be loaded") if self.is_failed else ("loading", "is being loaded")
            raise RefusedError(503, code, f"The model {text}.", {"Retry-After": "1"})
        return self._engine

    async def wait_for_engine(self, seconds: float) -> None:
        """Wait until the engine is loaded or cannot be, at most this many seconds."""
        if not (self.is_ready or self.is_failed):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._settled.wait(), seconds)

    def session(self, request: Request) -> Model:
        """Return the client session that a request names.

        Raises:
            RefusedError: the name is none.
        """
        name = request.headers.get(SESSION_HEADER, "default")
        if not _SESSION.fullmatch(name):
            raise RefusedError(
                400, "session", "X-Session-Id: expected 1 to 64 letters, digits, dots, hyphens, underscores."
            )
        # Any: its generations have properties where the protocol has attributes.
        session: Any = self.engine.session(name)
        model: Model = session
        return model

    async def call(self, request: Request, kind: str, work: Callable[[CancelToken], T]) -> T:
        """Run something that may take the model's time in a thread; cancel it when the client has gone.

        Raises:
            BusyError: too much is running.
            ClientDisconnect: nobody waits for the result.
        """
        cancel, end = CancelToken(), "ok"
        try:
            return await or_gone(request, asyncio.wrap_future(self._work.start(lambda: work(cancel))))
        except BaseException as error:
            end = end_of(error)
            raise
        finally:
            cancel.cancel()
            self.metrics.ended(kind, end)

    async def count(self, work: Callable[[], T]) -> T:
        """Run something short that needs no turn.

        Raises:
            BusyError: too much is waiting.
        """
        return await asyncio.wrap_future(self._count.start(work))

    def generate(
        self,
        model: Model,
        prompt: Prompt,
        options: GenerationOptions,
        *,
        kind: str,
        observing: Callable[[Callable[[dict[str, Any]], object]], CompletionObserver] | None = None,
    ) -> "RunningGeneration":
        """Begin a generation.

        Args:
            model: a client session.
            prompt: what the model reads.
            options: how it generates.
            kind: what it is counted as.
            observing: makes an observer, of what takes its lines.

        Raises:
            BusyError: too much is running.
        """
        running = RunningGeneration(asyncio.get_running_loop())
        observer = UNOBSERVED if observing is None else observing(running.put)

        def run() -> None:
            end, timings = "", None
            try:
                found = running.run(model, prompt, options, observer)
                end, timings = found.finish_reason or "stop", found.timings
            except Exception as error:
                end = end_of(error)
                running.put(error)
            except BaseException as error:
                # The panic of a library: its reader would wait forever.
                end = end_of(logged(error))
                running.put(CrashError.of(error))
            finally:
                self.metrics.ended(kind, end, timings, running.first_seconds)

        self._work.start(run)
        return running


class _Threads:
    """Some threads, for a bounded number of requests: what waits takes memory, too. Thread-safe."""

    def __init__(self, threads: int, name: str) -> None:
        self._pool, self._lock = ThreadPoolExecutor(threads, name), Lock()
        self.at_once = 0
        """Requests that run or wait."""

    def start(self, work: Callable[[], T]) -> "Future[T]":
        """Run something in a thread.

        Raises:
            BusyError: too much is running.
        """
        with self._lock:
            if self.at_once >= MOST_AT_ONCE:
                raise BusyError("Too many requests are waiting.")
            self.at_once += 1
        future = self._pool.submit(work)
        # When the thread is free, which may be long after its client has gone.
        future.add_done_callback(lambda _: self._ended())
        return future

    def _ended(self) -> None:
        with self._lock:
            self.at_once -= 1


def end_of(error: BaseException) -> str:
    """Return a word for how a request ended."""
    if isinstance(error, ClientDisconnect | asyncio.CancelledError):
        return "cancelled"
    if isinstance(error, RefusedError):
        return error.code
    if isinstance(error, WireError):
        return "invalid"
    code: str = from_error(error)["code"] if isinstance(error, Exception) else "internal"
    return code


def logged(error: E) -> E:
    """Log an error that nobody has thought of, without its message, which may have the user's text."""
    if end_of(error) == "internal":
        logging.getLogger(LOGGER).error("A request failed: %s", where(error))
    return error
