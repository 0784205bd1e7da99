"""Describes how a figure was measured: the command, and the processor, memory and system of the machine.

Standard library only.
"""

import os
import platform
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

# Instruction sets that decide how fast integer and half-precision products run on a CPU.
FLAGS = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_int8")


def describe() -> list[str]:
    """Return lines that describe this machine."""
    info = cpu_info()
    flags = [flag for flag in FLAGS if flag in info.get("flags", "").split()]
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    family = f"family {info['cpu family']}, model {info['model']}" if "cpu family" in info else ""
    return [
        f"{os.cpu_count()} cores, {info.get('model name', platform.machine())} ({family}; {' '.join(flags)})",
        f"{memory_gb():.0f} GB memory, {system}",
    ]


def command_line(program: str, arguments: Sequence[str]) -> str:
    """Return the command that ran a benchmark, without the folders in which this machine has its files."""
    return re.sub(r"(?<=\s)[/.]\S*/", "", shlex.join(["python", "-m", program, *arguments]))


def cpu_info() -> dict[str, str]:
    """Return the first processor's entries; nothing if there is no such file."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    lines = path.read_text().split("\n\n", 1)[0].splitlines()
    pairs = (line.split(":", 1) for line in lines if ":" in line)
    return {key.strip(): value.strip() for key, value in pairs}


def memory_gb() -> float:
    """Return the size of the memory in GB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
