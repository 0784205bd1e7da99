"""Gives memory that was freed back to the machine.

Loading a model leaves 90 MB of gaps that the C library keeps for later, with the default model, most of them
from reading its tokenizer; a long prompt leaves 50 MB. Does nothing where the C library has no such function
(it is glibc's). It does not know what was freed.
"""

import ctypes
import sys


def give_back_freed() -> None:
    """Let the C library return what it holds in reserve; it takes some milliseconds."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
