"""What one selection sees of the project, and whether another would see the same.

Paths are relative to the project's root, with `/` on every system. A path exists here only if no part of it
below the root is a link, so nothing outside the root is ever read.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar, cast
from weakref import WeakValueDictionary

from aide_lsp.context.looks import FileLook, FolderLook, Kind, Opened

MOST_LOOKS = 1000
"""Folders and files that one selection looks at. For it, there are no others."""
LOOK_AGAIN_S = 5.0
"""From one look at the same files on the disk to the next: at each key, that would take longer than all else.
What is typed in open documents counts at once."""
LONGEST_PATH = 500
"""Characters of a path in the project. Longer ones do not exist."""
Look = FolderLook | FileLook
Known = WeakValueDictionary[tuple[type[Look], str], Look]
"""What was seen, by absolute path, as long as someone holds on to it."""
_Kind = TypeVar("_Kind", FolderLook, FileLook)


class Looks:
    """All that was looked at for one answer, and whether it is still true."""

    def __init__(self, looks: Iterable[Look], opened: Opened, again_s: float) -> None:
        """Take what was just seen; `again_s`: see `LOOK_AGAIN_S`."""
        self._looks, self._opened, self._again_s = tuple(looks), opened, again_s
        self._next = time.monotonic() + again_s
        self._is_stale = False

    def are_current(self, opened: Opened) -> bool:
        """Whether another view would see the same, as far as was looked. Once not, it never would."""
        now = time.monotonic()
        if now >= self._next or opened != self._opened:
            self._opened, self._next = opened, now + self._again_s
            self._is_stale = self._is_stale or not all(look.is_current(opened) for look in self._looks)
        return not self._is_stale


class ProjectView:
    """The project's files, looked at when they are asked for. What one view has seen never changes for it."""

    def __init__(
        self, root: str, opened: Opened, known: Known, check: Callable[[], None] = lambda: None
    ) -> None:
        """Look at nothing yet.

        Args:
            root: an absolute path.
            opened: the text of open documents.
            known: what others have seen. It is checked, used again, and added to.
            check: called before each file that is read; raises if that is no longer wanted.
        """
        self._root = root.rstrip("/\\") + "/"
        self._opened, self._known, self._check = opened, known, check
        self._looks: dict[tuple[type[Look], str], Look] = {}

    def looks(self, again_s: float) -> Looks:
        """Return all that was looked at; `again_s`: see `LOOK_AGAIN_S`."""
        return Looks(self._looks.values(), self._opened, again_s)

    def files(self, folder: str) -> Sequence[str]:
        """Return the names of the regular files in a folder; none if there is no such folder."""
        return self.names(folder, Kind.FILE)

    def folders(self, folder: str) -> Sequence[str]:
        """Return the names of the folders in a folder; links are none."""
        return self.names(folder, Kind.FOLDER)

    def text(self, path: str) -> str:
        """Return the text of a file; empty if it has none that can be read."""
        found = self.read(path)
        return (found.text or "") if found is not None else ""

    def names(self, folder: str, kind: Kind) -> Sequence[str]:
        """Return the names of one kind in a folder, sorted; none if it has too many."""
        found = self._folder(folder)
        return found.names[kind] if found is not None else ()

    def is_crowded(self, folder: str) -> bool:
        """Whether a folder has too many names to be listed."""
        found = self._folder(folder)
        return found is not None and found.is_crowded

    def is_file(self, path: str) -> bool:
        """Whether there is a regular file."""
        return self._kind(path) is Kind.FILE

    def read(self, path: str) -> FileLook | None:
        """Read a file; None: there is none."""
        if not self.is_file(path):
            return None
        self._check()
        return self._look(FileLook, path, lambda place: FileLook(place, self._opened))

    def _folder(self, path: str) -> FolderLook | None:
        if self._kind(path) is not Kind.FOLDER:
            return None
        return self._look(FolderLook, path, lambda place: FolderLook(place))

    def _kind(self, path: str) -> Kind | None:
        """What a path is; None: nothing. That is known once the folder that it is in has been listed."""
        if not path:
            return Kind.FOLDER
        parent, _, name = path.rpartition("/")
        folder = self._folder(parent) if len(path) <= LONGEST_PATH else None
        return folder.kinds.get(name) if folder is not None else None

    def _look(self, kind: type[_Kind], path: str, look: Callable[[str], _Kind]) -> _Kind | None:
        place = self._root + path
        key = (kind, place)
        if key in self._looks:
            return cast(_Kind, self._looks[key])
        if len(self._looks) >= MOST_LOOKS:
            return None
        found = self._known.get(key)
        if found is None or not found.is_current(self._opened):
            found = self._known[key] = look(place)
        self._looks[key] = found
        return cast(_Kind, found)
