"""One thread that runs the model: jobs one after another, in the order they were submitted.

Only this thread touches the session, the KV cache and the prefix cache, so these need no locks. It is a
daemon: the process never waits for it. Nothing a job raises ends the thread or leaves a future unanswered.
"""

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeGuard, TypeVar

from aide_lsp.errors import CrashError, where
from aide_lsp.inference.cancel import CancelToken

log = logging.getLogger("aide.worker")
T = TypeVar("T")
_Job = tuple[Callable[[], Any], CancelToken, "asyncio.Future[Any]"]


class Worker:
    """Runs jobs on its own thread, which starts with the first."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._thread: Thread | None = None

    def submit(self, job: Callable[[], T], cancel: CancelToken) -> "asyncio.Future[T]":
        """Queue a job, from the event loop's thread; return a future of that loop.

        A job cancelled before its turn does not run: its future raises `Cancelled`. Anything that is no
        ordinary error (`SystemExit`, the panic of a library) becomes `CrashError`.
        """
        if self._thread is None:
            thread = Thread(target=self._run, name="aide-worker", daemon=True)
            thread.start()  # may fail for lack of memory: then the next job tries again
            self._thread = thread
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._jobs.put((job, cancel, future))
        return future

    def _run(self) -> None:
        while True:
            _run_one(*self._jobs.get())


def _run_one(job: Callable[[], Any], cancel: CancelToken, future: "asyncio.Future[Any]") -> None:
    """Run one job; a separate function, so that nothing keeps its values alive while the queue is empty."""
    outcome = _outcome(job, cancel)
    with suppress(RuntimeError):  # the loop is closed: the process is ending
        future.get_loop().call_soon_threadsafe(_settle, future, *outcome)
    # An error's traceback leads to this frame, and the future to the error. Left alone, such cycles pile up
    # under a flood of cancels, and then the garbage collection stops all threads for too long.
    del future, outcome


def _outcome(job: Callable[[], Any], cancel: CancelToken) -> tuple[Any, Exception | None]:
    try:
        cancel.check()
        return job(), None
    except BaseException as error:
        if _is_ordinary(error):
            return None, error
        log.error("A job ended with %s.", where(error))
        return None, CrashError.of(error)


def _settle(future: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


def _is_ordinary(error: BaseException) -> TypeGuard[Exception]:
    """Return whether a future can carry it; others end the event loop or leave whoever waits unanswered."""
    return isinstance(error, Exception) and not isinstance(error, (StopIteration, CancelledError))
