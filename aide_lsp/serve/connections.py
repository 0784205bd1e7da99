"""Connections within bounds: their number, the time for a request's head, and readers that do not read.

Uvicorn speaks HTTP; this adds what it leaves open.
"""

import asyncio
import json
import os
import socket
import struct
import sys
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from aide_lsp.serve.access import ADMITTED
from aide_lsp.serve.served import SESSION_HEADER

HEAD_SECONDS = 10.0
"""Time to send the head of a request."""
STALL_SECONDS = 20.0
"""Time in which a client must take something of an answer."""
NAME = SESSION_HEADER.encode()
MOST_HEAD_BYTES = 16 * 1024
INVALID = json.dumps({"error": {"code": "invalid", "message": "The request is not valid HTTP."}}).encode()


class Connections:
    """All open connections. For the event loop's thread."""

    def __init__(self, most: int) -> None:
        self._most = most
        # Oldest first: in the order in which they were last used.
        self._open = dict["ClientConnection", None]()
        self.last_left = 0.0
        """When the last client left, in the event loop's time."""

    def __len__(self) -> int:
        return len(self._open)

    @property
    def clients(self) -> int:
        """How many belong to clients that may ask."""
        return sum(one.is_known for one in self._open)

    @property
    def sessions(self) -> int:
        """How many clients that may ask are connected: each has a name, and may have several connections."""
        return len({one.session for one in self._open if one.is_known})

    def admit(self, connection: "ClientConnection") -> bool:
        """Take a new connection in; return False if there is no room.

        Whoever has not shown a token goes first, so that strangers never keep a client out.
        """
        if len(self._open) >= self._most:
            idle = [one for one in self._open if not one.is_busy]
            oldest = next((one for one in idle if not one.is_known), next(iter(idle), None))
            if oldest is None:
                return False
            self.forget(oldest)
            oldest.drop()
        self._open[connection] = None
        return True

    def drop_all(self) -> None:
        """Close all connections."""
        for connection in list(self._open):
            connection.drop()

    def used(self, connection: "ClientConnection") -> None:
        """Note that a connection was used."""
        if connection in self._open:
            del self._open[connection]
            self._open[connection] = None

    def forget(self, connection: "ClientConnection") -> None:
        """Note that a connection is closed."""
        self._open.pop(connection, None)
        if connection.is_known:
            self.last_left = connection.loop.time()


class ClientConnection(H11Protocol):
    """One connection."""

    def __init__(self, registry: Connections, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._registry = registry
        self._head: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._was_admitted = False

    @property
    def session(self) -> bytes:
        """Name of the client session of the last request; empty: it named none."""
        headers = self.scope["headers"] if self.scope is not None else ()
        return next((value for name, value in headers if name == NAME), b"")

    @property
    def is_known(self) -> bool:
        """Whether a request of it was let through."""
        return self._was_admitted or (self.scope is not None and ADMITTED in self.scope["state"])

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse other users and whom there is no room for."""
        if not _is_own_user(transport) or not self._registry.admit(self):
            transport.abort()
            self.transport = transport
            return
        super().connection_made(transport)
        # Whatever waits to be sent then counts as not taken. With TLS, 0 would mean even nothing.
        transport.set_write_buffer_limits(high=1, low=0)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all clocks."""
        self._registry.forget(self)
        self._stop(self._head)
        self._stop(self._stalled)
        if self.flow is not None:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See `Protocol`."""
        super().data_received(data)
        self._watch()

    def on_response_complete(self) -> None:
        """Note whether the client may ask."""
        self._was_admitted = self.is_known
        super().on_response_complete()
        self._registry.used(self)
        self._watch()

    def pause_writing(self) -> None:
        """Give a client that does not read some time."""
        super().pause_writing()
        self._stop(self._stalled)
        self._stalled = self.loop.call_later(STALL_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Note that it reads."""
        super().resume_writing()
        self._stop(self._stalled)
        self._stalled = None

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, as everything else is refused."""
        if self.is_busy:
            # There is an answer already, or will be one that it would be taken for.
            self.transport.abort()
            return
        head = b"HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nConnection: close\r\n"
        self.transport.write(head + b"Content-Length: %d\r\n\r\n" % len(INVALID) + INVALID)
        self.transport.close()

    def drop(self) -> None:
        """Close it at once."""
        self.transport.abort()

    def _watch(self) -> None:
        """Give the client some time for the rest of what it has begun: a head, or a body that was refused.

        One that may ask can stay connected between requests, and say nothing, until the room is needed.
        """
        is_between = self.conn.their_state is h11.IDLE and not self.conn.trailing_data[0]
        if self.is_busy or (is_between and self.is_known):
            self._stop(self._head)
            self._head = None
        elif self._head is None:
            self._head = self.loop.call_later(HEAD_SECONDS, self.drop)

    @staticmethod
    def _stop(timer: asyncio.TimerHandle | None) -> None:
        if timer is not None:
            timer.cancel()


def _is_own_user(transport: asyncio.Transport) -> bool:
    """Return whether the other side of a Unix socket is this user, or root; True for other connections."""
    connection = transport.get_extra_info("socket")
    if sys.platform == "win32" or connection is None or connection.family != socket.AF_UNIX:
        return True
    if hasattr(socket, "SO_PEERCRED"):
        found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
        _, user, _ = struct.unpack("3i", found)
    else:
        # macOS and BSD: LOCAL_PEERCRED, whose first two numbers are a version and the user.
        found = connection.getsockopt(0, 1, struct.calcsize("2I") + 4 + 16 * 4)
        _, user = struct.unpack_from("2I", found)
    return user in (os.geteuid(), 0)
