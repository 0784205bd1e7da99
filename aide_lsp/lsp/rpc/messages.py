"""Turns bodies into messages, if they fit into a limit of memory.

In: a stream at the beginning of a body. Out: decoded JSON, or what represents a body that is not JSON or too
large. The memory that a message needs is estimated from its bytes before it is decoded: a few bytes can be an
object of hundreds. A body that is too large is read to its end, so that the next one is understood.
It does not know what a message asks for.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, BinaryIO, Final

from attrs import frozen

from aide_lsp.lsp.rpc.framing import PIECE, read_body, read_pieces

WEIGHT_LIMIT = 48 * 1024 * 1024
"""Bytes that a message may need while it is decoded. Plain text of 24 MiB, or some 20,000 edits at once."""
_VALUE_BYTES = 240
"""Of a JSON object with one key, the largest value for its length."""
_NAME = re.compile(rb'"(uri|method)"\s*:\s*("(?:[^"\\]|\\.){1,4096}")')
"""A name and its value. Within a JSON text both quotes would be escaped."""
_LONGEST_NAME = 8192
_MOST_NAMES = 1000
_WIDE = re.compile(rb"[\xf0-\xf4]|\\u[dD][89abAB]")


class Unreadable:
    """Stands for a body that is not JSON in UTF-8."""


UNREADABLE: Final = Unreadable()


@frozen
class TooLarge:
    """Stands for a message that was not decoded."""

    size: int
    "Bytes of its body."
    method: str
    "As far as it could be found; empty: it was not."
    uris: tuple[str, ...]
    "The documents that it names."


def read_message(stream: BinaryIO, length: int, room: Callable[[int], object]) -> tuple[Any, int]:
    """Read a body of so many bytes; return the message and its weight. `room` waits for room for it.

    Raises:
        FrameError: the stream ends within the body.
    """
    if 2 * length > WEIGHT_LIMIT:
        return _too_large(length, read_pieces(stream, length)), 0
    room(2 * length)
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


def weight_of(body: bytes) -> int:
    """Estimate the bytes that it takes to decode a body: its text twice, and the values in it."""
    width = 1
    if not body.isascii() or b"\\u" in body:
        width = 4 if _WIDE.search(body) else 2
    text = 2 * width * len(body)
    weight = text + _VALUE_BYTES * _values(body)
    if weight > WEIGHT_LIMIT >= text:  # brackets and commas within strings are no values
        weight = text + _VALUE_BYTES * sum(map(_values, _outside_strings(body)))
    return weight


def _outside_strings(body: bytes) -> Iterator[bytes]:
    """Yield what is not in strings, piece by piece."""
    inside, cut = False, b""
    for start in range(0, len(body), PIECE):
        piece = cut + body[start : start + PIECE]
        escapes = len(piece) - len(piece.rstrip(b"\\"))
        cut = b"\\" if escapes % 2 else b""  # an escape goes on in the next piece
        piece = piece[: len(piece) - len(cut)].replace(rb"\\", b"").replace(rb"\"", b"")
        parts = piece.split(b'"')
        yield from parts[inside::2]
        inside ^= len(parts) % 2 == 0


def _values(body: bytes) -> int:
    return body.count(b",") + body.count(b"{") + body.count(b"[")


def _too_large(length: int, pieces: Iterable[bytes]) -> TooLarge:
    """Look for the names of documents in a body that is not kept."""
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
    """Parse JSON; whatever is wrong with it, `UNREADABLE`."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # not JSON, endless digits; nested too deeply
        return UNREADABLE
