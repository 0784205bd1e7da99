"""Looks at the disk, each remembered with what shows whether it would be the same now.

What was seen is valid as long as the stamp of the folder or file is the same. A stamp is trusted only if it
was old when the content was read; until then, it is read each time (`file_stamp.py`).
"""

import os
import stat
import time
from collections.abc import Callable, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar, cast

from aide_lsp.file_stamp import Stamp, is_settled, stamp_of
from aide_lsp.line_ends import with_line_feeds
from aide_lsp.plain_file import NotRegularError, open_regular

MOST_NAMES = 2000
"""Names of a folder that are listed. In larger ones, such as folders of data, no file is found."""
LONGEST_TEXT = 200_000
"""Characters of a text."""
LARGEST_FILE = 4 * LONGEST_TEXT + 3
"""Bytes of a file that are read: the most that this many characters and a byte order mark can take."""
_TOO_LARGE = f"it has more than {LONGEST_TEXT:,} characters"
_T = TypeVar("_T")
Opened = Mapping[Path, str]
"""The text of open documents, by their absolute paths."""


class Kind(Enum):
    """What a name in a folder is."""

    FILE = "file"
    "A regular file."
    FOLDER = "folder"
    OTHER = "other"
    "A link, a device, a pipe, a socket."


class _Look:
    """Something that was seen on the disk."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._stamp: Stamp | None = None
        self._is_trusted = self._is_stale = False
        self._sign(time.time_ns(), _stamp_of(path))

    def is_current(self, opened: Opened) -> bool:
        """Look again if need be; return whether what was seen is still true. Once it is not, it never is."""
        now, stamp = time.time_ns(), _stamp_of(self._path)
        if stamp == self._stamp and self._is_trusted:
            return True
        self._sign(now, stamp)
        self._is_stale = self._is_stale or not self._is_same()
        self._is_trusted = self._is_trusted and not self._is_stale
        return not self._is_stale

    def _sign(self, now_ns: int, stamp: Stamp | None) -> None:
        self._stamp = stamp
        self._is_trusted = stamp is not None and is_settled(stamp, now_ns)

    def _is_same(self) -> bool:
        """Whether what is there is what was seen."""
        raise NotImplementedError


class FolderLook(_Look):
    """The names in a folder. Its own path must not lead through links: whoever looks has checked that."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        found = self._found = _kinds_in(path)
        self.kinds = found or {}
        """What each name is. A folder that has too many, or cannot be read, has none."""
        self.is_crowded = found is None
        """Whether it has too many."""
        names = {kind: [name for name, its in self.kinds.items() if its is kind] for kind in Kind}
        self.names = {kind: tuple(sorted(names[kind])) for kind in Kind}
        """The names of each kind, sorted."""

    def _is_same(self) -> bool:
        return _kinds_in(self._path) == self._found


class FileLook(_Look):
    """The text of a regular file: that of the open document, if it is open."""

    def __init__(self, path: str, opened: Opened) -> None:
        super().__init__(path)
        self._place = Path(path)
        self._open_text = opened.get(self._place)
        self.text: str | None
        r"""With \n line ends; None: it has none that can be read."""
        self.problem: str
        """Why it has none, in words."""
        if self._open_text is None:
            self.text, self.problem = _text_in(path)
        else:
            self.text, self.problem = _shortened(with_line_feeds(self._open_text))
        self._derived: dict[Callable[[str], Any], Any] = {}

    def derived(self, compute: Callable[[str], _T]) -> _T:
        """Return what a pure function makes of the text, computed once."""
        if compute not in self._derived:
            self._derived[compute] = compute(self.text or "")
        return cast(_T, self._derived[compute])

    def is_current(self, opened: Opened) -> bool:
        """See `_Look`."""
        if (opened.get(self._place) if opened else None) != self._open_text:
            return False
        return self._open_text is not None or super().is_current(opened)

    def _is_same(self) -> bool:
        return _text_in(self._path) == (self.text, self.problem)


def _stamp_of(path: str) -> Stamp | None:
    try:
        return stamp_of(os.lstat(path))
    except (OSError, ValueError):
        return None


def _kinds_in(path: str) -> dict[str, Kind] | None:
    kinds: dict[str, Kind] = {}
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if len(kinds) == MOST_NAMES:
                    return None
                kinds[entry.name] = _kind_of_entry(entry)
    except (OSError, ValueError):
        return {}
    return kinds


def _kind_of_entry(entry: "os.DirEntry[str]") -> Kind:
    try:
        if entry.is_file(follow_symlinks=False):
            return Kind.FILE
        if entry.is_dir(follow_symlinks=False):
            # Junctions of Windows are folders to Python 3.11.
            return _kind_of(entry.path) if os.name == "nt" else Kind.FOLDER
    except OSError:
        pass
    return Kind.OTHER


def _kind_of(path: str) -> Kind:
    try:
        found = os.lstat(path)
    except (OSError, ValueError):
        return Kind.OTHER
    if getattr(found, "st_reparse_tag", 0):
        return Kind.OTHER
    if stat.S_ISREG(found.st_mode):
        return Kind.FILE
    return Kind.FOLDER if stat.S_ISDIR(found.st_mode) else Kind.OTHER


def _text_in(path: str) -> tuple[str | None, str]:
    """Return the text of a file, or why there is none."""
    try:
        with open_regular(Path(path)) as file:
            # It may grow while it is read.
            is_large = os.fstat(file.fileno()).st_size > LARGEST_FILE
            data = b"" if is_large else file.read(LARGEST_FILE + 1)
    except NotRegularError:
        return None, "it is not a regular file"
    except (OSError, ValueError) as error:
        return None, f"it cannot be read: {getattr(error, 'strerror', None) or error}"
    if is_large or len(data) > LARGEST_FILE:
        return None, _TOO_LARGE
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None, "it is not UTF-8 text"
    return _shortened(with_line_feeds(text))


def _shortened(text: str) -> tuple[str | None, str]:
    return (text, "") if len(text) <= LONGEST_TEXT else (None, _TOO_LARGE)
