"""Notices an event loop that no longer responds, so that the process can end: editors restart it.

Time is counted in ticks of a separate thread, not by a clock: while the whole process is stopped (by a
debugger, or a closed laptop) none pass. Only the part of a tick in which the process could run counts: the
machine may have had no processor time for it, or no memory.

Native code that holds the GIL keeps that thread from ticking, too. Then the kernel ends the process, once it
has used far more processor time than any such code needs.
"""

import faulthandler
import os
import signal
import sys
from asyncio import AbstractEventLoop
from collections.abc import Callable
from contextlib import suppress
from tempfile import TemporaryFile
from threading import Thread
from time import sleep

from aide_lsp.stalls import RunDelay, pages_read

TICK_SECONDS = 1.0
DEAF_TICKS = 5
"""The 5 seconds that docs/server.md promises."""
NATIVE_SECONDS = 60.0
"""Processor time between two ticks, for each core. ONNX Runtime holds the GIL while it opens a session."""
PAGE_SECONDS = 0.05
"""What a page read from disk counts as: it may take that long when memory is short."""


def watch_loop(loop: AbstractEventLoop, deaf: Callable[[], None]) -> None:
    """Call `deaf`, on a separate thread, when the loop has not responded for `DEAF_TICKS` ticks."""
    responses = [0]

    def respond() -> None:
        responses[0] += 1

    def watch() -> None:
        called, missed = 0, 0.0
        _say_where_native_code_is()
        delay, pages = RunDelay(), pages_read()
        while missed < DEAF_TICKS:
            if responses[0] == called:
                called, missed = called + 1, 0.0
                with suppress(RuntimeError):  # the loop is closed: the process is ending
                    loop.call_soon_threadsafe(respond)
            _limit_native_code(NATIVE_SECONDS)
            sleep(TICK_SECONDS)
            earlier, pages = pages, pages_read()
            # A delay may be reported late, so that it is longer than the tick.
            missed = max(0.0, missed + 1 - delay.since() - PAGE_SECONDS * (pages - earlier))
        _limit_native_code(0.0)
        deaf()

    Thread(target=watch, name="aide-watchdog", daemon=True).start()


def _limit_native_code(seconds: float) -> None:
    """End the process after these seconds of processor time on each core, unless called again; 0: do not."""
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_PROF, seconds * (os.cpu_count() or 1))


def _say_where_native_code_is() -> None:
    """Have the signal of that timer write the stacks to stderr, and end the process as it would anyway."""
    if sys.platform != "win32":
        with suppress(RuntimeError, OSError, ValueError):  # stderr is closed
            faulthandler.register(signal.SIGPROF, all_threads=True, chain=True)


def stacks() -> str:
    """Return the stacks of all threads for the log: names of functions and files, so no text of the user."""
    # faulthandler writes to a file descriptor, so a StringIO would not do.
    with TemporaryFile("w+") as file:
        faulthandler.dump_traceback(file, all_threads=True)
        file.seek(0)
        return file.read()
