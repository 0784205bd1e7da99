"""Reads the TOML files that hold settings, each only when it changed.

For a file that did not change, the same object is returned after one look at the file system.
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
from aide_lsp.file_stamp import stamp_of
from aide_lsp.settings.project_folders import PROJECT_FILE, PYPROJECT, Owner, distrust
from aide_lsp.toml_file import UnreadableError

USER_FILE = "settings.toml"
# A project's file is read while the editor waits for its answer.
MOST_BYTES = 262_144
"""Bytes of a file: a `pyproject.toml` holds much else."""
# A file that changed so recently may change again without a difference in time or size.
_SETTLED_NS = 200_000_000
_NO_SUCH = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
"""Errors of a system for a file that cannot exist."""


@frozen(eq=False)
class SettingsFile:
    """A file as it was last read. Compared by identity: a file that did not change has only one object."""

    path: Path
    table: Mapping[str, Any] = field(factory=dict)
    """What it sets; if it is broken, what it set when it was last valid."""
    error: str | None = None
    """Why it cannot be read; None: it can."""
    distrust: str | None = None
    """Why it is ignored although it can be read, and what to do; None: it is used."""
    shadows: Path | None = None
    """A file in the same folder that also sets something, and is ignored because of this one."""


@frozen
class _Look:
    """What one look at a path found; equal looks mean an equal file."""

    real: Path
    """The path, links resolved."""
    stamp: tuple[int, ...]
    """Times of change, size, kind and identity."""
    owner: Owner
    folder: Owner
    """Owner of the folder that holds the file."""
    outside: bool
    """Whether it is a link out of the project."""


@frozen
class _Kept:
    """A file as it was read, and the look before that."""

    look: _Look | None
    """None: it must be read again in any case."""
    data: bytes | None
    """What it held, while it must be read again."""
    file: SettingsFile | None
    """None: it sets nothing for Aide."""


def user_file() -> Path:
    """Return the path of the user's own settings file."""
    from platformdirs import user_config_path

    return user_config_path("aide", appauthor=False) / USER_FILE


def is_only_settings(path: Path | None) -> bool:
    """Whether a file holds Aide's settings and nothing else: the user's, or a project's `.aide.toml`."""
    return path is not None and (path.name == PROJECT_FILE or path == user_file())


