"""Reads all places where settings are set and merges them for a document.

The places, each over the ones before it: defaults, user file, project file, editor, one request. The result
is cached per document, so that a keystroke costs one look at each of the project's files.
"""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from aide_lsp.settings.fields import FIELDS, KEYS
from aide_lsp.settings.files import SettingsFile, SettingsFiles, user_file
from aide_lsp.settings.limits import ModelLimits
from aide_lsp.settings.merge import merged
from aide_lsp.settings.problems import Problem
from aide_lsp.settings.project_folders import globs_root, project_folders
from aide_lsp.settings.resolved import Resolved
from aide_lsp.settings.tables import Kind, SettingsLayer, Subject
from aide_lsp.settings.values import ValueChecker

# Sections of the editor's settings that only the editor's own plugin reads.
CLIENT_SECTIONS = frozenset({"server", "trace"})
EDITOR, REQUEST = "editor settings", "this request"
Sources = tuple[SettingsFile | None, tuple[SettingsFile, ...]]
"""The user's file, and the project files, nearest first."""
_Known = tuple[Sources, Path | None, ModelLimits | None, tuple[int, int] | None]
_MOST_KEPT = 256
"""Results kept, one for each document that is edited."""


class SettingsReader:
    """Resolves settings. Remembers files, the last valid value of each key in each place, and results.

    A result is reused as long as no file changed and the editor's settings are the same object.
    """

    def __init__(self, user: Path | None = None) -> None:
        self._user = user
        self._files = SettingsFiles()
        self._values = ValueChecker()
        self._kept: dict[tuple[Subject, Path | None], tuple[Mapping[str, Any] | None, _Known, Resolved]] = {}

    def resolve(
        self,
        document: Path | None = None,
        editor: Mapping[str, Any] | None = None,
        folder: Path | None = None,
        limits: ModelLimits | None = None,
        *,
        language: str = "",
        request: Mapping[str, Any] | None = None,
        others: tuple[Path, ...] = (),
        on_disk: bool = True,
    ) -> Resolved:
        """Merge all places for a document, key by key.

        Args:
            document: path of the document; None: no file.
            editor: the editor's settings, with or without an `aide` section, camelCase or snake_case.
            folder: the workspace folder that holds the document.
            limits: what the loaded model allows; None: not known yet.
            language: the document's LSP language id; empty: unknown.
            request: what applies to this one request; null means unset, for example no preset.
            others: other names of the document; Aide is off in it if a rule matches any of them.
            on_disk: whether the path is one of this machine; if not, no files are read for it.
        """
        subject = Subject(document, language, others, on_disk)
        places = project_folders(document, folder) if on_disk else ()
        sources = self._sources(places)
        # For a path of another machine, nothing on this one's disk says where its project ends.
        anchor = folder or (document and Path(document.anchor))
        root = globs_root(document, folder, places) if on_disk else anchor
        known, key = (sources, root, limits, _identity(subject)), (subject, folder)
        kept = None if request else self._kept.get(key)
        if kept is not None and kept[0] is editor and kept[1] == known:
            return kept[2]
        layers, outer = _layers(sources, root)
        layers.append(SettingsLayer(EDITOR, "editor", _editor_values(editor), root, folder))
        layers += [SettingsLayer(REQUEST, "request", _request_values(request), root)] if request else []
        resolved = merged(subject, layers, outer, limits, self._values, list(_file_problems(sources)))
        if not request:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[key] = (editor, known, resolved)
        return resolved

    def user_layers(self) -> list[SettingsLayer]:
        """Return the layer of the user's own file, if there is one."""
        user = self._files.read(self._user or user_file())
        return [_layer(user, "user", None)] if user else []

    def one_look(self) -> AbstractContextManager[None]:
        """Look at each file only once within this context, for resolving many documents together."""
        return self._files.one_look()

    def sources(self, document: Path | None, folder: Path | None, on_disk: bool = True) -> Sources:
        """Return the files that a document's settings come from; equal if none of them changed."""
        return self._sources(project_folders(document, folder) if on_disk else ())

    def _sources(self, places: tuple[Path, ...]) -> Sources:
        user = self._files.read(self._user or user_file())
        return user, tuple(self._files.projects(places))


def _layers(sources: Sources, root: Path | None) -> tuple[list[SettingsLayer], list[SettingsLayer]]:
    """Return the layers of files, and separately the project files further out."""
    user, files = sources
    own = [_layer(user, "user", root)] if user else []
    projects = [_layer(file, "project", file.path.parent) for file in files if not file.distrust]
    return own + projects[:1], projects[1:]


def _layer(file: SettingsFile, kind: Kind, root: Path | None) -> SettingsLayer:
    return SettingsLayer(str(file.path), kind, file.table, root, stale=file.error is not None)


def _file_problems(sources: Sources) -> Iterator[Problem]:
    """Describe which files are ignored or unreadable."""
    user, files = sources
    for file in ([user] if user else []) + [*files]:
        if file.distrust is not None:
            message = f"{file.path} is ignored because {file.distrust}."
            yield Problem(str(file.path), "", message, notice=True)
        if file.error is not None:
            stays = "Its last valid values stay in effect." if file.table else "None of its settings apply."
            yield Problem(str(file.path), "", f"{file.path} cannot be read: {file.error}. {stays}")
        if file.shadows is not None:
            message = (
                f"[tool.aide] in {file.shadows} is ignored because {file.path.name} is in the same folder."
            )
            yield Problem(str(file.shadows), "", message, notice=True)


def _identity(subject: Subject) -> tuple[int, int] | None:
    """Return which file a document is on the disk; it may be replaced by a link to another one."""
    if subject.document is None or not subject.on_disk:
        return None
    try:
        found = subject.document.stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def _request_values(request: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out null, unless it unsets a setting and so overrides what is below."""
    nullable = {written for written, key in KEYS.items() if FIELDS[key].none}
    return {key: value for key, value in request.items() if value is not None or key in nullable}


def _editor_values(editor: Mapping[str, Any] | None) -> dict[str, Any]:
    """Unwrap the `aide` section, and leave out null, which editors send for settings that are not set."""
    values: Any = editor or {}
    if isinstance(values.get("aide"), Mapping):
        values = values["aide"]
    return {
        key: value
        for key, value in values.items()
        if value is not None and key.partition(".")[0] not in CLIENT_SECTIONS
    }
