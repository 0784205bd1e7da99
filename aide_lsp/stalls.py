"""What keeps this process from going on though it would: other programs, and too little memory.

In: nothing, or two looks. Out: how long its threads were ready to run and had to wait for a processor, and
how many pages had to be read from the disk. A watchdog needs it: on a machine that is far too busy, a thread
that does nothing is not one that hangs. It does not know who watches what.
"""

import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_TASKS = Path("/proc/self/task")


class RunDelay:
    """Remembers the last look. Linux tells; elsewhere no thread ever waits."""

    def __init__(self) -> None:
        self._seen = _waited()

    def since(self) -> float:
        """Look again; return how many seconds the thread waited since then that waited longest."""
        before, self._seen = self._seen, _waited()
        return max((waited - before.get(thread, 0.0) for thread, waited in self._seen.items()), default=0.0)


def pages_read() -> int:
    """Count the pages that were read from the disk because they were not in memory."""
    if sys.platform == "win32":
        return 0
    from resource import RUSAGE_SELF, getrusage

    return getrusage(RUSAGE_SELF).ru_majflt


def _waited() -> Mapping[str, float]:
    """Seconds that each thread has waited in its life."""
    found = dict[str, float]()
    with suppress(OSError):
        for thread in _TASKS.iterdir():
            with suppress(OSError, ValueError, IndexError):  # it has just ended
                found[thread.name] = int((thread / "schedstat").read_bytes().split()[1]) / 1e9
    return found
