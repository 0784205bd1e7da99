"""The client's settings for each workspace folder, and the settings in effect for a document.

Also keeps track of which problems the user has been shown.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import evolve
from lsprotocol import types

from aide_lsp.lsp.workspace.folders import WorkspaceFolders
from aide_lsp.lsp.workspace.uris import Location, location_of
from aide_lsp.settings.fields import ENGINE_KEYS, KEYS
from aide_lsp.settings.files import user_file
from aide_lsp.settings.globs import is_glob
from aide_lsp.settings.limits import ModelLimits
from aide_lsp.settings.problems import Problem
from aide_lsp.settings.project_folders import PROJECT_FILE
from aide_lsp.settings.reader import EDITOR, SettingsReader
from aide_lsp.settings.resolved import Resolved
from aide_lsp.settings.tables import TABLES, SettingsLayer

SECTION = "aide"
_Scope = tuple[str | None, str]
_MOST_REVIEWED = 200
"""Directories checked after a change. The event loop waits: this many take hundredths of a second."""
Ask = Callable[[types.ConfigurationParams], Awaitable[Sequence[Any]]]


class ClientSettings:
    """What the client has set for each folder, at one moment. For the worker's thread."""

    def __init__(self, folders: Iterable[str], values: Callable[[str | None], Mapping[str, Any]]) -> None:
        self._folders = WorkspaceFolders(folders)
        self._values = {uri: values(uri) for uri in (None, *self._folders.uris)}

    def of(self, path: Path) -> tuple[Mapping[str, Any], Path | None]:
        """Return what the client sets for a file on this machine, and the workspace folder that holds it."""
        uri, folder = self._folders.holding(str(path))
        return self._values[uri], folder


class Configuration:
    """The client's settings. For the event loop's thread."""

    def __init__(
        self,
        reader: SettingsReader | None = None,
        language_of: Callable[[str], str] = lambda uri: "",
        file_of: Callable[[str], str] = lambda uri: uri,
    ) -> None:
        """Start without settings.

        Args:
            reader: of the settings files.
            language_of: the language id of a document.
            file_of: the URI of the file that a document belongs to: for a notebook's cell the notebook.
        """
        self._reader = reader or SettingsReader()
        self.language_of, self.file_of = language_of, file_of
        self._options: Mapping[str, Any] = {}
        self._pushed: Mapping[str, Any] = {}
        self._pulled: dict[str | None, Mapping[str, Any]] = {}
        self._editor: dict[str | None, Mapping[str, Any]] = {}
        self._client: ClientSettings | None = None
        self._guards = True
        self._scope: _Scope = (None, "")
        self._shown: dict[_Scope, tuple[Problem, ...]] = {}
        self._folders = WorkspaceFolders(())
        self.limits: ModelLimits | None = None
        """What the loaded model allows; None: not loaded yet."""
        self.problems: tuple[Problem, ...] = ()
        """The problems found when settings were last resolved."""

    def start(self, options: Any, folders: Iterable[str], *, guards: bool = True) -> None:
        """Take the options and folders of `initialize`.

        `guards`: whether the client keeps a project from changing what it sends, as Aide's own clients do.
        Emacs, for example, reads settings for language servers from a file of the project: there, these must
        not name a server.
        """
        self._guards = guards
        self._options, self._folders = section_of(options), WorkspaceFolders(folders)
        self._changed()

    def push(self, values: Any) -> None:
        """Take the settings of a `didChangeConfiguration`; null only says that something changed."""
        if values is not None:
            self._pushed = section_of(values)
            self._changed()

    async def pull(self, ask: Ask) -> None:
        """Ask the client for its settings, in general and for each folder."""
        scopes: list[str | None] = [None, *self._folders.uris]
        items = [types.ConfigurationItem(scope_uri=scope, section=SECTION) for scope in scopes]
        answers = await ask(types.ConfigurationParams(items=items))
        # Not strict: clients may answer with fewer items.
        self._pulled = {scope: section_of(answer) for scope, answer in zip(scopes, answers, strict=False)}
        self._changed()

    def change_folders(self, added: Iterable[str], removed: Iterable[str]) -> None:
        """Follow the client's workspace folders."""
        gone = set(map(location_of, removed))
        kept = [uri for uri in self._folders.uris if location_of(uri) not in gone]
        self._folders = WorkspaceFolders([*kept, *added])
        self._changed()

    def resolve(self, uri: str | None = None, request: Mapping[str, Any] | None = None) -> Resolved:
        """Return the settings in effect for a document; None: for no document, in the first folder.

        `request` contains what a single request sets.
        """
        language = self.language_of(uri) if uri else ""
        uri = self.file_of(uri) if uri else None
        folder, place = self._folders.holding(uri) if uri else self._folders.first()
        location = self._folders.location(uri) if uri else Location(place)
        resolved = self._reader.resolve(
            location.path if uri else None,
            self._editor_settings(folder),
            place,
            self.limits,
            language=language,
            request=request,
            others=location.others,
            on_disk=location.on_disk is not None,
        )
        if not self._guards and (refused := [*self._refused(folder)]):
            resolved = evolve(resolved, problems=(*resolved.problems, *refused))
        self.problems, self._scope = resolved.problems, _scope_of(uri, language)
        return resolved

    def _refused(self, folder: str | None) -> Iterator[Problem]:
        """Yield a problem for each setting that the client sends and that a project may have set there."""
        for written in {**self._pushed, **self._pulled_for(folder)}:
            if KEYS.get(written) in ENGINE_KEYS:
                error = f"a project could set this in your editor; set it in {user_file()}"
                yield Problem.of(written, EDITOR, error, of_key=True)

    def _pulled_for(self, folder: str | None) -> Mapping[str, Any]:
        return self._pulled.get(folder, self._pulled.get(None, {}))

    @property
    def client(self) -> ClientSettings:
        """What the client has set until now; the same object until that changes."""
        if self._client is None:
            self._client = ClientSettings(self._folders.uris, self._editor_settings)
        return self._client

    def _changed(self) -> None:
        self._editor.clear()
        self._client = None

    def _editor_settings(self, folder: str | None) -> Mapping[str, Any]:
        """Return what the client set for a folder; the same object until it changes."""
        # `SettingsReader` reuses its result as long as it gets the same object.
        found = self._editor.get(folder)
        if found is None:
            later = _merged(self._pushed, self._pulled_for(folder))
            if not self._guards:
                later = {key: value for key, value in later.items() if KEYS.get(key) not in ENGINE_KEYS}
            found = self._editor[folder] = _merged(self._options, later)
        return found

    def user_layers(self) -> list[SettingsLayer]:
        """Return what the user's own file sets."""
        return self._reader.user_layers()

    def workspace_folder(self, uri: str) -> Path | None:
        """Return the workspace folder that contains a document."""
        return self._folders.holding(self.file_of(uri))[1]

    def new_problems(self) -> list[Problem]:
        """Return the problems the last `resolve` found that were not shown yet, or had gone away since.

        Tracked by directory and language: documents that share both have the same settings.
        """
        if self._shown.get(self._scope) == self.problems:
            return []
        known = set(self.known_problems())
        self._shown[self._scope] = self.problems
        return [problem for problem in self.problems if problem not in known]

    def review(self, uris: Iterable[str]) -> list[Problem]:
        """Resolve for the folders and these documents, and no others; return problems not shown yet."""
        known, self._shown = set(self.known_problems()), self._problems(uris)
        return [problem for problem in self.known_problems() if problem not in known]

    def current_problems(self, uris: Iterable[str]) -> list[Problem]:
        """Return the problems that now exist for the folders and these documents."""
        return _distinct(self._problems(uris))

    def _problems(self, uris: Iterable[str]) -> dict[_Scope, tuple[Problem, ...]]:
        """Resolve for the folders and these documents.

        Thousands of documents may be open: those with the same files and language share one result. If there
        are very many folders, the last ones are checked when the user types there.
        """
        scopes: dict[_Scope, tuple[Problem, ...]] = {}
        # Any name in a folder: it is resolved like a document there.
        inside = (f"{folder.rstrip('/')}/{PROJECT_FILE}" for folder in self._folders.uris)
        found: dict[Any, tuple[Problem, ...]] = {}
        # Each file is looked up once, however many documents share it.
        with self._reader.one_look():
            for one in (None, *inside, *uris):
                language = self.language_of(one) if one else ""
                uri = self.file_of(one) if one else None
                scope = _scope_of(uri, language)
                if len(scopes) >= _MOST_REVIEWED:
                    break
                if scope in scopes:
                    continue
                folder, place = self._folders.holding(uri) if uri else self._folders.first()
                on_disk = self._folders.location(uri).on_disk if uri else None
                sources = self._reader.sources(on_disk, place, on_disk is not None or uri is None)
                key = (folder, language, sources)
                if key not in found:
                    found[key] = self.resolve(one).problems
                scopes[scope] = found[key]
        return scopes

    def known_problems(self) -> list[Problem]:
        """Return the problems that were shown and still exist, as far as they were checked again."""
        return _distinct(self._shown)


