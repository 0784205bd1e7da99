"""Tells what it means when the runtime raises: too little memory, or a session that is of no more use.

In: whatever a session raised. Out: a `SessionError` that says what may help. It does not run anything.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from aide_lsp.errors import AideError, BrokenSessionError, MemoryShortError, SessionError
from aide_lsp.inference.cancel import Cancelled

MEMORY = re.compile(
    r"bad.?alloc|out of memory|failed to (allocate|map)|cannot allocate|ALLOC_FAILED|start new thread",
    re.IGNORECASE,
)
"""What the runtime, CUDA, Python and the system's loader say for want of memory."""
SHORT = "There is not enough memory to complete. Close other programs, or lower Num Context."


@contextmanager
def session_errors() -> Iterator[None]:
    """Let nothing out of the body but our own errors: the runtime's classes share no base but Exception.

    Raises:
        MemoryShortError: there was not enough memory.
        BrokenSessionError: the runtime failed otherwise.
    """
    try:
        yield
    except (AideError, Cancelled, AssertionError):
        raise
    except Exception as error:
        raise session_error(error) from error


def session_error(error: Exception) -> SessionError:
    """Say what an exception of the runtime's means."""
    if is_memory_short(error):
        return MemoryShortError(SHORT)
    return BrokenSessionError(f"The model could not be run: {first_line(error)}")


def is_memory_short(error: Exception) -> bool:
    """Whether it was raised for want of memory."""
    return isinstance(error, MemoryError) or bool(MEMORY.search(str(error)))


def first_line(error: Exception) -> str:
    """Return the first line of what the runtime says; it holds no source text."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
