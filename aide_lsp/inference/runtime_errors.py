"""Classifies what the runtime raises: out of memory, or a session that is broken."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from aide_lsp.errors import AideError, BrokenSessionError, MemoryShortError, SessionError
from aide_lsp.inference.cancel import Cancelled

MEMORY = re.compile(
    r"bad.?alloc|out of memory|failed to (allocate|map)|cannot allocate|ALLOC_FAILED|start new thread",
    re.IGNORECASE,
)
"""What the runtime, CUDA, Python and the system's loader report when they are out of memory."""
SHORT = "There is not enough memory to complete. Close other programs, or lower Num Context."


@contextmanager
def session_errors() -> Iterator[None]:
    """Let only our own errors leave the body: the runtime's classes have no base but Exception.

    Raises:
        MemoryShortError: there was not enough memory.
        BrokenSessionError: the runtime failed otherwise.
    """
    try:
        yield
    # A failed assertion is a mistake of ours, and must not pass for a broken session.
    except (AideError, Cancelled, AssertionError):
        raise
    except Exception as error:
        raise session_error(error) from error


def session_error(error: Exception) -> SessionError:
    """Return the error that an exception of the runtime means."""
    if is_memory_short(error):
        return MemoryShortError(SHORT)
    return BrokenSessionError(f"The model could not be run: {first_line(error)}")


def is_memory_short(error: Exception) -> bool:
    """Whether it means that memory is short."""
    return isinstance(error, MemoryError) or bool(MEMORY.search(str(error)))


def first_line(error: Exception) -> str:
    """Return the first line of the runtime's message; it contains no source text."""
    return str(error).strip().partition("\n")[0] or type(error).__name__
