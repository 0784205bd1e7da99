"""Unix sockets that only their owner can reach, and that nobody can put another one in place of."""

import os
import socket
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aide_lsp.errors import AideError

BACKLOG = 1_024
"""Many strangers who connect at once must not keep a client out."""
TOO_LONG = "the path is too long for a socket. Choose one of at most 100 bytes"
"""The one error for which Python has no words of the system."""


class AddressError(AideError):
    """A server cannot listen at the given address."""


def listen_privately(path: Path) -> socket.socket:
    """Listen on a Unix socket.

    Raises:
        AddressError: the path is taken or cannot be created, or the platform has no Unix sockets.
    """
    if sys.platform == "win32":
        raise AddressError("This platform has no Unix sockets. Listen on a port instead.")
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
    except BaseException as error:
        listener.close()
        if isinstance(error, OSError):
            raise AddressError(f"Cannot listen on {path}: {error.strerror or TOO_LONG}.") from error
        raise
    return listener


@contextmanager
def removed_after(path: Path) -> Iterator[None]:
    """Remove a socket after the body of a `with` statement, unless another server has put its own there."""
    ours = _made(path)
    try:
        yield
    finally:
        with suppress(OSError):
            if _made(path) == ours:
                path.unlink()


def _made(path: Path) -> tuple[int, int]:
    """Return what distinguishes a socket from the next one at its path, which often gets the same inode."""
    found = path.lstat()
    return found.st_ino, found.st_mtime_ns


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