class SettingsFiles:
    """Reads files, and remembers what they held when they were last valid."""

    def __init__(self) -> None:
        self._kept: dict[Path, _Kept] = {}
        self._seen: dict[Path, SettingsFile | None] | None = None
        self._shadowing: dict[Path, tuple[SettingsFile, SettingsFile, SettingsFile]] = {}

    @contextmanager
    def one_look(self) -> Iterator[None]:
        """Look at each path only once within this context."""
        self._seen = {}
        try:
            yield
        finally:
            self._seen = None

    def read(self, path: Path) -> SettingsFile | None:
        """Return a file of the user; None if there is none."""
        return self._read(path, None)

    def projects(self, places: tuple[Path, ...]) -> list[SettingsFile]:
        """Return the project files in a document's `project_folders`, nearest first.

        If one folder has both, `.aide.toml` takes the place of `pyproject.toml`.
        """
        found = []
        for place in places:
            own_path, shared_path = _paths(place)
            own, shared = self._read(own_path, places[-1]), self._read(shared_path, places[-1])
            # A file that is ignored takes no other's place.
            if own is not None and shared is not None and not own.distrust:
                found.append(self._shadow(own, shared))
            else:
                found += [file for file in (own, shared) if file is not None]
        return found

    def _shadow(self, own: SettingsFile, shared: SettingsFile) -> SettingsFile:
        kept = self._shadowing.get(own.path)
        if kept is None or kept[0] is not own or kept[1] is not shared:
            # The same object as long as neither file changed, because results are kept by identity.
            shadowing = SettingsFile(own.path, own.table, own.error, own.distrust, shared.path)
            kept = self._shadowing[own.path] = (own, shared, shadowing)
        return kept[2]

    def _read(self, path: Path, root: Path | None) -> SettingsFile | None:
        if self._seen is None:
            return self._read_now(path, root)
        if path not in self._seen:
            self._seen[path] = self._read_now(path, root)
        return self._seen[path]

    def _read_now(self, path: Path, root: Path | None) -> SettingsFile | None:
        """Look at a file, and read it if it changed.

        In a project (`root`), links are followed only inside it, and the file must belong to the user.
        """
        kept = self._kept.get(path)
        try:
            look = _look(path, root)
        except (OSError, ValueError) as error:
            # ValueError: the path has a null character.
            if isinstance(error, ValueError) or error.errno in _NO_SUCH:
                self._kept.pop(path, None)
                return None
            return self._keep(path, None, None, _after_error(path, toml_file.reason(error), kept))
        if kept is not None and kept.look == look:
            return kept.file
        # `abs`, because a file dated in the future would be read at each request.
        settled = abs(time.time_ns() - look.stamp[0]) > _SETTLED_NS
        data: bytes | None = None
        try:
            if look.outside:
                raise UnreadableError(f"it is a link to {look.real}, outside the project")
            data = toml_file.read_bytes(look.real, MOST_BYTES)
            # The same object for the same contents, so that results stay.
            if kept is not None and kept.data == data and kept.file is not None and not kept.file.distrust:
                file: SettingsFile | None = kept.file
            else:
                table = _table_in(data, path)
                file = None if table is None else SettingsFile(path, table)
        except UnreadableError as error:
            file = _after_error(path, str(error), kept, data)
        # After parsing, so that a `pyproject.toml` that is not about Aide is never reported.
        if root is not None and file is not None and (why := distrust(look.real, look.owner, look.folder)):
            file = SettingsFile(path, distrust=why)
        return self._keep(path, look if settled else None, None if settled else data, file)

    def _keep(
        self, path: Path, look: _Look | None, data: bytes | None, file: SettingsFile | None
    ) -> SettingsFile | None:
        self._kept[path] = _Kept(look, data, file)
        return file


def _look(path: Path, root: Path | None) -> _Look:
    """Look at a path without opening it."""
    found = os.lstat(path)
    real, outside = path, False
    # In a project, a folder on the way to the file may be a link as well.
    if root is not None or stat.S_ISLNK(found.st_mode):
        real = Path(os.path.realpath(path))
        found = real.stat()
        outside = root is not None and not real.is_relative_to(os.path.realpath(root))
    folder = Owner.of(real.parent.stat())
    return _Look(real, stamp_of(found), Owner.of(found), folder, outside)


def _after_error(
    path: Path, error: str, kept: _Kept | None, data: bytes | None = None
) -> SettingsFile | None:
    """Keep what a file set before it broke. None: a `pyproject.toml` without settings for Aide."""
    before = kept.file.table if kept is not None and kept.file is not None else {}
    is_ours = path.name != PYPROJECT or before or b"tool.aide" in (data or b"") or "tool.aide" in error
    if not is_ours:
        return None
    return SettingsFile(path, before, error)


def _table_in(data: bytes, path: Path) -> Mapping[str, Any] | None:
    """Return what a file sets; None if it sets nothing for Aide."""
    if path.name != PYPROJECT:
        return toml_file.parse(data, MOST_BYTES)
    # Most have no settings for Aide, and some are long. `parse` refuses those that were cut off.
    if b"aide" not in data and len(data) <= MOST_BYTES:
        return None
    tool = toml_file.parse(data, MOST_BYTES).get("tool", {})
    table = tool.get("aide") if isinstance(tool, Mapping) else None
    if table is not None and not isinstance(table, Mapping):
        raise UnreadableError("tool.aide is not a table")
    return table


@lru_cache(maxsize=8192)
def _paths(place: Path) -> tuple[Path, Path]:
    return place / PROJECT_FILE, place / PYPROJECT
