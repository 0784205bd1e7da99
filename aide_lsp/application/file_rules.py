"""Which files must not be read for completions in others: what the settings of each such file say.

A file's settings are those of its own folder, so a project file next to it counts wherever the cursor is. To
resolve them for a hundred files takes milliseconds, so answers are kept. Whether they are still true shows in
a look at the folders, which takes a fraction of one, and is taken at each request.
"""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from attrs import frozen

from aide_lsp.file_stamp import Stamp, is_settled, stamp_of
from aide_lsp.language_ids.table import language_id_of
from aide_lsp.settings.files import user_file
from aide_lsp.settings.project_folders import PROJECT_FILE, PYPROJECT, globs_root, project_folders
from aide_lsp.settings.reader import SettingsReader

_MOST_KEPT = 8
"""Projects whose rules are kept."""


class FolderSettings(Protocol):
    """What an editor sets in each of its folders. Another object each time that something changed."""

    def of(self, path: Path) -> tuple[Mapping[str, Any] | None, Path | None]:
        """Return what the editor sets for a file, and the workspace folder that holds it."""


@frozen
class OneFolder:
    """The settings of a command: no editor sets anything."""

    folder: Path | None = None
    "The workspace folder; None: there is none."

    def of(self, path: Path) -> tuple[None, Path | None]:
        """See `FolderSettings`."""
        return None, self.folder if self.folder in path.parents else None


class FileRules:
    """Says for each file of a project whether it may be read. Its answers never change; see `is_current`."""

    def __init__(self, reader: SettingsReader, folders: FolderSettings) -> None:
        self._reader, self._folders = reader, folders
        self._answers: dict[Path, str | None] = {}
        self._states: dict[Path, object] = {}  # of the folders of these files
        self._looks: dict[Path, Stamp | None] = {}
        self._looked_at = 0

    def __call__(self, path: Path) -> str | None:
        """Return why a file must not be read, in words; None: it may."""
        if path not in self._answers:
            with self._reader.one_look():
                self._note(path.parent)
                editor, folder = self._folders.of(path)
                language = language_id_of("", str(path))
                rule = self._reader.resolve(path, editor, folder, language=language).context_off
            self._answers[path] = None if rule is None else rule.reason()
        return self._answers[path]

    def is_current(self, folders: FolderSettings) -> bool:
        """Whether its answers are still true, and those for these settings."""
        if folders is not self._folders and folders != self._folders:
            return False
        if self._is_unchanged():
            return True
        # Something has changed in the folders; mostly that is no settings file.
        states, self._states, self._looks, self._looked_at = self._states, {}, {}, 0
        with self._reader.one_look():
            for folder in states:
                self._note(folder)
        return self._states == states

    def _note(self, folder: Path) -> None:
        """Note all that the settings of a folder's files depend on."""
        if folder in self._states:
            return
        inside = folder / PROJECT_FILE  # any name
        workspace = self._folders.of(inside)[1]
        self._look(user_file())
        places = project_folders(inside, workspace)
        for place in places:
            # The folder shows whether it has a new file; one that is there may be changed in place.
            self._look(place)
            for name in (PROJECT_FILE, PYPROJECT):
                if _stamp(place / name) is not None:
                    self._look(place / name)
        sources = self._reader.sources(inside, workspace)
        self._states[folder] = places, globs_root(inside, workspace, places), sources

    def _look(self, path: Path) -> None:
        if path not in self._looks:
            self._looked_at = self._looked_at or time.time_ns()
            self._looks[path] = _stamp(path)

    def _is_unchanged(self) -> bool:
        for path, seen in self._looks.items():
            now = _stamp(path)
            if now != seen or (now is not None and not is_settled(now, self._looked_at)):
                return False
        return True


class FileRulesReader:
    """The rules of the projects that were completed in last. Used by one thread."""

    def __init__(self) -> None:
        self._reader = SettingsReader()
        self._kept: dict[Path, FileRules] = {}

    def rules(self, root: Path, folders: FolderSettings) -> FileRules:
        """Return the rules of a project as they are now: the same object as long as nothing has changed."""
        kept = self._kept.pop(root, None)
        if kept is None or not kept.is_current(folders):
            kept = FileRules(self._reader, folders)
        self._kept[root] = kept  # the last one is the newest
        while len(self._kept) > _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return kept


def _stamp(path: Path) -> Stamp | None:
    try:
        return stamp_of(path.stat())
    except (OSError, ValueError):
        return None