def _distinct(scopes: Mapping[_Scope, tuple[Problem, ...]]) -> list[Problem]:
    # By identity: many directories share one tuple.
    lists = {id(problems): problems for problems in scopes.values()}
    return list(dict.fromkeys(problem for problems in lists.values() for problem in problems))


def _scope_of(uri: str | None, language: str) -> _Scope:
    return uri.rpartition("/")[0] if uri else None, language


def section_of(values: Any) -> dict[str, Any]:
    """Find our settings in what a client sent, with or without the section's name around them.

    Null means that the user set nothing. Tables with unknown names are other servers' sections.
    """
    while isinstance(values, Mapping) and SECTION in values:
        values = values[SECTION]
    if not isinstance(values, Mapping):
        return {}
    # With the prefix, as in the settings.json of VS Code.
    named = {str(key).removeprefix(SECTION + "."): value for key, value in values.items()}
    return {
        key: value
        for key, value in named.items()
        if value is not None and (not isinstance(value, Mapping) or _is_ours(key))
    }


def _is_ours(table: str) -> bool:
    """Return whether a table is ours; a name with a dot may be another server's section."""
    return table in KEYS or table in TABLES or is_glob(table.replace(".", ""))


def _merged(lower: Mapping[str, Any], upper: Mapping[str, Any], depth: int = 3) -> Mapping[str, Any]:
    """Merge tables key by key, down to the keys of one language; null sets nothing."""
    merged = dict(lower)
    for key, value in upper.items():
        under = merged.get(key)
        if depth > 1 and isinstance(value, Mapping) and isinstance(under, Mapping):
            merged[key] = _merged(under, value, depth - 1)
        elif value is not None:
            merged[key] = value
    return merged
