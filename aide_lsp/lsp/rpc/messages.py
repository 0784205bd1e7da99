"""Decodes message bodies within a memory limit, and reads the JSON values that all messages share.

The memory a message needs is estimated from its bytes before it is decoded: a few bytes can become an object
of hundreds. A body that is too large is read to its end, so that the next message is understood.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, BinaryIO, Final

from attrs import frozen

from aide_lsp.lsp.rpc.framing import PIECE, read_body, read_pieces

MessageId = int | str
CANCELLED = -32800, "The request was canceled."
"""Code and message of the reply to a canceled request."""
WEIGHT_LIMIT = 48 * 1024 * 1024
"""Bytes a message may need while it is decoded: plain text of 24 MiB, or some 20,000 edits at once."""
_VALUE_BYTES = 240
"""What a JSON object with one key needs, the largest value for its length."""
_NAME = re.compile(rb'"(uri|method)"\s*:\s*("(?:[^"\\]|\\.){1,4096}")')
"""A name and its value. Inside a JSON string both quotes would be escaped."""
_LONGEST_NAME = 8192
"""Bytes kept of a piece, so that a name that continues in the next one is found."""
_MOST_NAMES = 1000
"""Bounds what a message that is not kept can cost."""
# Shows a character beyond U+FFFF: by the first byte of its UTF-8, or the high surrogate of its escape.
_WIDE = re.compile(rb"[\xf0-\xf4]|\\u[dD][89abAB]")


class Unreadable:
    """A body that is not JSON in UTF-8."""


UNREADABLE: Final = Unreadable()


@frozen
class TooLarge:
    """A message that was too large to decode."""

    size: int
    "Bytes of its body."
    method: str
    "Empty if it was not found."
    uris: tuple[str, ...]
    "The documents it names."


def read_message(stream: BinaryIO, length: int, reserve: Callable[[int], object]) -> tuple[Any, int]:
    """Read a body of `length` bytes; return the message and its weight.

    `reserve` is called first, with the bytes needed, and waits until there is memory for them.

    Raises:
        FrameError: the stream ends within the body.
    """
    if 2 * length > WEIGHT_LIMIT:
        return _too_large(length, read_pieces(stream, length)), 0
    # The least it can weigh: its weight is known once it is read.
    reserve(2 * length)
    body = read_body(stream, length)
    weight = weight_of(body)
    if weight > WEIGHT_LIMIT:
        return _too_large(length, [body]), 0
    try:
        text = body.decode("utf-8")
    except ValueError:
        return UNREADABLE, weight
    del body  # two copies of a text are enough
    return _parse(text), weight


def whole_number(value: Any) -> int | None:
    """Read a whole number, or None. Some clients can only write floats: 1.0 is 1."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    # In Python, bool is a subclass of int.
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def message_id(value: Any) -> MessageId | None:
    """Read the id of a request; None: it is not valid."""
    return value if isinstance(value, str) else whole_number(value)


def weight_of(body: bytes) -> int:
    """Estimate the bytes it takes to decode a body: its text twice, and the values in it."""
    width = 1
    if not body.isascii() or b"\\u" in body:
        # All characters of a Python string take 1, 2 or 4 bytes, as its widest one needs (PEP 393).
        width = 4 if _WIDE.search(body) else 2
    text = 2 * width * len(body)
    weight = text + _VALUE_BYTES * _values(body)
    if weight > WEIGHT_LIMIT >= text:  # brackets and commas inside strings are not values
        weight = text + _VALUE_BYTES * sum(map(_values, _outside_strings(body)))
    return weight


def _outside_strings(body: bytes) -> Iterator[bytes]:
    """Yield what is outside strings, piece by piece."""
    inside, cut = False, b""
    for start in range(0, len(body), PIECE):
        piece = cut + body[start : start + PIECE]
        escapes = len(piece) - len(piece.rstrip(b"\\"))
        cut = b"\\" if escapes % 2 else b""  # an escape continues in the next piece
        piece = piece[: len(piece) - len(cut)].replace(rb"\\", b"").replace(rb"\"", b"")
        parts = piece.split(b'"')
        yield from parts[inside::2]
        inside ^= len(parts) % 2 == 0


def _values(body: bytes) -> int:
    return body.count(b",") + body.count(b"{") + body.count(b"[")


def _too_large(length: int, pieces: Iterable[bytes]) -> TooLarge:
    """Find the names of documents in a body that is not kept."""
    found = dict[str, None]()
    method, end, names = "", b"", 0
    for piece in pieces:
        end = end[-_LONGEST_NAME:] + piece
        for match in islice(_NAME.finditer(end), _MOST_NAMES - names):
            names += 1
            value = _parse(match[2].decode("utf-8", "replace"))
            if match[1] == b"uri" and isinstance(value, str):
                found[value] = None
            elif isinstance(value, str):
                method = method or value
    return TooLarge(length, method, tuple(found))


def _parse(text: str) -> Any:
    """Parse JSON; return `UNREADABLE` whatever is wrong with it."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # not JSON, endless digits; nested too deeply
        return UNREADABLE
