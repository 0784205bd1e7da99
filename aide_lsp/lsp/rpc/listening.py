"""Waits for a client on a TCP port of this machine or on a Unix socket.

Other users can neither connect (`admission.py` checks) nor put another socket in place of ours.
"""

import os
import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_urlsafe

from aide_lsp.errors import AideError
from aide_lsp.invisible import escaped
from aide_lsp.lsp.rpc.admission import admit
from aide_lsp.lsp.rpc.streams import Streams

SHORTEST_TOKEN = 16
"""Characters. A shorter token could be guessed: any program on the machine can try, again and again."""
BACKLOG = 64
"""Many strangers who connect at once must not keep the client out."""


class AddressError(AideError):
    """The server cannot listen at the given address."""


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
    if sys.platform == "win32":
        raise AddressError("This platform has no Unix sockets. Use --stdio or --tcp.")
    listener = socket.socket(socket.AF_UNIX)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_folder(path.parent)
        with _locked(path.parent):  # two servers must not both find the path free
            _remove_stale(path)
            mask = os.umask(0o177)  # others can never reach the socket, not even for a moment
            try:
                listener.bind(str(path))
            finally:
                os.umask(mask)
            listener.listen(BACKLOG)
    except OSError as error:
        raise AddressError(f"Cannot listen on {path}: {error.strerror or error}.") from error
    ours = path.lstat().st_ino
    _announce(f"listening on {path}")
    try:
        return admit(listener, None)
    finally:
        with suppress(OSError):
            # Another server may have put its own socket there in the meantime.
            if path.lstat().st_ino == ours:
                path.unlink()


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


if sys.platform != "win32":
    import fcntl

    def _check_folder(folder: Path) -> None:
        """Reject a folder in which others could replace our socket."""
        found = folder.stat()
        # With the sticky bit, as in /tmp, only its owner can remove or rename a file.
        others_write = found.st_mode & (stat.S_IWGRP | stat.S_IWOTH) and not found.st_mode & stat.S_ISVTX
        if others_write or found.st_uid not in (0, os.geteuid()):
            raise AddressError(
                f"Other users can change {folder}, and so replace the socket. Choose a folder that only you "
                "can write to, such as $XDG_RUNTIME_DIR."
            )

    @contextmanager
    def _locked(folder: Path) -> Iterator[None]:
        """Lock a folder; the lock is released even if the process is killed."""
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _remove_stale(path: Path) -> None:
        """Remove a socket that no one listens on; leave everything else alone."""
        try:
            found = path.lstat()
        except FileNotFoundError:
            return
        if stat.S_ISLNK(found.st_mode):
            raise AddressError(f"{path} is a link. Give the path of the socket itself.")
        if not stat.S_ISSOCK(found.st_mode):
            raise AddressError(f"{path} exists and is not a socket. Choose another path or remove it.")
        probe = socket.socket(socket.AF_UNIX)
        with probe, suppress(ConnectionRefusedError):
            probe.settimeout(1.0)
            with suppress(TimeoutError, BlockingIOError):  # it is too busy to answer, so it is alive
                probe.connect(str(path))
            raise AddressError(f"Another server already listens on {path}.")
        path.unlink()


def _announce(text: str) -> None:
    sys.stderr.write(f"aide-lsp: {escaped(text)}\n")
    sys.stderr.flush()
