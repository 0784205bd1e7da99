"""Pauses completions until a time of the day."""

import asyncio
import time
from collections.abc import Callable

MOST_SECONDS = 20.0
"""Between looks at the clock: timers of the event loop stand still while the machine is asleep."""


class Snooze:
    """Ends at a time. For the event loop's thread."""

    def __init__(self, ended: Callable[[], object], clock: Callable[[], float] = time.time) -> None:
        self._ended, self._clock = ended, clock
        self._until: float | None = None
        self._timer: asyncio.TimerHandle | None = None

    @property
    def sentence(self) -> str:
        """When completions resume, for people; empty if they are not snoozed."""
        if self._until is None:
            return ""
        return time.strftime("Completions are snoozed until %H:%M.", time.localtime(self._until))

    def start(self, seconds: float) -> None:
        """Call `ended` after this time, whatever was planned before."""
        self.cancel()
        self._until = self._clock() + seconds
        self._wait()

    def cancel(self) -> None:
        """Forget the time."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._until = None

    def _wait(self) -> None:
        left = (self._until or 0) - self._clock()
        if left <= 0:
            self.cancel()
            self._ended()
            return
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(min(left, MOST_SECONDS), self._wait)
