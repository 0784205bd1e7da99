"""Notices an event loop that answers nothing any more, and ends the process: editors restart it.

In: the loop; what to do. Out: a call. Time is counted in ticks of its own
thread, not by a clock: while the whole process is stopped (by a debugger, or a laptop's lid) none pass. Of a
tick only that part counts in which the process could run: a machine may have no time for it, or no memory.
It does not know what the loop runs.
"""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from time import sleep

from aide_lsp.stalls import RunDelay, pages_read

TICK_SECONDS = 1.0
DEAF_TICKS = 5
PAGE_SECONDS = 0.05
"""What a page that is read from the disk counts as: it may take that long where memory is short."""


def watch_loop(loop: AbstractEventLoop, deaf: Callable[[], None]) -> None:
    """Call `deaf`, on a thread of its own, when the loop has answered nothing for `DEAF_TICKS` ticks."""
    answers = [0]

    def answer() -> None:
        answers[0] += 1

    def watch() -> None:
        asked, missed = 0, 0.0
        delay, pages = RunDelay(), pages_read()
        while missed < DEAF_TICKS:
            if answers[0] == asked:
                asked, missed = asked + 1, 0.0
                with suppress(RuntimeError):  # the loop is closed: the process ends
                    loop.call_soon_threadsafe(answer)
            sleep(TICK_SECONDS)
            before, pages = pages, pages_read()
            # A delay may be told late, so that it is longer than the tick.
            missed = max(0.0, missed + 1 - delay.since() - PAGE_SECONDS * (pages - before))
        deaf()

    Thread(target=watch, name="aide-watchdog", daemon=True).start()
