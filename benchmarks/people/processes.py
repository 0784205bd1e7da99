"""Finds the processes that belong together, and measures the memory and the CPU time of all of them."""

import re
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.load_meter import process_seconds

HEAD = re.compile(r"^[0-9a-f]+-[0-9a-f]+ \S+ \S+ (\S+) (\d+)")
"""The first line of a mapping in smaps (proc(5)): its device and inode are captured."""
GONE = (psutil.NoSuchProcess, psutil.AccessDenied)


def with_variable(name: str, value: str) -> list[int]:
    """Return the ids of all processes that have this environment variable.

    What a process starts inherits it, also what outlives it.
    """
    found = []
    for process in psutil.process_iter():
        with suppress(*GONE):
            if process.environ().get(name) == value:
                found.append(process.pid)
    return found


class CpuTime:
    """Adds up the CPU time of processes, also of those that have ended meanwhile."""

    def __init__(self) -> None:
        self._used = dict[int, float]()

    def know(self, pids: Iterable[int]) -> None:
        """Count these processes too."""
        for pid in pids:
            self._used.setdefault(pid, 0.0)

    def seconds(self) -> float:
        """CPU seconds of all processes that are known."""
        for pid in self._used:
            with suppress(FileNotFoundError, ProcessLookupError):
                self._used[pid] = process_seconds(pid)
        return sum(self._used.values())


def memory_bytes(pids: Iterable[int]) -> int:
    """Return the memory of some processes together, as if nothing else on the machine shared any with them.

    The proportional share (PSS) would be smaller while other processes map the same file, such as a model's
    weights. So what each has for itself is added up, and what they map from files is counted once: for each
    file, as much as the process has that uses most of it.
    """
    own, shared = 0, defaultdict[tuple[str, ...], int](int)
    for pid in pids:
        anonymous, mapped = _parts(Path(f"/proc/{pid}/smaps").read_text())
        own += anonymous
        for file, size in mapped.items():
            shared[file] = max(shared[file], size)
    return own + sum(shared.values())


def _parts(smaps: str) -> tuple[int, dict[tuple[str, ...], int]]:
    """Return the bytes that belong to the process alone, and those of each file."""
    anonymous, files, file, resident = 0, defaultdict[tuple[str, ...], int](int), ("", "0"), 0
    for line in smaps.splitlines():
        if head := HEAD.match(line):
            file = (head[1], head[2])
        elif line.startswith("Rss:"):
            resident = 1024 * int(line.split()[1])
        elif line.startswith("Anonymous:"):
            private = 1024 * int(line.split()[1])
            anonymous += private
            if file[1] == "0":
                anonymous += resident - private
            else:
                files[file] += resident - private
    return anonymous, files
