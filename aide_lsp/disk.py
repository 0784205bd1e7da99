"""Files and folders on the disk: their size, their hash, and making names durable."""

import hashlib
import os
from contextlib import suppress
from pathlib import Path


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


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable. Windows does this automatically, and cannot open a folder."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
