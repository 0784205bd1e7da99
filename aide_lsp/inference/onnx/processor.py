"""Names the kind of processor: with the same runtime, processors of one kind give the same bytes."""

import platform
import sys
from functools import cache
from pathlib import Path

_DECISIVE = ("avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "amx_int8", "asimddp", "i8mm", "sve")
"""Instructions by which the runtime chooses its kernels."""


@cache
def processor_kind() -> str:
    """Return the architecture and the instructions that decide which kernels run: `x86_64+avx2+fma`."""
    known = sorted(set(_DECISIVE) & _instructions())
    return "+".join([platform.machine().lower() or "unknown", *known])


def has_amx() -> bool:
    """Return whether the processor multiplies matrices of bytes (AMX), which the runtime uses on Linux."""
    return "amx_int8" in _instructions()


@cache
def _instructions() -> set[str]:
    if sys.platform != "linux":
        # One word for all that the processor's name implies.
        return set()
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return set()
    lines = (line for line in text.splitlines() if line.startswith(("flags", "Features")))
    return set(next(lines, "").partition(":")[2].split())
