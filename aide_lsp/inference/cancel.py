"""A token that one thread sets and another looks at.

In: `cancel()` from any thread. Out: `cancelled`, and a call to whatever is running at that moment.
It does not know what is being cancelled.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock


class Cancelled(Exception):  # noqa: N818 - it is not an error
    """The work was cancelled or superseded; nobody waits for its result. Not an error."""


class CancelToken:
    """Says whether somebody still wants the result. Thread-safe; once cancelled it stays so."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._cancelled = False
        self._stop: Callable[[], None] | None = None

    @property
    def cancelled(self) -> bool:
        """True once `cancel` was called."""
        return self._cancelled

    def cancel(self) -> None:
        """Mark as cancelled and stop what runs under `watch` now."""
        with self._lock:
            self._cancelled = True
            if self._stop is not None:
                self._stop()

    def interrupt(self) -> None:
        """Stop what runs under `watch` now; whoever waits for it still does."""
        with self._lock:
            if self._stop is not None:
                self._stop()

    def check(self) -> None:
        """Raise `Cancelled` if nobody waits any more."""
        if self._cancelled:
            raise Cancelled

    @contextmanager
    def watch(self, stop: Callable[[], None]) -> Iterator[None]:
        """Call `stop` if `cancel` comes while the body runs. One watcher at a time.

        Raises:
            Cancelled: when it was cancelled before the body began.
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
