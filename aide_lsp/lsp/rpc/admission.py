"""Lets one client in: the first connection that begins with `initialize` and, if there is one, the token.

In: a listening socket, a token. Out: streams, as if nothing had been read from them yet. Connections that say
nothing, or something else, are closed and keep nobody else out: of too many the one that came first goes. It
does not know where the socket listens.
"""

import json
import socket
from contextlib import suppress
from hmac import compare_digest
from io import BufferedReader, RawIOBase
from queue import SimpleQueue
from threading import BoundedSemaphore, Lock, Thread, Timer
from typing import Any, BinaryIO, cast

from aide_lsp.lsp.rpc.framing import FrameError, frame, read_body, read_length
from aide_lsp.lsp.rpc.streams import BUFFER, Streams

SECONDS = 10.0
"""Time to send `initialize`."""
_FIRST_LIMIT = 1024 * 1024
_AT_ONCE = 64
_REFUSED = (
    "The token is missing or wrong. Send it in initialize, as initializationOptions.token. aide-lsp prints "
    "it on stderr when it starts, or takes it from the environment variable AIDE_TOKEN."
)


def admit(listener: socket.socket, token: str | None) -> Streams:
    """Wait for a client; close the listener when it is there."""
    door = _Door(token)
    Thread(target=door.accept_all, args=(listener,), name="aide-listener", daemon=True).start()
    streams = door.admitted.get()
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)  # closing alone would not end an `accept` under way
    listener.close()
    return streams


class _Door:
    """Examines connections, several at once."""

    def __init__(self, token: str | None) -> None:
        self.admitted: SimpleQueue[Streams] = SimpleQueue()
        self._token = token
        self._places = BoundedSemaphore(_AT_ONCE)
        self._silent = dict[socket.socket, None]()
        """Connections that are being examined, in the order in which they came."""
        self._only_one = Lock()

    def accept_all(self, listener: socket.socket) -> None:
        with suppress(OSError):  # the listener is closed: somebody is in
            while True:
                connection, _ = listener.accept()
                if not self._places.acquire(blocking=False):
                    self._make_place()
                self._silent[connection] = None
                Thread(target=self._examine, args=(connection,), daemon=True).start()

    def _make_place(self) -> None:
        """Close the connection that has been silent longest: whoever knows the token sends it at once."""
        for oldest in list(self._silent)[:1]:
            with suppress(OSError):
                oldest.shutdown(socket.SHUT_RDWR)
        self._places.acquire()

    def _examine(self, connection: socket.socket) -> None:
        """Let the client in, or close the connection."""
        limit = Timer(SECONDS, connection.shutdown, (socket.SHUT_RDWR,))
        limit.daemon = True
        limit.start()
        try:
            if connection.family != getattr(socket, "AF_UNIX", None):
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            source = cast("BufferedReader", connection.makefile("rb", BUFFER))
            message = _first_message(source)
            self._silent.pop(connection, None)
            limit.cancel()
            if self._is_welcome(message) and self._only_one.acquire(blocking=False):
                first = frame(json.dumps(message).encode())
                sink = connection.makefile("wb", BUFFER)
                self.admitted.put((BufferedReader(_Again(first, source), BUFFER), cast("BinaryIO", sink)))
                return
            refusal = {"id": message.get("id"), "error": {"code": -32600, "message": _REFUSED}}
            connection.sendall(frame(json.dumps({"jsonrpc": "2.0", **refusal}).encode()))
        except (FrameError, OSError, ValueError, RecursionError):
            pass  # whoever speaks otherwise, such as HTTP, learns nothing
        finally:
            limit.cancel()
            self._silent.pop(connection, None)
            self._places.release()
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    def _is_welcome(self, message: dict[str, Any]) -> bool:
        """Check the token, and take it out: nobody else needs to know it."""
        params = message.get("params")
        options = params.get("initializationOptions") if isinstance(params, dict) else None
        given = options.pop("token", None) if isinstance(options, dict) and self._token else None
        if self._token is None:
            return True
        return isinstance(given, str) and compare_digest(_bytes(given), _bytes(self._token))


def _first_message(source: BufferedReader) -> dict[str, Any]:
    """Read `initialize`.

    Raises:
        FrameError, ValueError, RecursionError: it is something else.
    """
    length = read_length(source)
    if length is None or length > _FIRST_LIMIT:
        raise FrameError("the first message is missing or too large")
    message = json.loads(read_body(source, length).decode("utf-8"))
    if not isinstance(message, dict) or message.get("method") != "initialize":
        raise ValueError("the first message is not initialize")
    return message


class _Again(RawIOBase):
    """A stream with something before it."""

    def __init__(self, first: bytes, rest: BufferedReader) -> None:
        self._first, self._rest = first, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        found, self._first = self._first[:size], self._first[size:]
        found = found or self._rest.read1(size)
        buffer[: len(found)] = found
        return len(found)


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
