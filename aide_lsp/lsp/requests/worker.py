"""One thread that runs the model: jobs one after another, in the order they were given.

In: a job with its cancel token. Out: a future. Alone it touches session, KV cache and prefix cache, so these
need no locks. It is a daemon: the process never waits for it. Nothing that a job raises ends the thread or
leaves a future without an answer.
"""

import logging
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from aide_lsp.errors import CrashError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.lsp.rpc.protocol import where

log = logging.getLogger("aide.worker")
T = TypeVar("T")
_Job = tuple[Callable[[], Any], CancelToken, "Future[Any]"]


class Worker:
    """Runs jobs on its own thread, which begins with the first."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._thread: Thread | None = None

    def submit(self, job: Callable[[], T], cancel: CancelToken) -> "Future[T]":
        """Queue a job. Cancelled before its turn, it does not run: its future ends with `Cancelled`.

        What is no ordinary error (`SystemExit` or the panic of a library, say) ends it with `CrashError`.
        """
        if self._thread is None:
            thread = Thread(target=self._run, name="aide-worker", daemon=True)
            thread.start()  # may fail for want of memory: then the next job tries again
            self._thread = thread
        future: Future[T] = Future()
        self._jobs.put((job, cancel, future))
        return future

    def _run(self) -> None:
        while True:
            _run_one(*self._jobs.get())


def _run_one(job: Callable[[], Any], cancel: CancelToken, future: "Future[Any]") -> None:
    """Run one job; a function of its own, so that nothing keeps its values alive while the queue is empty."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        cancel.check()
        future.set_result(job())
    except BaseException as error:
        if not _is_ordinary(error):
            log.error("A job ended with %s.", where(error))
            error = CrashError.of(error)
        future.set_exception(error)


def _is_ordinary(error: BaseException) -> bool:
    """Whether an event loop can hand it on; others end the loop, or leave whoever waits without an answer."""
    return isinstance(error, Exception) and not isinstance(error, (StopIteration, CancelledError))
