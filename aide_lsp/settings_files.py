"""Finds the TOML files that settings are read from, and reads each when it changed.

In: a document's path and its workspace folder. Out: tables as they stand in the files, and why a file cannot
be read: with line and column. It does not know what may stand in a table.
"""

import errno
import re
import stat
import time
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from attrs import field, frozen

PROJECT_FILE = ".aide.toml"
PYPROJECT = "pyproject.toml"
USER_FILE = "settings.toml"
MAXIMUM_SIZE = 1_000_000
# A file that changed so recently may change again without its time or size showing it.
_SETTLED_NS = 200_000_000
_NO_SUCH = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
"""What a system says of a file that cannot be there."""
_Stamp = tuple[int, int, int]


@frozen
class SettingsFile:
    """A file as it was read last."""

    path: Path
    """Where it lies."""
    table: Mapping[str, Any] = field(factory=dict)
    """What it sets; of a broken file, what it set when it was last good."""
    fault: str | None = None
    """Why it cannot be read; None: it can."""
    hides: Path | None = None
    """A file beside it that sets something too, and is not read for it."""


def user_file() -> Path:
    """Where the user's own settings lie."""
    from platformdirs import user_config_path

    return user_config_path("aide", appauthor=False) / USER_FILE


class SettingsFiles:
    """Reads files, and remembers what they held when they were last good."""

    def __init__(self) -> None:
        self._kept: dict[Path, tuple[_Stamp | None, SettingsFile]] = {}

    def read(self, path: Path) -> SettingsFile | None:
        """Return what a file sets; None: there is no such file."""
        try:
            found = path.stat()
        except (OSError, ValueError) as error:
            if getattr(error, "errno", None) in _NO_SUCH:
                return None
            return self._keep(path, None, _reason(error))
        if not stat.S_ISREG(found.st_mode):
            return self._keep(path, None, "it is not a file")
        stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
        kept = self._kept.get(path)
        if kept is not None and kept[0] == stamp:
            return kept[1]
        settled = time.time_ns() - found.st_mtime_ns > _SETTLED_NS
        return self._keep(path, stamp if settled else None, _parse(path))

    def projects(self, document: Path | None, folder: Path | None) -> list[SettingsFile]:
        """Return the project files for a document, the nearest first.

        In one folder `.aide.toml` goes before `pyproject.toml`.
        """
        found = []
        for place in project_folders(document, folder):
            own = self.read(place / PROJECT_FILE)
            shared = self._pyproject(place / PYPROJECT)
            if own is not None:
                found.append(SettingsFile(own.path, own.table, own.fault, shared.path if shared else None))
            elif shared is not None:
                found.append(shared)
        return found

    def _pyproject(self, path: Path) -> SettingsFile | None:
        """Return what `[tool.aide]` sets; None: there is no such table."""
        whole = self.read(path)
        if whole is None or (whole.fault and not whole.table and "tool.aide" not in _text_or_nothing(path)):
            return None
        tool = whole.table.get("tool", {})
        table = tool.get("aide") if isinstance(tool, Mapping) else None
        if table is None and not (whole.fault and not whole.table):
            return None
        if table is not None and not isinstance(table, Mapping):
            return SettingsFile(path, {}, "tool.aide is no table")
        return SettingsFile(path, table or {}, whole.fault)

    def _keep(self, path: Path, stamp: _Stamp | None, content: dict[str, Any] | str) -> SettingsFile:
        if isinstance(content, str):
            before = self._kept.get(path)
            file = SettingsFile(path, before[1].table if before else {}, content)
        else:
            file = SettingsFile(path, content)
        self._kept[path] = (stamp, file)
        return file


def project_folders(document: Path | None, folder: Path | None) -> Iterator[Path]:
    """Yield a document's folders from the inside out, to the end of its project.

    A project ends at the workspace folder or, without one, at a version control root or the home folder.
    """
    if document is None:
        yield from [folder] if folder else []
        return
    home = Path.home()
    for place in (document.parent, *document.parent.parents):
        yield place
        if place == folder or (folder is None and (_is_there(place / ".git") or place == home)):
            return


def _is_there(path: Path) -> bool:
    """Whether there is such a file; False where the system does not say."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _parse(path: Path) -> dict[str, Any] | str:
    """Read a TOML file, or say why it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(MAXIMUM_SIZE + 1)
    except OSError as error:
        return _reason(error)
    if len(data) > MAXIMUM_SIZE:
        return f"it has more than {MAXIMUM_SIZE:,} bytes"
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8")
        return f"it is not UTF-8 text (at {_place(before, len(before))})"
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return str(error).replace("at end of document", f"at {_place(text, len(text))}, the end")
    except RecursionError:
        return "it is nested too deeply"
    except ValueError:  # Python reads no integer with more than 4300 digits
        digits = re.search(r"[0-9_]{4300,}", text)
        return f"a number has thousands of digits (at {_place(text, digits.start() if digits else 0)})"


def _place(text: str, offset: int) -> str:
    """Name the place of an offset as `tomllib` does."""
    before = text[:offset]
    return f"line {before.count(chr(10)) + 1}, column {offset - before.rfind(chr(10))}"


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _text_or_nothing(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")[:MAXIMUM_SIZE]
    except OSError:
        return ""
