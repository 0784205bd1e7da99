"""Admits one client: the first connection that starts with `initialize` and, if one is required, the token.

Connections that send nothing, or something else, are closed and never keep the client out: if there are too
many, the oldest goes.
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
"""Time a client has to send `initialize`."""
_FIRST_LIMIT = 1024 * 1024
"""Bytes of the first message. It is read before the token is checked: with `_AT_ONCE`, this bounds the
memory that strangers can take."""
_AT_ONCE = 64
_HOW = (
    "Send it in initialize, as initializationOptions.token. aide-lsp prints it on stderr when it starts, or "
    "takes it from the environment variable AIDE_TOKEN."
)
_MISSING, _INVALID = f"The token is missing. {_HOW}", f"The token is invalid. {_HOW}"
_OCCUPIED = "Another client is connected, and this server serves only one. Start a server for each client."


def admit(listener: socket.socket, token: str | None) -> Streams:
    """Wait for a client and close the listener; the streams are as if nothing had been read from them."""
    door = Door(token)
    Thread(target=door.accept_all, args=(listener,), name="aide-listener", daemon=True).start()
    streams = door.admitted.get()
    with suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)  # closing alone would not end a running `accept`
    listener.close()
    return streams


class Door:
    """Checks connections, several at once."""

    def __init__(self, token: str | None) -> None:
        self.admitted: SimpleQueue[Streams] = SimpleQueue()
        self._token = token
        self._slots = BoundedSemaphore(_AT_ONCE)
        self._unchecked = dict[socket.socket, None]()
        """Connections being checked, oldest first."""
        # Never released once acquired: there is one client.
        self._admission = Lock()

    def accept_all(self, listener: socket.socket) -> None:
        with suppress(OSError):  # the listener is closed: a client is admitted
            while True:
                connection, _ = listener.accept()
                if not self._slots.acquire(blocking=False):
                    self._close_oldest()
                self._unchecked[connection] = None
                Thread(target=self._examine, args=(connection,), daemon=True).start()

    def _close_oldest(self) -> None:
        """Close the connection that has been silent longest: an honest client sends its token at once."""
        # A copy: other threads remove connections in the meantime.
        for oldest in list(self._unchecked)[:1]:
            with suppress(OSError):
                # Not `close`, which would not wake the thread that reads; that one closes and frees the slot.
                oldest.shutdown(socket.SHUT_RDWR)
        self._slots.acquire()

    def _examine(self, connection: socket.socket) -> None:
        """Admit the client, or close the connection."""
        # Not a timeout of the socket, which starts again with each byte: a slow sender could stay forever.
        limit = Timer(SECONDS, connection.shutdown, (socket.SHUT_RDWR,))
        limit.daemon = True
        limit.start()
        try:
            if connection.family != getattr(socket, "AF_UNIX", None):
                # Small replies must not wait until the client acknowledges earlier ones (Nagle).
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            source = cast("BufferedReader", connection.makefile("rb", BUFFER))
            message = _first_message(source)
            self._unchecked.pop(connection, None)
            limit.cancel()
            refusal = self._refusal(message)
            if refusal is None:
                first = frame(json.dumps(message).encode())
                sink = connection.makefile("wb", BUFFER)
                connection.close()  # it stays open until both streams are closed
                self.admitted.put((BufferedReader(_Prepended(first, source), BUFFER), cast("BinaryIO", sink)))
                return
            reply = {"id": message.get("id"), "error": {"code": -32600, "message": refusal}}
            connection.sendall(frame(json.dumps({"jsonrpc": "2.0", **reply}).encode()))
        except (FrameError, OSError, ValueError, RecursionError):
            pass  # whoever speaks another protocol, such as HTTP, gets no answer
        finally:
            limit.cancel()
            self._unchecked.pop(connection, None)
            self._slots.release()
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
        connection.close()

    def _refusal(self, message: dict[str, Any]) -> str | None:
        """Say why a client is refused; None: it is the one to be admitted."""
        given = self._taken_token(message)
        if self._token is not None and given is None:
            return _MISSING
        if self._token is not None and not _is_same(given, self._token):
            return _INVALID
        return None if self._admission.acquire(blocking=False) else _OCCUPIED

    def _taken_token(self, message: dict[str, Any]) -> Any:
        """Remove the token from the message, and return it: nothing else needs it."""
        params = message.get("params")
        options = params.get("initializationOptions") if isinstance(params, dict) else None
        return options.pop("token", None) if isinstance(options, dict) and self._token else None


def _is_same(given: Any, token: str) -> bool:
    return isinstance(given, str) and compare_digest(_bytes(given), _bytes(token))


def _first_message(source: BufferedReader) -> dict[str, Any]:
    """Read `initialize`.

    Raises:
        FrameError, ValueError, RecursionError: the first message is something else.
    """
    length = read_length(source)
    if length is None or length > _FIRST_LIMIT:
        raise FrameError("the first message is missing or too large")
    message = json.loads(read_body(source, length).decode("utf-8"))
    if not isinstance(message, dict) or message.get("method") != "initialize":
        raise ValueError("the first message is not initialize")
    return message


class _Prepended(RawIOBase):
    """A stream with some bytes prepended."""

    def __init__(self, first: bytes, rest: BufferedReader) -> None:
        self._first, self._rest = first, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = len(buffer)
        found, self._first = self._first[:size], self._first[size:]
        # `read` would wait until the whole buffer is full.
        found = found or self._rest.read1(size)
        buffer[: len(found)] = found
        return len(found)


def _bytes(text: str) -> bytes:
    # compare_digest takes no text beyond ASCII, and JSON can hold lone surrogates.
    return text.encode("utf-8", "surrogatepass")
