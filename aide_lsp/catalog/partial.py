"""A model file that is being downloaded: it survives a kill, and gets its name when it is verified.

Next to `NAME.partial` is `NAME.partial.marks`, whose lines are an offset and the sha256 of all bytes up to
it. A download that was killed resumes at the last mark that still agrees with the bytes on the disk; one that
failed or was interrupted has a mark at its end.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from aide_lsp.disk import refusal, sync_folder
from aide_lsp.errors import DownloadError, disk_is_full

_BLOCK = 1 << 20


class SourceError(DownloadError):
    """One source cannot provide the file; another may. The message completes "The source ..."."""


class UnreachableError(SourceError):
    """One source does not answer. The message completes "The source cannot be reached (...)"."""


class DiskFullError(DownloadError):
    """The disk is full, so no other source will help."""


class PartialFile:
    """The first bytes of `destination`, whose size and sha256 are known.

    A context manager; the caller holds the lock of the model. Raises `SourceError` for bytes that cannot be
    the model's, `DiskFullError`, and `DownloadError` for other errors of the system.
    """

    def __init__(self, destination: Path, size: int, sha256: str) -> None:
        self.destination = destination
        self.size = size
        self.sha256 = sha256
        self._path = destination.with_name(destination.name + ".partial")
        self._marks_path = destination.with_name(destination.name + ".partial.marks")
        # One value, since a signal may unwind between any two statements.
        self._counted = (0, hashlib.sha256())
        with writing_to(destination.parent):
            # Unbuffered: otherwise closing would write again what a full disk refused, and fail again.
            self._file = FileIO(self._path, "r+" if self._path.exists() else "w+")
            self._recover()

    def __enter__(self) -> "PartialFile":
        return self

    def __exit__(self, *_: object) -> None:
        if self._file.closed:  # finished or discarded
            return
        with writing_to(self.destination.parent):
            # A signal may have come when a block was written and not counted.
            self._file.seek(self.done)
            self._count_up_to(self.size)
        if self.done:
            self.mark()
            self._file.close()
        else:
            self.discard()

    @property
    def done(self) -> int:
        """Bytes so far."""
        return self._counted[0]

    def append(self, data: bytes) -> None:
        """Add bytes at the end."""
        # Checked before writing, so that a source that never ends cannot fill the disk.
        if self.done + len(data) > self.size:
            raise SourceError(f"sent more than the model's {self.size} bytes")
        with writing_to(self.destination.parent):
            _write_all(self._file, data)
        self._count(data)

    def mark(self) -> None:
        """Record this place, from which a later start may resume."""
        done, digest = self._counted
        with writing_to(self.destination.parent), self._marks_path.open("ab") as marks:
            marks.write(_mark(done, digest.hexdigest()).encode())

    def restart(self) -> None:
        """Forget all bytes."""
        self._cut(0, hashlib.sha256())
        self._marks_path.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove the file and its marks."""
        self._file.close()
        self._path.unlink(missing_ok=True)
        self._marks_path.unlink(missing_ok=True)

    def finish(self) -> Path:
        """Verify all bytes, then give the file its name. Discard incorrect ones and raise `SourceError`."""
        held, digest = self._counted
        if held != self.size or digest.hexdigest() != self.sha256:
            # Which bytes are incorrect is unknown, so none is kept.
            self.restart()
            if held != self.size:
                raise SourceError(f"sent {held} bytes, the model has {self.size}")
            raise SourceError("sent a file that does not match the model card")
        with writing_to(self.destination.parent):
            # Before the rename: after a power failure the name could otherwise belong to an incomplete file.
            os.fsync(self._file.fileno())
            self._file.close()
            self._path.replace(self.destination)
            sync_folder(self.destination.parent)
            self._marks_path.unlink(missing_ok=True)
        return self.destination

    def _recover(self) -> None:
        good, marks = self._counted, ""
        # After a crash the file may lack bytes that were marked, so the marks are compared with what is on
        # the disk.
        for offset, digest in self._marks():
            self._count_up_to(offset)
            if self.done != offset or self._counted[1].hexdigest() != digest:
                break
            good, marks = self._counted, marks + _mark(offset, digest)
        self._cut(*good)
        if self._marks_path.exists():
            # Marks that come after one that disagrees would not be read the next time.
            os.truncate(self._marks_path, len(marks))

    def _count(self, data: bytes) -> None:
        done, digest = self._counted
        digest = digest.copy()
        digest.update(data)
        self._counted = (done + len(data), digest)

    def _count_up_to(self, offset: int) -> None:
        while block := self._file.read(min(_BLOCK, offset - self.done)):
            self._count(block)

    def _marks(self) -> Iterator[tuple[int, str]]:
        try:
            # A killed process may leave half a line.
            lines = self._marks_path.read_bytes().decode("ascii", "replace").split("\n")[:-1]
        except FileNotFoundError:
            return
        last = 0
        for line in lines:
            offset, _, digest = line.partition(" ")
            # Nothing after it can be trusted.
            if not offset.isascii() or not offset.isdigit() or not last <= int(offset) <= self.size:
                return
            last = int(offset)
            yield last, digest

    def _cut(self, size: int, digest: "hashlib._Hash") -> None:
        self._file.truncate(size)
        self._file.seek(size)
        self._counted = (size, digest)


def _mark(offset: int, digest: str) -> str:
    return f"{offset} {digest}\n"


def _write_all(file: FileIO, data: bytes) -> None:
    # An unbuffered file may write only a part.
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


@contextmanager
def writing_to(folder: Path) -> Iterator[None]:
    """Turn the system's errors about writing to `folder` into messages."""
    try:
        yield
    except OSError as error:
        if disk_is_full(error):
            raise DiskFullError(
                f"The disk is full: a file in {folder} could not be written. Free some space there, or set "
                "AIDE_DATA_DIR to a folder on another disk, then try again."
            ) from error
        raise DownloadError(
            f"A file in {folder} could not be written: {refusal(error)}. Fix that, or set AIDE_DATA_DIR "
            "to another folder, then try again."
        ) from error
