"""What stalls this process from outside: other programs, and too little memory.

A watchdog needs this: on an overloaded machine, a thread that makes no progress is not necessarily hanging.
"""

import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

_TASKS = Path("/proc/self/task")


class RunDelay:
    """How long threads wait for a processor. Only Linux reports it; elsewhere it is always 0."""

    def __init__(self) -> None:
        self._seen = _waited()

    def since(self) -> float:
        """Return the seconds that the longest-waiting thread waited since the previous call."""
        before, self._seen = self._seen, _waited()
        # Not the sum: threads that wait at the same time hold up the work only once.
        return max((waited - before.get(thread, 0.0) for thread, waited in self._seen.items()), default=0.0)


def pages_read() -> int:
    """Return the number of pages that this process had to read from the disk."""
    # Python has no `resource` module there.
    if sys.platform == "win32":
        return 0
    from resource import RUSAGE_SELF, getrusage

    return getrusage(RUSAGE_SELF).ru_majflt


def _waited() -> Mapping[str, float]:
    """Return the seconds that each thread has waited since it started."""
    found = dict[str, float]()
    with suppress(OSError):
        for thread in _TASKS.iterdir():
            with suppress(OSError, ValueError, IndexError):  # the thread has just ended
                # The second number: nanoseconds of waiting for a processor (Linux's sched-stats.rst).
                found[thread.name] = int((thread / "schedstat").read_bytes().split()[1]) / 1e9
    return found
