"""Ends a forward that makes no progress: a runtime that hangs must not leave whoever waits without an answer.

In: forwards, as they begin and end. Out: a forward that hangs is ended, as a cancel would end it, and raises
`StuckSessionError`; where not even that helps, a call. Time is counted in ticks of a thread of its own, not
by a clock: while the process is stopped (by a debugger, or a laptop's lid) none pass. Between forwards that
thread sleeps. It does not know what a forward computes.

On the CPU a slow forward is no hanging one: 256 rows at the end of a long prompt may take a minute on a small
machine. So a tick only counts in which the process computed next to nothing, did not wait for a processor,
and read nothing from the disk (mapped weights may have to be read again). On a GPU the processor says nothing
about that: waiting for it keeps a core busy. There each tick counts, as on the CPU after the time that no
machine should need.
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
"""Ticks without progress after which a forward is ended."""
SLOWEST_TICKS = 60
"""Ticks after which it is ended though it computes; one more for each of its rows."""
DEAF_TICKS = 5
"""Further ticks after which it is taken for one that cannot be ended."""
LITTLE = 0.05
"""Share of a tick: what an event loop needs while somebody types, but no forward that goes on."""


class _Forward:
    """One that runs."""

    def __init__(self, cancel: CancelToken, rows: int, on_cpu: bool) -> None:
        self._cancel, self._rows, self._on_cpu = cancel, rows, on_cpu
        self._ticks = self._without_progress = 0
        self._used = _used()
        self._delay: RunDelay | None = None
        self.ended_after = 0
        """Ticks after which it was ended; 0: it was not."""

    def tick(self) -> bool:
        """Count a tick, and end it when it is time; return whether it cannot be ended."""
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
        """Whether threads waited for a processor for most of the tick: other programs take it."""
        if self._delay is None:  # not before: few forwards take that long
            self._delay = RunDelay()
        return self._delay.since() > TICK_SECONDS / 2


class ForwardWatch:
    """Watches one forward at a time. There is one in a process: see `WATCH`."""

    def __init__(self) -> None:
        self.deaf: Callable[[], object] = lambda: None
        """Called, on a thread of its own, when a forward cannot be ended: the thread that runs it is lost."""
        self._forward: _Forward | None = None
        self._awake, self._starting = Event(), Lock()
        self._thread: Thread | None = None

    @contextmanager
    def watching(self, cancel: CancelToken, rows: int, on_cpu: bool) -> Iterator[None]:
        """Watch the forward in the body, which runs under `cancel`.

        Raises:
            StuckSessionError: it was ended because it made no progress.
        """
        self._forward = forward = _Forward(cancel, rows, on_cpu)
        if not self._awake.is_set() and self._start():
            self._awake.set()
        try:
            yield
        except Cancelled:
            raise
        except Exception as error:
            if not forward.ended_after:
                raise
            seconds = forward.ended_after * TICK_SECONDS
            raise StuckSessionError(f"The model gave no result within {seconds:.0f} seconds.") from error
        finally:
            self._forward = None

    def _start(self) -> bool:
        """Start the thread if need be; where there is no memory for one, forwards run unwatched."""
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
                if self._forward is forward and forward.tick():
                    self.deaf()
                    return
            self._awake.clear()
            # One may have begun between the two lines above, and not have seen that it has to wake us.
            if self._forward is not None:
                self._awake.set()


WATCH = ForwardWatch()
"""The process's only one: forwards run on one thread."""


def _used() -> float:
    """Seconds of the processor's time used so far, and as much again for each page read from the disk."""
    return process_time() + pages_read() * LITTLE * TICK_SECONDS
