"""A project as it was published, unpacked to a temporary folder, with one file being edited."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from benchmarks.real_code.packages import Archive, fetch, members

LARGEST = 1_000_000
"""Bytes of a file that is unpacked."""
BUILT = {"dist", "build", "node_modules", ".git"}
"""Folders that an archive may have and a checkout has not, or ignores."""


def unpack(archive: Path, folder: Path) -> None:
    """Write the regular files of an archive, without its first folder."""
    for source, member, name in members(archive, LARGEST):
        if not BUILT & set(PurePosixPath(name).parts):
            # `data` rejects what would be outside of the folder.
            member.name = name
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
def unpacked(cache: Path) -> Iterator[Trees]:
    """Give projects in a temporary folder; `cache` is the folder of the archives."""
    with tempfile.TemporaryDirectory(prefix="aide-context-") as folder:
        yield Trees(Path(folder), cache)


@contextmanager
def saved(path: Path, text: str) -> Iterator[None]:
    """Give a file another text for a while: what is to be completed must not be in it."""
    original = path.read_bytes()
    path.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        path.write_bytes(original)
