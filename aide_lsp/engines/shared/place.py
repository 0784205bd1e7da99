"""Where the engine that a user's editors share is found: a folder that only this user can enter.

Each combination of what an engine loads has a name of its own, so that an editor never joins an engine that
would complete differently.
"""

import hashlib
import json
import os
import stat
import sys
from collections.abc import Iterable
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

from attrs import frozen

from aide_lsp.errors import AideError, disk_is_full
from aide_lsp.server_address import ServerAddress

LONGEST_PATH = 100
"""Bytes of a socket's path: systems take 103 or 107."""
LONGEST_FILE = 10_000
ENGINE = "the shared engine"
"""What messages call it."""


class SharingError(AideError):
    """An engine cannot be shared. The message is a reason that fits after a colon, without a full stop."""


@frozen
class SharedPlace:
    """The files of one engine."""

    folder: Path
    name: str
    uses_socket: bool = sys.platform != "win32"
    "Otherwise a port of this machine and a token, in a file that only this user can read."

    @property
    def socket(self) -> Path:
        """The Unix socket."""
        return self.folder / f"{self.name}.sock"

    @property
    def lock(self) -> Path:
        """Locked by the client that starts the engine."""
        return self.folder / f"{self.name}.lock"

    @property
    def log(self) -> Path:
        """What the engine says. It never says any text."""
        return self.folder / f"{self.name}.log"

    @property
    def announcement(self) -> Path:
        """Where an engine without a socket says where it listens."""
        return self.folder / f"{self.name}.json"

    @property
    def token_file(self) -> Path:
        """The token of an engine without a socket."""
        return self.folder / f"{self.name}.token"

    def options(self) -> list[str]:
        """Return the options of `aide serve` that make it listen here."""
        log = ["--log", str(self.log)]
        if self.uses_socket:
            return ["--socket", str(self.socket), *log]
        return [
            *log,
            "--port",
            "0",
            "--token-file",
            str(self.token_file),
            "--announce",
            str(self.announcement),
        ]

    def prepare(self) -> None:
        """Make what the engine needs before it starts.

        Raises:
            OSError: it cannot be written.
        """
        if not self.uses_socket:
            self.announcement.unlink(missing_ok=True)
            self.token_file.unlink(missing_ok=True)
            handle = os.open(self.token_file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as stream:
                stream.write(token_urlsafe(32))

    def address(self) -> tuple[ServerAddress, str] | None:
        """Return where the engine is, and its token; None: none is there.

        Raises:
            OSError: the files cannot be read.
        """
        if self.uses_socket:
            address = ServerAddress("http://localhost", ENGINE, True, str(self.socket))
            return (address, "") if self.socket.exists() else None
        try:
            said: Any = json.loads(_beginning(self.announcement))
            token = _beginning(self.token_file).strip()
        except (FileNotFoundError, ValueError):
            return None
        if not isinstance(said, dict) or not token:
            return None
        port, process = said.get("port"), said.get("process")
        # Another user's program may have the port by now: it must not get the token, nor any text.
        if type(port) is not int or type(process) is not int or not _listens(process, port):
            return None
        return ServerAddress(f"http://127.0.0.1:{port}", ENGINE, True), token


def name_of(facts: Iterable[object]) -> str:
    """Return a name for an engine, from all that makes it what it is."""
    digest = hashlib.sha256(json.dumps([str(one) for one in facts]).encode()).hexdigest()
    return f"engine-{digest[:12]}"


def find_place(folders: Iterable[Path], name: str, *, uses_socket: bool) -> SharedPlace:
    """Return the place for an engine, in the first of some folders that can be used; it is made if need be.

    Raises:
        SharingError: none can.
    """
    reason = "there is no folder for it"
    for folder in folders:
        place = SharedPlace(folder, name, uses_socket)
        if uses_socket and len(os.fsencode(place.socket)) > LONGEST_PATH:
            reason = f"the path {place.socket} is too long for a socket"
            continue
        try:
            _make_private(folder)
        except SharingError as error:
            reason = str(error)
        except OSError as error:
            reason = cannot_write(folder, error)
        else:
            return place
    raise SharingError(reason)


def cannot_write(folder: Path, error: OSError) -> str:
    """Return the reason in words."""
    if disk_is_full(error):
        return f"the disk of {folder} is full"
    return f"{folder} cannot be used ({error.strerror or type(error).__name__})"


def _make_private(folder: Path) -> None:
    """Make a folder that only this user can enter, or check that it is one.

    Raises:
        OSError: it cannot be made, or not be written to.
        SharingError: it is not ours.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not folder.exists():
        folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise SharingError(f"{folder} is not a folder")
    if os.name == "nt":
        return
    if found.st_uid != os.geteuid():
        raise SharingError(f"{folder} belongs to another user")
    if found.st_mode & 0o077:
        folder.chmod(0o700)
    # What is in it may be theirs: a socket that reads what you type, or a link to a file of yours.
    if found.st_mode & 0o022 and any(folder.iterdir()):
        folder.chmod(stat.S_IMODE(found.st_mode))
        raise SharingError(f"other users could write to {folder}; delete it")
    # Root may write anywhere but to a file system that is mounted read-only.
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(13, "it is not writable")


def _beginning(file: Path) -> str:
    with file.open(encoding="utf-8") as stream:
        return stream.read(LONGEST_FILE)


def _listens(process: int, port: int) -> bool:
    """Whether a process of this user listens on a port of this machine."""
    import psutil

    try:
        found = psutil.Process(process)
        if found.username() != psutil.Process().username():
            return False
        ports = [one.laddr.port for one in found.net_connections("tcp") if one.status == psutil.CONN_LISTEN]
    except (psutil.Error, OSError):
        return False
    return port in ports
