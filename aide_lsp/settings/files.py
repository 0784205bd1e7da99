"""Finds the TOML files that settings are read from, and reads each when it changed.

In: a document's path and its workspace folder. Out: tables as they are in the files, and why a file cannot
be read: with line and column. Of a file that did not change the same value comes again, after one look at it.
It does not know what may be in a table.
"""

import errno
import os
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from attrs import field, frozen

from aide_lsp import toml_file
from aide_lsp.settings.project_folders import PROJECT_FILE, PYPROJECT, Owner, distrust
from aide_lsp.toml_file import UnreadableError

USER_FILE = "settings.toml"
MAXIMUM_SIZE = 262_144
"""Bytes of a file: a `pyproject.toml` holds much besides."""
# A file that changed so recently may change again without its time or size showing it.
_SETTLED_NS = 200_000_000
_NO_SUCH = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
"""What a system says of a file that cannot be there."""


@frozen(eq=False)
class SettingsFile:
    """A file as it was read last. Of one that did not change there is one value only: compared as such."""

    path: Path
    """Where it is."""
    table: Mapping[str, Any] = field(factory=dict)
    """What it sets; of a broken file, what it set when it was last good."""
    fault: str | None = None
    """Why it cannot be read; None: it can."""
    distrust: str | None = None
    """Why nothing of it counts although it could be read, and what to do; None: it counts."""
    hides: Path | None = None
    """A file next to it that sets something too, and is not read for it."""


@frozen
class _Look:
    """What one look at a path showed; equal looks mean an equal file."""

    real: Path
    """The path, links resolved."""
    stamp: tuple[int, ...]
    """When it changed, its size and kind, and which file it is."""
    owner: Owner
    folder: Owner
    """Of the folder that holds the file."""
    outside: bool
    """Whether it is a link that leaves the project."""


@frozen
class _Kept:
    """A file, and what was seen of it."""

    look: _Look | None
    """None: it is to be read again in any case."""
    data: bytes | None
    """What it held, as long as it is to be read again."""
    file: SettingsFile | None
    """What that means; None: it sets nothing for us."""


def user_file() -> Path:
    """Where the user's own settings are."""
    from platformdirs import user_config_path

    return user_config_path("aide", appauthor=False) / USER_FILE


class SettingsFiles:
    """Reads files, and remembers what they held when they were last good."""

    def __init__(self) -> None:
        self._kept: dict[Path, _Kept] = {}
        self._seen: dict[Path, SettingsFile | None] | None = None
        self._hiding: dict[Path, tuple[SettingsFile, SettingsFile, SettingsFile]] = {}

    @contextmanager
    def one_look(self) -> Iterator[None]:
        """Within it, each path is looked at once."""
        self._seen = {}
        try:
            yield
        finally:
            self._seen = None

    def read(self, path: Path) -> SettingsFile | None:
        """Return what a file of the user sets; None: there is no such file."""
        return self._read(path, None)

    def projects(self, places: tuple[Path, ...]) -> list[SettingsFile]:
        """Return the project files in a document's `project_folders`, the nearest first.

        In one folder `.aide.toml` goes before `pyproject.toml`.
        """
        found = []
        for place in places:
            own_path, shared_path = _paths(place)
            own, shared = self._read(own_path, places[-1]), self._read(shared_path, places[-1])
            if own is not None and shared is not None and not own.distrust:
                found.append(self._hide(own, shared))
            else:
                found += [file for file in (own, shared) if file is not None]
        return found

    def _hide(self, own: SettingsFile, shared: SettingsFile) -> SettingsFile:
        kept = self._hiding.get(own.path)
        if kept is None or kept[0] is not own or kept[1] is not shared:
            hiding = SettingsFile(own.path, own.table, own.fault, own.distrust, shared.path)
            kept = self._hiding[own.path] = (own, shared, hiding)
        return kept[2]

    def _read(self, path: Path, root: Path | None) -> SettingsFile | None:
        if self._seen is None:
            return self._read_now(path, root)
        if path not in self._seen:
            self._seen[path] = self._read_now(path, root)
        return self._seen[path]

    def _read_now(self, path: Path, root: Path | None) -> SettingsFile | None:
        """Look at a file, and read it if it is another one than before.

        Of one in a project (`root`) links are followed within it only, and it must be the user's.
        """
        kept = self._kept.get(path)
        try:
            look = _look(path, root)
        except (OSError, ValueError) as error:
            if isinstance(error, ValueError) or error.errno in _NO_SUCH:
                self._kept.pop(path, None)
                return None
            return self._keep(path, None, None, _after_fault(path, toml_file.reason(error), kept))
        if kept is not None and kept.look == look:
            return kept.file
        settled = abs(time.time_ns() - look.stamp[0]) > _SETTLED_NS
        data: bytes | None = None
        try:
            if look.outside:
                raise UnreadableError(f"it is a link to {look.real}, outside the project")
            data = toml_file.read_bytes(look.real, MAXIMUM_SIZE)
            if kept is not None and kept.data == data and kept.file is not None and not kept.file.distrust:
                file: SettingsFile | None = kept.file
            else:
                table = _table_in(data, path)
                file = None if table is None else SettingsFile(path, table)
        except UnreadableError as error:
            file = _after_fault(path, str(error), kept, data)
        if root is not None and file is not None and (why := distrust(look.real, look.owner, look.folder)):
            file = SettingsFile(path, distrust=why)
        return self._keep(path, look if settled else None, None if settled else data, file)

    def _keep(
        self, path: Path, look: _Look | None, data: bytes | None, file: SettingsFile | None
    ) -> SettingsFile | None:
        self._kept[path] = _Kept(look, data, file)
        return file


def _look(path: Path, root: Path | None) -> _Look:
    """See what is at a path, without opening it."""
    found = os.lstat(path)
    real, outside = path, False
    if root is not None or stat.S_ISLNK(found.st_mode):
        real = Path(os.path.realpath(path))
        found = real.stat()
        outside = root is not None and not real.is_relative_to(os.path.realpath(root))
    folder = Owner.of(real.parent.stat())
    stamp = (found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_mode, found.st_dev, found.st_ino)
    return _Look(real, stamp, Owner.of(found), folder, outside)


def _after_fault(
    path: Path, fault: str, kept: _Kept | None, data: bytes | None = None
) -> SettingsFile | None:
    """Keep what a file said before it broke. None: a `pyproject.toml` that says nothing of us."""
    before = kept.file.table if kept is not None and kept.file is not None else {}
    is_ours = path.name != PYPROJECT or before or b"tool.aide" in (data or b"") or "tool.aide" in fault
    if not is_ours:
        return None
    return SettingsFile(path, before, fault)


def _table_in(data: bytes, path: Path) -> Mapping[str, Any] | None:
    """Return what a file sets; None: it sets nothing for us."""
    if path.name != PYPROJECT:
        return toml_file.parse(data, MAXIMUM_SIZE)
    if b"aide" not in data and len(data) <= MAXIMUM_SIZE:
        return None  # most of them, and some are long
    tool = toml_file.parse(data, MAXIMUM_SIZE).get("tool", {})
    table = tool.get("aide") if isinstance(tool, Mapping) else None
    if table is not None and not isinstance(table, Mapping):
        raise UnreadableError("tool.aide is no table")
    return table


@lru_cache(maxsize=8192)
def _paths(place: Path) -> tuple[Path, Path]:
    return place / PROJECT_FILE, place / PYPROJECT
