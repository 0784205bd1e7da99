"""Frames of the base protocol: a few header lines, an empty line, a body of the length they give.

Tolerant where an honest client may differ (case of header names, bare line feeds), strict where the server
could not understand any later message.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

HEADER_LIMIT = 8 * 1024
"""Bytes of a header. Honest ones have less than a hundred."""
LENGTH_LIMIT = 256 * 1024 * 1024
"""Bytes of a body. Editors send texts of up to 50 MB, and escapes double them; a longer one is an error."""
PIECE = 64 * 1024
# This also keeps web pages out: the first line of an HTTP request is not a header line.
_HEADER_LINE = re.compile(rb"([A-Za-z][A-Za-z0-9-]*)[ \t]*:[ \t]*(.*)")


class FrameError(Exception):
    """The stream is out of step: no one can tell where the next message starts."""


def read_length(stream: BinaryIO) -> int | None:
    """Read a header; return the length of the body, or None if the stream ends between two frames.

    Raises:
        FrameError: the header is malformed or too long, the body too large, or the stream ends in the header.
    """
    left, length, begun = HEADER_LIMIT, None, False
    while True:
        # Bounded: a header line without an end must not fill the memory.
        line = stream.readline(left)
        left -= len(line)
        if not line and not begun:
            return None
        if not line.endswith(b"\n"):
            raise FrameError(
                "a header is longer than 8 KiB" if left == 0 else "the stream ended within a header"
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
        FrameError: the stream ends before the body does.
    """
    body = stream.read(length)
    if len(body) < length:
        raise FrameError("the stream ended within a message")
    return body


def read_pieces(stream: BinaryIO, length: int) -> Iterator[bytes]:
    """Read a body in pieces, so that it is never in memory as a whole. Raises what `read_body` raises."""
    while length:
        piece = read_body(stream, min(length, PIECE))
        length -= len(piece)
        yield piece


def frame(body: bytes) -> bytes:
    """Prepend the header to a body."""
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def _content_length(line: bytes, before: int | None) -> int | None:
    match = _HEADER_LINE.fullmatch(line)
    if match is None:
        raise FrameError("a header line is malformed")
    name, value = match.groups()
    if name.lower() != b"content-length":
        return before
    if not value.isdigit():
        raise FrameError("a Content-Length is not a number of bytes")
    # int() refuses numbers of more than 4,300 digits with a ValueError, and a header may hold more.
    if len(value) > 12 or int(value) > LENGTH_LIMIT:
        raise FrameError(f"a message is larger than {LENGTH_LIMIT // 2**20} MiB")
    return int(value)
