"""How much memory a model needs and this process may use; returns freed memory to the system.

Checked before anything is loaded: the libraries that read tokenizers and compute end the process without a
word if they get no memory.

Figures of the default model (1.09 GB of files, on the CPU): loading it takes 1.23 GB of address space, and 72
MB more for each thread but the first; 0.31 GB are resident, not counting mapped files.
"""

import ctypes
import sys
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

THREAD_BYTES = 72_000_000
"""Address space of a thread: its stack, and what the C library reserves for it."""
RUNTIME_BYTES = 150_000_000
"""Address space of the libraries, if they are not loaded yet."""
CGROUPS = Path("/sys/fs/cgroup")
_V2 = ("memory.max", "memory.current", ("inactive_file", "active_file"))
_V1 = ("memory.limit_in_bytes", "memory.usage_in_bytes", ("total_inactive_file", "total_active_file"))
_ADDRESSES, _RESIDENT = "address space", "memory"


@frozen
class FreeMemory:
    """What one of the system's limits leaves for this process."""

    kind: str
    "What is limited."
    free: int
    "Bytes still available."
    limit: int
    "Bytes in total."
    source: str
    "Whose limit it is."
    remedy: str = "Raise that limit"
    "What may help: the beginning of a sentence."


def shortage(files: int, packed: bool, threads: int) -> str | None:
    """Say why a model does not fit into memory on the CPU; None: as far as is known, it fits.

    Args:
        files: bytes of its files.
        packed: whether they hold matrices packed for this processor, which are mapped.
        threads: threads that compute.
    """
    # For packed files, the figures above with a margin: mapped weights need addresses, but hardly any memory.
    # Others are packed by the runtime while it loads them, into a second copy.
    needs = {
        _ADDRESSES: int(files * (1.12 if packed else 2.2)) + threads * THREAD_BYTES + _still_to_load(),
        _RESIDENT: int(files * (0.15 if packed else 1.2)) + 200_000_000,
    }
    for one in _limits():
        if one.free < needs[one.kind]:
            used = one.limit - one.free
            return (
                f"The model does not fit into memory: with it Aide needs about "
                f"{gigabytes(used + needs[one.kind])} of {one.kind}, and may use {gigabytes(one.limit)} "
                f"({one.source}). {one.remedy}, or choose a smaller model."
            )
    return None


def gigabytes(count: int) -> str:
    """Format a number of bytes for people."""
    return f"{count / 1e9:.2f} GB"


def return_freed_memory() -> None:
    """Make the C library return freed memory to the system; takes a few milliseconds.

    With the default model it would keep 90 MB after loading, most of it from reading the tokenizer, and 50 MB
    after a long prompt. Does nothing without glibc.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def _still_to_load() -> int:
    return 0 if "onnxruntime" in sys.modules else RUNTIME_BYTES


def _limits() -> Iterator[FreeMemory]:
    """Yield what each limit leaves, if it can be read."""
    if sys.platform == "linux":
        yield from process_limits()
        yield from cgroup_limits(Path("/proc/self/cgroup"), CGROUPS)
    import psutil

    memory = psutil.virtual_memory()
    yield FreeMemory(_RESIDENT, memory.available, memory.total, "all there is", "Close other programs")


def process_limits() -> Iterator[FreeMemory]:
    """Yield what the limits of this process leave: `ulimit -v` and `ulimit -d`."""
    import resource

    # Fields of statm: 0 is all of the address space, 5 data and stack (man proc).
    pages = [int(number) for number in Path("/proc/self/statm").read_text(encoding="ascii").split()]
    # Both limit addresses: since Linux 4.7, RLIMIT_DATA counts private mappings too (man setrlimit).
    for limit, option, used in (("RLIMIT_AS", "v", pages[0]), ("RLIMIT_DATA", "d", pages[5])):
        most = resource.getrlimit(getattr(resource, limit))[0]
        if most != resource.RLIM_INFINITY:
            free = most - used * resource.getpagesize()
            yield FreeMemory(_ADDRESSES, free, most, f"`ulimit -{option}`")


def cgroup_limits(membership: Path, root: Path) -> Iterator[FreeMemory]:
    """Yield what the process's control groups leave: the limits of a container or a service."""
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        # A line without controllers is version 2's (man cgroups). Where both versions are mounted, systemd
        # has version 2 in `unified`.
        if not controllers:
            for base in (root, root / "unified"):
                yield from _group_limits(base, path, *_V2)
        elif "memory" in controllers.split(","):
            yield from _group_limits(root / "memory", path, *_V1)


def _group_limits(
    base: Path, path: str, limit: str, used: str, files: tuple[str, str]
) -> Iterator[FreeMemory]:
    """Yield the limits of a group and of its parents. In a container, its own may be the topmost."""
    own = Path(path.lstrip("/"))
    for group in (base / own, *(base / above for above in own.parents)):
        try:
            most, now = int((group / limit).read_text()), int((group / used).read_text())
            facts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        except (OSError, ValueError):  # no limit (`max`), or no access
            continue
        # Cached files are dropped when memory is short.
        free = most - now + sum(int(facts.get(name, 0)) for name in files)
        yield FreeMemory(_RESIDENT, free, most, "the limit of its container or service")
