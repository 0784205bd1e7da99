"""A project as it was published, unpacked to a temporary folder, with one file being edited."""

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from benchmarks.real_code.packages import MOST_FILES, Archive, fetch

LARGEST = 1_000_000
"""Bytes of a file that is unpacked."""
BUILT = {"dist", "build", "node_modules", ".git"}
"""Folders that an archive may have and a checkout has not, or ignores."""


def unpack(archive: Path, folder: Path) -> None:
    """Write the regular files of an archive, without its first folder."""
    with tarfile.open(archive, "r:gz") as source:
        for _ in range(MOST_FILES):
            member = source.next()
            if member is None:
                return
            parts = PurePosixPath(member.name).parts[1:]
            if not member.isreg() or member.size > LARGEST or not parts or BUILT & set(parts):
                continue
            # `data` rejects what would be outside of the folder.
            member.name = str(PurePosixPath(*parts))
            source.extract(member, folder, filter="data")


class Trees:
    """Projects, each unpacked when it is needed."""

    def __init__(self, folder: Path, cache: Path) -> None:
        self._folder, self._cache = folder, cache

    def root(self, archive: Archive) -> Path:
        """Return the folder of an archive's content."""
        root = self._folder / archive.file.removesuffix(".tar.gz")
        if not root.exists():
            unpack(fetch(archive, self._cache), root)
        return root


@contextmanager
def saved(path: Path, text: str) -> Iterator[None]:
    """Give a file another text for a while: what is to be completed must not be in it."""
    original = path.read_bytes()
    path.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        path.write_bytes(original)
