"""Ends a forward that makes no progress, so that no one waits forever for a runtime that hangs.

Such a forward is interrupted, as a cancel would do it, and raises `StuckSessionError`; if that does not help
either, `ForwardWatch.deaf` is called. A thread counts ticks instead of reading a clock: while the process is
stopped (by a debugger, or a closed laptop) none pass. Between forwards that thread sleeps.

On the CPU a slow forward is not a hanging one: 256 rows at the end of a long prompt may take a minute on a
small machine. So a tick counts only if during it the process computed next to nothing, did not wait for a
processor, and read nothing from the disk (mapped weights may have to be read again). On a GPU processor time
says nothing, since waiting for the GPU keeps a core busy; there every tick counts. So does every tick on the
CPU after a time that no machine should need.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Lock, Thread
from time import process_time, sleep

from aide_lsp.errors import StuckSessionError
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.stalls import RunDelay, pages_read

TICK_SECONDS = 1.0
HANGING_TICKS = 10
"""Ticks without progress after which a forward is interrupted."""
SLOWEST_TICKS = 60
"""Ticks after which it is interrupted even if it computes; one more for each of its rows."""
DEAF_TICKS = 5
"""Further ticks after which it is considered impossible to interrupt."""
LITTLE = 0.05
"""Share of a tick that an event loop needs while someone types; a forward that makes progress needs more."""


class _Forward:
    """A forward that is running."""

    def __init__(self, cancel: CancelToken, rows: int, on_cpu: bool) -> None:
        self._cancel, self._rows, self._on_cpu = cancel, rows, on_cpu
        self._ticks = self._without_progress = 0
        self._used = _used()
        self._delay: RunDelay | None = None
        self.ended_after = 0
        """Ticks after which it was interrupted; 0: it was not."""

    def tick(self) -> bool:
        """Count a tick, and interrupt it when it is due; return whether it ignores the interrupt."""
        used, self._ticks = _used(), self._ticks + 1
        idle = (used - self._used < LITTLE * TICK_SECONDS and not self._waits()) or not self._on_cpu
        self._used, self._without_progress = used, self._without_progress + idle
        if self.ended_after:
            return self._ticks >= self.ended_after + DEAF_TICKS
        if self._without_progress >= HANGING_TICKS or self._ticks >= SLOWEST_TICKS + self._rows:
            self.ended_after = self._ticks
            self._cancel.interrupt()
        return False

    def _waits(self) -> bool:
        """Whether threads waited for a processor for most of the tick, because other programs use it."""
        if self._delay is None:  # created late: few forwards take that long
            self._delay = RunDelay()
        return self._delay.since() > TICK_SECONDS / 2


class ForwardWatch:
    """Watches one forward at a time. A process has only one: `WATCH`."""

    def __init__(self) -> None:
        self.deaf: Callable[[], object] = lambda: None
        """Called, on the watching thread, when a forward cannot be interrupted: its thread is lost."""
        self._forward: _Forward | None = None
        self._awake, self._starting = Event(), Lock()
        self._thread: Thread | None = None

    @contextmanager
    def watching(self, cancel: CancelToken, rows: int, on_cpu: bool) -> Iterator[None]:
        """Watch the forward in the body, which runs under `cancel`.

        Raises:
            StuckSessionError: it was interrupted because it made no progress.
        """
        self._forward = forward = _Forward(cancel, rows, on_cpu)
        if not self._awake.is_set() and self._start():
            self._awake.set()
        try:
            yield
        except Cancelled:
            raise
        except Exception as error:
            # An interrupt does not mark the token as canceled, so it arrives as an error of the runtime.
            if not forward.ended_after:
                raise
            seconds = forward.ended_after * TICK_SECONDS
            raise StuckSessionError(f"The model gave no result within {seconds:.0f} seconds.") from error
        finally:
            self._forward = None

    def _start(self) -> bool:
        """Start the thread if necessary; if there is no memory for one, forwards run unwatched."""
        with self._starting:
            if self._thread is None:
                thread = Thread(target=self._run, name="aide-forward-watch", daemon=True)
                try:
                    thread.start()
                except RuntimeError:
                    return False
                self._thread = thread
        return True

    def _run(self) -> None:
        while True:
            self._awake.wait()
            while (forward := self._forward) is not None:
                sleep(TICK_SECONDS)
                # A tick counts only for a forward that ran through all of it.
                if self._forward is forward and forward.tick():
                    self.deaf()
                    return
            self._awake.clear()
            # A forward may have begun between the two lines above, without seeing that it must wake us.
            if self._forward is not None:
                self._awake.set()


WATCH = ForwardWatch()
"""The only one of the process: all forwards run on one thread."""


def _used() -> float:
    """Return the processor time used so far in seconds, plus a little for each page read from the disk."""
    return process_time() + pages_read() * LITTLE * TICK_SECONDS
