"""Frames of the base protocol: a few header lines, an empty line, a body of so many bytes.

In: a binary stream, or a body. Out: the next length and body, or the bytes of a frame. Tolerant where an
honest client may differ (case of header names, bare line feeds), strict where going on would leave us deaf.
It does not know JSON, and not what a stream is made of.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

HEADER_LIMIT = 8 * 1024
LENGTH_LIMIT = 256 * 1024 * 1024
"""Bytes of a body: editors send texts of up to 50 MB, and escapes double them. More is no honest header."""
PIECE = 64 * 1024
# Also keeps out web pages: the first line of an HTTP request is no header line.
_HEADER_LINE = re.compile(rb"([A-Za-z][A-Za-z0-9-]*)[ \t]*:[ \t]*(.*)")


class FrameError(Exception):
    """The stream is out of step: where the next message begins cannot be known any more."""


def read_length(stream: BinaryIO) -> int | None:
    """Read a header; return the length of the body, or None when the stream ends between two frames.

    Raises:
        FrameError: a malformed or too long header, a too large body, or the stream ends within the header.
    """
    room, length, begun = HEADER_LIMIT, None, False
    while True:
        line = stream.readline(room)
        room -= len(line)
        if not line and not begun:
            return None
        if not line.endswith(b"\n"):
            raise FrameError(
                "a header is longer than 8 KiB" if room == 0 else "the stream ended within a header"
            )
        if line.strip():
            begun = True
            length = _content_length(line.strip(), length)
        elif begun:
            break
    if length is None:
        raise FrameError("a header has no Content-Length")
    return length


def read_body(stream: BinaryIO, length: int) -> bytes:
    """Read a body.

    Raises:
        FrameError: the stream ends within it.
    """
    body = stream.read(length)
    if len(body) < length:
        raise FrameError("the stream ended within a message")
    return body


def read_pieces(stream: BinaryIO, length: int) -> Iterator[bytes]:
    """Read a body piece by piece, so that it is never in memory as a whole. Raises as `read_body`."""
    while length:
        piece = read_body(stream, min(length, PIECE))
        length -= len(piece)
        yield piece


def frame(body: bytes) -> bytes:
    """Put the header before a body."""
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def _content_length(line: bytes, before: int | None) -> int | None:
    match = _HEADER_LINE.fullmatch(line)
    if match is None:
        raise FrameError("a header line is malformed")
    name, value = match.groups()
    if name.lower() != b"content-length":
        return before
    if not value.isdigit():
        raise FrameError("a Content-Length is no number of bytes")
    if len(value) > 12 or int(value) > LENGTH_LIMIT:
        raise FrameError(f"a message is larger than {LENGTH_LIMIT // 2**20} MiB")
    return int(value)
