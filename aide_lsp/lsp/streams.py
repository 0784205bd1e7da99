"""Opens the streams a server speaks over: stdio, a TCP port of this machine, or a Unix socket.

In: where. Out: a binary stream to read and one to write. Taking stdio moves it out of everyone's reach: what
any code prints afterwards goes to stderr, and what any code reads from stdin is empty.
It does not know the protocol.
"""

import os
import socket
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from aide_lsp.errors import AideError
from aide_lsp.invisible import escaped

Streams = tuple[BinaryIO, BinaryIO]
BUFFER = 64 * 1024


class AddressError(AideError):
    """The server cannot listen where it was told to."""


def take_stdio() -> Streams:
    """Take stdin and stdout for the protocol; leave stderr in stdout's place, and nothing in stdin's.

    Works below Python, by file descriptors: native libraries print too, and child processes inherit these.
    """
    source, sink = os.dup(0), os.dup(1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(source, os.O_BINARY)
        msvcrt.setmode(sink, os.O_BINARY)
    else:
        os.set_blocking(source, True)
        os.set_blocking(sink, True)
    return os.fdopen(source, "rb", BUFFER), os.fdopen(sink, "wb", BUFFER)


def accept_tcp(address: str) -> Streams:
    """Wait for one client on `HOST:PORT`, `:PORT` or `PORT` (port 0: any free one).

    Raises:
        AddressError: the address is wrong, not of this machine, or taken.
    """
    host, port = _host_port(address)
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=1)
    except OSError as error:
        raise AddressError(f"Cannot listen on {host}:{port}: {error.strerror or error}.") from error
    _announce(f"{host}:{listener.getsockname()[1]}")
    return _accept(listener)


def accept_socket(path: Path) -> Streams:
    """Wait for one client on a Unix socket that only this user can reach.

    Raises:
        AddressError: the path is taken or cannot be made, or the platform has no such sockets.
    """
    if not hasattr(socket, "AF_UNIX"):
        raise AddressError("This platform has no Unix sockets: use --stdio or --tcp.")
    listener = socket.socket(socket.AF_UNIX)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _remove_stale(path)
        mask = os.umask(0o177)  # the socket is never reachable by others, not even for a moment
        try:
            listener.bind(str(path))
        finally:
            os.umask(mask)
        listener.listen(1)
    except OSError as error:
        raise AddressError(f"Cannot listen on {path}: {error.strerror or error}.") from error
    _announce(str(path))
    streams = _accept(listener)
    path.unlink(missing_ok=True)
    return streams


def _host_port(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if host == "localhost":
        host = "127.0.0.1"
    if not port.isdigit() or int(port) > 65535:
        raise AddressError(f'"{address}" is no address: write HOST:PORT, such as 127.0.0.1:7654.')
    if host != "::1" and not host.startswith("127."):
        # Whoever can connect can read the texts and change the settings: there is no password.
        raise AddressError(
            f"{host} is not this machine: Aide listens on 127.0.0.1 only. Use ssh to reach it."
        )
    return host, int(port)


def _accept(listener: socket.socket) -> Streams:
    connection, _ = listener.accept()
    listener.close()
    if connection.family != getattr(socket, "AF_UNIX", None):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    source, sink = connection.makefile("rb", BUFFER), connection.makefile("wb", BUFFER)
    return cast("BinaryIO", source), cast("BinaryIO", sink)


def _remove_stale(path: Path) -> None:
    """Remove a socket nobody listens on; leave everything else alone."""
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise AddressError(f"{path} exists and is no socket. Choose another path or remove it.")
    probe = socket.socket(socket.AF_UNIX)
    with probe, suppress(ConnectionRefusedError):
        probe.connect(str(path))
        raise AddressError(f"Another server listens on {path} already.")
    path.unlink()


def _announce(where: str) -> None:
    sys.stderr.write(f"aide-lsp: listening on {escaped(where)}\n")
    sys.stderr.flush()
