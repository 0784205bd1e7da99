"""Names a kind of machine: engines of one name give the same bytes for the same request."""

import platform
import sys
from functools import cache
from pathlib import Path

from aide_lsp.completion.model import ModelInfo

_DECISIVE = ("avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "amx_int8", "asimddp", "i8mm", "sve")
"""Instructions by which the runtime chooses its kernels."""


def machine_of(info: ModelInfo) -> str:
    """Return the name: what is computed, with what, and on which kind of processor."""
    source = info.source_sha256[:12] or "-"
    return f"{info.id}/{source}/{info.recipe}/{info.device}/onnxruntime-{info.runtime}/{_processor()}"


@cache
def _processor() -> str:
    """Return the architecture and the instructions that decide which kernels run."""
    known = sorted(set(_DECISIVE) & _instructions())
    return "+".join([platform.machine().lower() or "unknown", *known])


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
