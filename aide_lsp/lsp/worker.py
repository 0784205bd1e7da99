"""One thread that runs the model: jobs one after another, in the order they were given.

In: a job with its cancel token. Out: a future. Alone it touches session, KV cache and prefix cache, so these
need no locks. It is a daemon: the process never waits for it.
It does not know what a job computes.
"""

from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from aide_lsp.inference.cancel import CancelToken

T = TypeVar("T")
_Job = tuple[Callable[[], Any], CancelToken, "Future[Any]"]


class Worker:
    """Runs jobs on its own thread, which begins with the first."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job] = SimpleQueue()
        self._thread: Thread | None = None

    def submit(self, job: Callable[[], T], cancel: CancelToken) -> "Future[T]":
        """Queue a job. Cancelled before its turn, it does not run: its future ends with `Cancelled`."""
        if self._thread is None:
            self._thread = Thread(target=self._run, name="aide-worker", daemon=True)
            self._thread.start()
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
        future.set_exception(error)
