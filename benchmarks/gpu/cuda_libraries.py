"""Finds the CUDA libraries that were installed as Python packages anywhere on the path.

In: nothing. Out: the libraries loaded into this process, where onnxruntime then finds them by name.
onnxruntime's own `preload_dlls` looks beside onnxruntime only; a wheel unpacked elsewhere, next to an
environment that has the NVIDIA packages, is not served by that. It does not know if there is a device.
"""

import ctypes
import sys
from collections.abc import Iterable
from pathlib import Path

# In the order in which they need each other.
LIBRARIES = ("libcudart", "libcublasLt", "libcublas", "libnvrtc", "libcurand", "libcufft", "libcudnn")


def preload(path: Iterable[str] = sys.path) -> list[str]:
    """Load what is found of `LIBRARIES`; return the files that were loaded."""
    loaded = []
    for folder in (Path(entry) / "nvidia" for entry in path if entry):
        for name in LIBRARIES:
            for file in sorted(folder.glob(f"*/lib/{name}.so.*")):
                if _load(file):
                    loaded.append(str(file))
    return loaded


def _load(file: Path) -> bool:
    try:
        ctypes.CDLL(str(file), mode=ctypes.RTLD_GLOBAL)
    except OSError as error:
        print(f"{file}: {error}", file=sys.stderr)
        return False
    return True
