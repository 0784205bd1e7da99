"""Waits for a client on a TCP port of this machine or on a Unix socket; `admission.py` checks who it is."""

import errno
import socket
import sys
from pathlib import Path
from secrets import token_urlsafe

from aide_lsp.invisible import escaped
from aide_lsp.listening.private_socket import AddressError, listen_privately, removed_after
from aide_lsp.lsp.rpc.admission import admit
from aide_lsp.lsp.rpc.streams import Streams

SHORTEST_TOKEN = 16
"""Characters. A shorter token could be guessed: any program on the machine can try, again and again."""
BACKLOG = 64
"""Many strangers who connect at once must not keep the client out."""


def accept_tcp(address: str, token: str) -> Streams:
    """Wait for one client that knows the token, on `HOST:PORT`, `:PORT` or `PORT` (port 0: any free one).

    If the token is empty, generate one and print it on stderr.

    Raises:
        AddressError: the address is malformed, taken, or not of this machine, or the token is too short.
    """
    if token and len(token) < SHORTEST_TOKEN:
        raise AddressError(f"AIDE_TOKEN is too short: it needs at least {SHORTEST_TOKEN} characters.")
    host, port = _host_port(address)
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            text = f"Port {port} on {host} is in use. Choose another one; port 0 takes any that is free."
            raise AddressError(text) from error
        raise AddressError(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from error
    _announce(f"listening on {host}:{listener.getsockname()[1]}")
    if not token:
        token = token_urlsafe(32)
        _announce(f"token {token}")
    return admit(listener, token)


def accept_socket(path: Path) -> Streams:
    """Wait for one client on a Unix socket that only this user can reach.

    Raises:
        AddressError: the path is taken or cannot be created, or the platform has no Unix sockets.
    """
    listener = listen_privately(path)
    with removed_after(path):
        _announce(f"listening on {path}")
        return admit(listener, None)


def _host_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    # By name it could be any machine that the hosts file says, or ::1 where clients try 127.0.0.1.
    if host == "localhost":
        host = "127.0.0.1"
    if not port.isdigit() or int(port) > 65535:
        raise AddressError(f'"{address}" is not an address. Write HOST:PORT, such as 127.0.0.1:7654.')
    if host != "::1" and not host.startswith("127."):
        # The connection is not encrypted, and carries the user's text.
        raise AddressError(
            f"{host} is not this machine. Aide listens on 127.0.0.1 only; use ssh to reach it from elsewhere."
        )
    return host, int(port)


def _announce(text: str) -> None:
    sys.stderr.write(f"aide-lsp: {escaped(text)}\n")
    sys.stderr.flush()
