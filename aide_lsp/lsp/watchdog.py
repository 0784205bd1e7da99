"""Notices an event loop that answers nothing any more, and ends the process: editors restart it.

In: the loop; what to do. Out: a call. Time is counted in ticks of its own
thread, not by a clock: while the whole process is stopped (by a debugger, or a laptop's lid) none pass.
It does not know what the loop runs.
"""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from contextlib import suppress
from threading import Thread
from time import sleep

TICK_SECONDS = 1.0
DEAF_TICKS = 5


def watch_loop(loop: AbstractEventLoop, deaf: Callable[[], None]) -> None:
    """Call `deaf`, on a thread of its own, when the loop has answered nothing for `DEAF_TICKS` ticks."""
    answers = [0]

    def answer() -> None:
        answers[0] += 1

    def watch() -> None:
        asked = missed = 0
        while missed < DEAF_TICKS:
            if answers[0] == asked:
                asked, missed = asked + 1, 0
                with suppress(RuntimeError):  # the loop is closed: the process ends
                    loop.call_soon_threadsafe(answer)
            sleep(TICK_SECONDS)
            missed += 1
        deaf()

    Thread(target=watch, name="aide-watchdog", daemon=True).start()
