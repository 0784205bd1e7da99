"""A token that one thread sets and another checks, to cancel work."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock


class Cancelled(Exception):  # noqa: N818 - it is not an error
    """The work was canceled or superseded: no one waits for its result. Not an error."""


class CancelToken:
    """Says whether the result is still wanted. Thread-safe; once canceled, it stays canceled."""

    def __init__(self) -> None:
        # Held while `stop` is called, so that the body of `watch` does not end meanwhile.
        self._lock = Lock()
        self._cancelled = False
        self._stop: Callable[[], None] | None = None

    @property
    def cancelled(self) -> bool:
        """Whether `cancel` was called."""
        return self._cancelled

    def cancel(self) -> None:
        """Mark as canceled, and stop what currently runs under `watch`."""
        with self._lock:
            self._cancelled = True
            if self._stop is not None:
                self._stop()

    def interrupt(self) -> None:
        """Stop what currently runs under `watch`, without marking as canceled."""
        with self._lock:
            if self._stop is not None:
                self._stop()

    def check(self) -> None:
        """Raise `Cancelled` if it was canceled."""
        if self._cancelled:
            raise Cancelled

    @contextmanager
    def watch(self, stop: Callable[[], None]) -> Iterator[None]:
        """Call `stop` if `cancel` is called while the body runs. One watcher at a time.

        Raises:
            Cancelled: it was canceled before the body began.
        """
        with self._lock:
            if self._cancelled:
                raise Cancelled
            self._stop = stop
        try:
            yield
        finally:
            with self._lock:
                self._stop = None
