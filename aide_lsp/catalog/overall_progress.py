"""Makes one progress of those of a download, a conversion and loading.

It never goes back, and says what is left.
"""

import math
import time
from collections.abc import Callable

from aide_lsp.catalog.download import DOWNLOADING
from aide_lsp.catalog.store import CONVERTING
from aide_lsp.disk import megabytes
from aide_lsp.progress import Progress

DOWNLOADED, CONVERTED = 0.75, 0.95
"""How much of the work is done at the end of a stage. A download takes minutes, a conversion half of one."""
SMOOTH_SECONDS = 15.0
"""Changes of the speed that are shorter are not shown."""
SURE_SECONDS = 3.0
"""Before that, nothing is said about the time that is left."""


class OverallProgress:
    """A `Progress` that reports to another one. Stages are recognized by how their sentences begin."""

    def __init__(
        self, progress: Progress, name: str, size: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start.

        Args:
            progress: gets the share of all stages, and a sentence with what is left.
            name: of the model.
            size: bytes of the file that is downloaded; 0 if there is none.
            clock: gives seconds.
        """
        self._progress, self._name, self._size = progress, name, size
        self._left = _TimeLeft(size, clock)
        self._share: float | None = None

    def __call__(self, share: float | None, sentence: str) -> None:
        """Take the progress of one stage."""
        if share is not None and sentence.startswith(DOWNLOADING):
            done = round(share * self._size)
            left = self._left.after(done)
            parts = [f"{done / 1e6:.0f} of {megabytes(self._size)}", *([left] if left else [])]
            sentence = f"Downloading {self._name}: {', '.join(parts)}"
            share *= DOWNLOADED
        elif share is not None and sentence.startswith(CONVERTING):
            sentence = f"Preparing {self._name} for this machine"
            begin = DOWNLOADED if self._share is not None else 0.0
            share = begin + share * (CONVERTED - begin)
        # What has no share of its own happens between the others.
        if share is not None:
            self._share = max(share, self._share or 0.0)
        self._progress(self._share, sentence)


class _TimeLeft:
    """Estimates the time that a download still takes, from its speed."""

    def __init__(self, size: int, clock: Callable[[], float]) -> None:
        self._size, self._clock = size, clock
        self._began: float | None = None
        self._last = (0.0, 0)
        self._speed = 0.0

    def after(self, done: int) -> str:
        """Say how long the rest takes; empty: not known yet."""
        now = self._clock()
        if self._began is None:
            self._began, self._last = now, (now, done)
            return ""
        seconds, count = now - self._last[0], done - self._last[1]
        if seconds > 0 and count >= 0:
            # The average of the first seconds, then ever less of what was long ago.
            weight = 1 - math.exp(-seconds / min(SMOOTH_SECONDS, max(now - self._began, seconds)))
            self._speed += (count / seconds - self._speed) * (weight if self._speed else 1.0)
            self._last = now, done
        if now - self._began < SURE_SECONDS or self._speed <= 0:
            return ""
        minutes = round((self._size - done) / self._speed / 60)
        if minutes < 1:
            return "less than a minute left"
        return f"about {minutes} minute{'s' if minutes > 1 else ''} left"
