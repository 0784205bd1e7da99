"""The stream of events in an answer: server-sent events (`data: {...}`), or one JSON object per line.

The bytes may be cut anywhere. A server is not trusted: lines and events have limits, and what is not an
object is an error.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

LONGEST_EVENT = 1_000_000
"""Bytes. llama.cpp's last event repeats settings and prompt."""
MOST_LINES = 100
"""Of one event: all of it is read again with each line."""
_LINE_END = re.compile(rb"\r\n|\n|\r(?!\Z)")
"""A carriage return at the end may be half of a line end."""
_DONE = b"[DONE]"


class UnreadableEventError(ValueError):
    """What came is no event."""


class EventParser:
    """Takes the bytes of an answer in pieces, and returns the events that each completes."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []  # the beginning of a line
        self._length = 0
        self._begun = b""  # an event whose data comes in several lines
        self._lines = 0  # of that event
        self.is_done = False
        """Whether the server has said that no more events follow."""

    def feed(self, piece: bytes) -> Iterator[dict[str, Any]]:
        """Yield the events that end in this piece.

        Raises:
            UnreadableEventError: something is no event, or too long.
        """
        # Joined only when a line may end: it may come in thousands of pieces.
        may_end = b"\n" in piece or b"\r" in piece or (bool(self._rest) and self._rest[-1].endswith(b"\r"))
        self._rest.append(piece)
        self._length += len(piece)
        if may_end:
            *lines, rest = _LINE_END.split(b"".join(self._rest))
            self._rest, self._length = [rest], len(rest)
            for line in lines:
                yield from self._line(line)
        _check_length(self._length)

    def finish(self) -> Iterator[dict[str, Any]]:
        """Yield what is complete without a line end: the last event of some servers."""
        yield from self._line(b"".join(self._rest))
        self._rest = []
        if self._begun:
            raise UnreadableEventError("the last event is incomplete")

    def _line(self, line: bytes) -> Iterator[dict[str, Any]]:
        if self.is_done:
            return
        line = line.removeprefix(b"\xef\xbb\xbf").strip()
        if not line:
            if self._begun:
                raise UnreadableEventError("an event is incomplete")
            return
        name, _, data = line.partition(b":")
        if line.startswith(b"{"):
            data = line
        elif name in (b"event", b"id", b"retry", b""):
            return
        elif name == b"error":
            # Older versions of llama.cpp.
            data = b'{"error":' + data + b"}"
        elif name != b"data":
            raise UnreadableEventError("a line is no event")
        data = data.strip()
        if not data:
            return
        if data == _DONE:
            self.is_done = True
            return
        yield from self._data(data)

    def _data(self, data: bytes) -> Iterator[dict[str, Any]]:
        data = self._begun + b"\n" + data if self._begun else data
        _check_length(len(data))
        try:
            event = json.loads(data.decode("utf-8", "replace"))
        except RecursionError as error:
            raise UnreadableEventError("an event is nested too deeply") from error
        except ValueError:
            # The rest may be in the next line of the same event.
            self._begun, self._lines = data, self._lines + 1
            if self._lines > MOST_LINES:
                raise UnreadableEventError("an event has no end") from None
            return
        self._begun, self._lines = b"", 0
        if not isinstance(event, dict):
            raise UnreadableEventError("an event is no object")
        yield event


def _check_length(length: int) -> None:
    if length > LONGEST_EVENT:
        raise UnreadableEventError("an event has no end")
