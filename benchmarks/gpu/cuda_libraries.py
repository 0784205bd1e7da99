"""Loads the CUDA libraries that were installed as Python packages anywhere on the path.

onnxruntime then finds them by name. Its own `preload_dlls` only looks next to onnxruntime, which does not
work for a wheel that was unpacked elsewhere.
"""

import ctypes
import sys
from collections.abc import Iterable
from pathlib import Path

# In the order of their dependencies.
LIBRARIES = ("libcudart", "libcublasLt", "libcublas", "libnvrtc", "libcurand", "libcufft", "libcudnn")


def preload(path: Iterable[str] = sys.path) -> list[str]:
    """Load those of `LIBRARIES` that are found; return the files."""
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
