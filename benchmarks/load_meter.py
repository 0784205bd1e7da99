"""Measures how much of the machine other processes used while something was timed.

Used inside worker processes, under more than one Python: standard library only.
"""

import os
import resource
import time
from dataclasses import asdict, dataclass
from pathlib import Path

STAT = Path("/proc/stat")
TICKS = os.sysconf("SC_CLK_TCK")
# Fields of the first line of /proc/stat (proc(5)). Idle time and waiting for a disk do not count as use;
# guest time is already part of user time; time stolen by other virtual machines does count.
USER, NICE, SYSTEM, IRQ, SOFTIRQ, STEAL = 0, 1, 2, 5, 6, 7
BUSY_FIELDS = (USER, NICE, SYSTEM, IRQ, SOFTIRQ, STEAL)


@dataclass(frozen=True)
class Reading:
    """The clocks at one moment, in seconds."""

    wall: float
    "Monotonic clock."
    own: float
    "CPU time of this process, all threads, and of the process that was named."
    machine: float
    "CPU time of everything on the machine."


@dataclass(frozen=True)
class Usage:
    """The difference of two readings."""

    wall_s: float
    own_cpu_s: float
    "CPU seconds of this process."
    others: float
    "Share of the machine (all cores) that others used, 0 to 1."

    def as_dict(self) -> dict[str, float]:
        """Render for a message."""
        return asdict(self)


def read_clocks(pid: int | None = None) -> Reading:
    """Read all clocks now; `pid`: a process that works for this one."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    own = used.ru_utime + used.ru_stime + (0 if pid is None else process_seconds(pid))
    return Reading(time.perf_counter(), own, machine_seconds(STAT.read_text()))


def process_seconds(pid: int) -> float:
    """Return the CPU seconds of a process so far."""
    # After the name, which may contain anything but ends with the last parenthesis (proc(5)).
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def machine_seconds(stat: str) -> float:
    """Return the busy CPU seconds of the machine from the text of /proc/stat."""
    ticks = stat.split("\n", 1)[0].split()[1:]
    return sum(int(ticks[field]) for field in BUSY_FIELDS) / TICKS


def usage(before: Reading, after: Reading, cores: int) -> Usage:
    """Return the difference of two readings.

    /proc/stat counts in ticks of 10 ms for each kind of use, so over half a second on two cores `others`
    is known to about 0.03; a negative difference is such rounding.
    """
    wall = after.wall - before.wall
    own = after.own - before.own
    others = (after.machine - before.machine - own) / (wall * cores)
    return Usage(wall, own, max(0.0, others))


def core_count() -> int:
    """Return the number of cores of the machine, including those that this process may not use."""
    return os.cpu_count() or 1
