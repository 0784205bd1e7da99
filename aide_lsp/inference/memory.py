"""How much memory a model needs and this process may use, and giving back what was freed.

In: the size of a model's files. Out: a sentence where they do not fit. Asked before anything is loaded: the
libraries that read tokenizers and compute end the process where they get no memory, without a word.

Figures of the default model (1.09 GB of files, on the CPU): while it loads, 1.23 GB of address space more
than before, and for each thread but the first 72 MB; 0.31 GB resident, mapped files not counted.
"""

import ctypes
import sys
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

THREAD_BYTES = 72_000_000
"""Address space of a thread: its stack, and what the C library reserves for it."""
RUNTIME_BYTES = 150_000_000
"""Address space of libraries that may not be loaded yet."""
CGROUPS = Path("/sys/fs/cgroup")
_V2 = ("memory.max", "memory.current", ("inactive_file", "active_file"))
_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", ("total_inactive_file", "total_active_file"))
_ADDRESSES, _RESIDENT = "address space", "memory"


@frozen
class Room:
    """What one of the system's limits leaves this process."""

    kind: str
    "What is limited."
    free: int
    "Bytes that may still be taken."
    limit: int
    "Bytes in all."
    source: str
    "Whose limit it is."
    remedy: str = "Raise that limit"
    "What may help, as the beginning of a sentence."


def shortage(files: int, packed: bool, threads: int) -> str | None:
    """Say what is missing to load a model on the CPU; None: it fits, as far as can be told.

    Args:
        files: bytes of its files.
        packed: whether they hold matrices packed for this processor, which are mapped.
        threads: that compute.
    """
    needs = {
        _ADDRESSES: int(files * (1.12 if packed else 2.2)) + threads * THREAD_BYTES + _still_to_load(),
        _RESIDENT: int(files * (0.15 if packed else 1.2)) + 200_000_000,
    }
    for room in _rooms():
        if room.free < needs[room.kind]:
            used = room.limit - room.free
            return (
                f"The model does not fit into memory: with it Aide needs about "
                f"{gigabytes(used + needs[room.kind])} of {room.kind}, and may use {gigabytes(room.limit)} "
                f"({room.source}). {room.remedy}, or choose a smaller model."
            )
    return None


def gigabytes(count: int) -> str:
    """Write a number of bytes as people read it."""
    return f"{count / 1e9:.2f} GB"


def give_back_freed() -> None:
    """Let the C library return what it holds in reserve; it takes some milliseconds.

    With the default model, loading leaves 90 MB of gaps that it keeps for later, most of them from reading
    the tokenizer; a long prompt leaves 50 MB. Does nothing where there is no such function (it is glibc's).
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def _still_to_load() -> int:
    return 0 if "onnxruntime" in sys.modules else RUNTIME_BYTES


def _rooms() -> Iterator[Room]:
    """Yield what each limit leaves, as far as it can be read."""
    if sys.platform == "linux":
        yield from process_rooms()
        yield from cgroup_rooms(Path("/proc/self/cgroup"), CGROUPS)
    import psutil

    memory = psutil.virtual_memory()
    yield Room(_RESIDENT, memory.available, memory.total, "all there is", "Close other programs")


def process_rooms() -> Iterator[Room]:
    """Yield what the limits of this process leave: `ulimit -v` and `ulimit -d`."""
    import resource

    pages = [int(number) for number in Path("/proc/self/statm").read_text(encoding="ascii").split()]
    for limit, option, used in (("RLIMIT_AS", "v", pages[0]), ("RLIMIT_DATA", "d", pages[5])):
        most = resource.getrlimit(getattr(resource, limit))[0]
        if most != resource.RLIM_INFINITY:
            free = most - used * resource.getpagesize()
            yield Room(_ADDRESSES, free, most, f"`ulimit -{option}`")


def cgroup_rooms(membership: Path, root: Path) -> Iterator[Room]:
    """Yield what the control groups leave that this process is in: limits of a container or a service."""
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:
            for base in (root, root / "unified"):
                yield from _group_rooms(base, path, *_V2)
        elif "memory" in controllers.split(","):
            yield from _group_rooms(root / "memory", path, *_V1)


def _group_rooms(base: Path, path: str, limit: str, used: str, files: tuple[str, str]) -> Iterator[Room]:
    """Yield the limits of a group and of those above it. In a container its own may be the topmost."""
    own = Path(path.lstrip("/"))
    for group in (base / own, *(base / above for above in own.parents)):
        try:
            most, now = int((group / limit).read_text()), int((group / used).read_text())
            facts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):  # `max`, or another group's
            continue
        # What was read from files is dropped where memory is short.
        free = most - now + sum(int(facts.get(name, 0)) for name in files)
        yield Room(_RESIDENT, free, most, "the limit of its container or service")
