"""Files and folders on the disk: their size, their hash, replacing a file, and making names durable."""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO


def bytes_in(folder: Path) -> int:
    """Return the size of all files in a folder in which other processes may be working."""
    total = 0
    # `walk` skips folders that disappear meanwhile; a file that does is skipped here.
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += Path(parent, name).stat().st_size
    return total


def megabytes(count: int) -> str:
    """Return a number of bytes for people: 491 MB, 1.12 GB."""
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def sha256_of(file: Path) -> str:
    """Return the sha256 of a file (about half a second for 500 MB)."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def replacing(path: Path, mode: int = 0o666) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `path` once it is written: no one sees a part of it.

    A new one gets `mode`, less what the umask forbids; an existing one keeps its own. After an error, `path`
    is as before.

    Raises:
        OSError: the folder of `path` or the disk takes no new file.
    """
    # In the same folder, because a rename cannot cross file systems.
    temporary = path.with_name(f".aide-{secrets.token_hex(8)}")
    try:
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            yield file
        if path.exists():
            temporary.chmod(path.stat().st_mode & 0o777)
        temporary.replace(path)
    # Ctrl-C must not leave a temporary file either.
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def refusal(error: OSError) -> str:
    """Say why the system refused to write; a file in the place of a folder is named."""
    if isinstance(error, FileExistsError | NotADirectoryError) and error.filename:
        path = Path(error.filename)
        for part in (path, *path.parents):
            if part.is_file():
                return f"{part} is a file, not a folder"
    return error.strerror or str(error)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Windows does this automatically, and cannot open a folder."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
