"""Reads TOML files that someone else may have written, at a bounded cost whatever they are or hold."""

import re
import tomllib
from pathlib import Path
from typing import Any

from aide_lsp.plain_file import NotRegularError, open_regular

MOST_PARTS = 16
"""Parts of one dotted key. No one writes more, and the parser's time is quadratic in their number."""
# Each alternative consumes everything it looks at, closed or not, so matching takes linear time.
_STRING = re.compile(
    r"""#[^\n]*|"{3}(?:[^"\\]|\\.|"{1,2}(?!"))*(?:"{3}|\Z)|'{3}(?:[^']|'{1,2}(?!'))*(?:'{3}|\Z)"""
    r"""|"(?:[^"\\\n]|\\[^\n])*"?|'[^'\n]*'?""",
    re.DOTALL,
)
_LONG_KEY = re.compile(rf"(?<![\w-])(?:[\w-]+[ \t]*\.[ \t]*){{{MOST_PARTS},}}")


class UnreadableError(Exception):
    """The file cannot be read or is not TOML. The text gives the reason as part of a sentence."""


def read_bytes(path: Path, most: int) -> bytes:
    """Read a regular file; one byte more than `most` if it is larger. Links are not followed.

    Raises:
        UnreadableError: the path is not a regular file, or cannot be read.
    """
    try:
        with open_regular(path) as file:
            return file.read(most + 1)
    except NotRegularError as error:
        raise UnreadableError("it is not a regular file") from error
    except (OSError, ValueError) as error:
        raise UnreadableError(reason(error)) from error


def parse(data: bytes, most: int) -> dict[str, Any]:
    """Parse what `read_bytes` returned.

    Raises:
        UnreadableError: it is too long, too complex, or not TOML; with line and column.
    """
    if len(data) > most:
        raise UnreadableError(f"it is larger than {most:,} bytes")
    text = _text(data)
    # Without strings and comments, whose text may have dots.
    if _LONG_KEY.search(_STRING.sub("s", text)):
        raise UnreadableError(f"a key in it has more than {MOST_PARTS} parts")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # `tomllib` gives line and column everywhere else.
        message = str(error).replace("at end of document", f"at the end, {_place(text, len(text))}")
        raise UnreadableError(message) from error
    except RecursionError as error:
        raise UnreadableError("it is nested too deeply") from error
    except ValueError as error:  # Python parses no integer with more than 4300 digits
        digits = re.search(r"[0-9_]{4300,}", text)
        place = _place(text, digits.start() if digits else 0)
        raise UnreadableError(f"a number has thousands of digits (at {place})") from error


def reason(error: Exception) -> str:
    """Return the system's own message."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _text(data: bytes) -> str:
    try:
        # Editors on Windows may put a byte order mark first, which `tomllib` rejects.
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        raise UnreadableError(f"it is not UTF-8 text (at {_place(before, len(before))})") from error


def _place(text: str, offset: int) -> str:
    """Describe an offset as `tomllib` does."""
    before = text[:offset]
    return f"line {before.count(chr(10)) + 1}, column {offset - before.rfind(chr(10))}"
