"""Merges the places where settings are set: default < user file < project file `.aide.toml` < editor.

In: a document's path, its workspace folder, what the editor sent. Out: `Settings` for that document and the
problems that were found, each naming key, value, allowed range and where it was read.
It does not know what a setting means: `settings.py` does.
"""

import tomllib
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from attrs import frozen

from aide_lsp.settings import (
    FIELDS,
    ModelLimits,
    Settings,
    camel,
    check_value,
    shown,
    value_of,
    with_values,
)

PROJECT_FILE = ".aide.toml"
USER_FILE = "settings.toml"
# Sections of the editor's settings that only the editor's own plugin reads.
CLIENT_SECTIONS = frozenset({"server", "trace"})
KEYS = {**{camel(key): key for key in FIELDS}, **{key: key for key in FIELDS}}


@frozen
class Problem:
    """A value that cannot be used."""

    source: str
    """Where it was read: a path, or a name such as `editor settings`."""
    key: str
    """The key as it was written; empty when the whole file cannot be read."""
    message: str
    """What was found, what is allowed, what stays in effect."""


@frozen
class Resolved:
    """The effective settings, and what was wrong on the way."""

    settings: Settings
    problems: tuple[Problem, ...]
    sources: Mapping[str, str]
    """For each key that a layer set: the name of that layer."""


@frozen
class _Layer:
    name: str
    values: Mapping[str, Any]
    project: bool = False
    folder: Path | None = None

    @property
    def place(self) -> tuple[str, Path | None]:
        return (self.name, self.folder)


def user_file() -> Path:
    """Where the user's own settings lie."""
    from platformdirs import user_config_path

    return user_config_path("aide", appauthor=False) / USER_FILE


def project_file(document: Path | None, folder: Path | None) -> Path | None:
    """Find the project file for a document: the nearest one, no higher than its project.

    A project ends at the workspace folder or, without one, at a version control root or the home folder.
    """
    if document is None:
        candidates = [folder] if folder else []
    else:
        candidates = list(_folders_up(document.parent, folder))
    return next((path for place in candidates if (path := place / PROJECT_FILE).is_file()), None)


class SettingsReader:
    """Merges the layers, and remembers the last good value of each key in each place.

    So a slip of the pen in a file neither stops completions nor jumps back to the default.
    """

    def __init__(self, user: Path | None = None) -> None:
        self._user = user
        self._good: dict[tuple[str, Path | None], dict[str, Any]] = {}
        self._files: dict[Path, tuple[tuple[int, int], dict[str, Any] | str]] = {}

    def resolve(
        self,
        document: Path | None = None,
        editor: Mapping[str, Any] | None = None,
        folder: Path | None = None,
        limits: ModelLimits | None = None,
    ) -> Resolved:
        """Merge all layers for a document, key by key.

        Args:
            document: path of the document; None: no file.
            editor: the editor's settings, with or without an `aide` section, camelCase or snake_case.
            folder: the workspace folder that holds the document.
            limits: what the loaded model allows; None: not known yet.
        """
        problems: list[Problem] = []
        settings, sources = Settings(), {}
        for layer in self._layers(document, editor, folder, problems):
            values = self._checked(layer, settings, limits, problems)
            settings = with_values(settings, values)
            sources.update(dict.fromkeys(values, layer.name))
        return Resolved(settings, tuple(problems), sources)

    def _layers(
        self,
        document: Path | None,
        editor: Mapping[str, Any] | None,
        folder: Path | None,
        problems: list[Problem],
    ) -> Iterator[_Layer]:
        user = self._user or user_file()
        yield _Layer(str(user), self._table(user, problems))
        project = project_file(document, folder)
        if project is not None:
            yield _Layer(str(project), self._table(project, problems), project=True)
        yield _Layer("editor settings", _editor_values(editor), folder=folder)

    def _table(self, path: Path, problems: list[Problem]) -> dict[str, Any]:
        """Read a TOML file if it changed; of a broken one the last good values stay."""
        content = self._file(path)
        if isinstance(content, dict):
            return content
        message = f"{path} cannot be read: {content}. Its last good values stay in effect."
        problems.append(Problem(str(path), "", message))
        return self._good.get((str(path), None), {})

    def _file(self, path: Path) -> dict[str, Any] | str:
        try:
            stat = path.stat()
        except FileNotFoundError:
            return {}
        except OSError as error:
            return error.strerror or str(error)
        stamp = (stat.st_mtime_ns, stat.st_size)
        if path not in self._files or self._files[path][0] != stamp:
            self._files[path] = (stamp, _read_toml(path))
        return self._files[path][1]

    def _checked(
        self, layer: _Layer, below: Settings, limits: ModelLimits | None, problems: list[Problem]
    ) -> dict[str, Any]:
        """Return the usable values of a layer; note the others."""
        before, good = self._good.get(layer.place, {}), {}
        for written, value in layer.values.items():
            key = KEYS.get(written)
            wrong = _refusal(written, key, layer)
            if wrong is None and key is not None:
                fault = check_value(key, value, limits)
                if fault is None:
                    good[key] = value
                    continue
                kept = before.get(key, value_of(below, key))
                wrong = f"{fault}. {'No value' if kept is None else shown(kept)} stays in effect"
                if key in before and check_value(key, kept, limits) is None:
                    good[key] = kept
            problems.append(Problem(layer.name, written, f"{written} in {layer.name}: {wrong}."))
        self._good[layer.place] = good
        return good


def _refusal(written: str, key: str | None, layer: _Layer) -> str | None:
    """Say why a layer may not have this key at all."""
    if key is None:
        near = get_close_matches(written, KEYS, n=1)
        return "there is no such setting" + (f'; the nearest is "{near[0]}"' if near else "")
    if layer.project and not FIELDS[key].project:
        return "a project file cannot set this; set it in the editor or in your own settings file"
    return None


def _editor_values(editor: Mapping[str, Any] | None) -> dict[str, Any]:
    """Unwrap the `aide` section; null means that the editor sets nothing."""
    values: Any = editor or {}
    if isinstance(values.get("aide"), Mapping):
        values = values["aide"]
    return {key: value for key, value in values.items() if value is not None and key not in CLIENT_SECTIONS}


def _read_toml(path: Path) -> dict[str, Any] | str:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return error.strerror or str(error)
    except UnicodeDecodeError:
        return "it is not UTF-8 text"
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return str(error) or "it is nested too deeply"


def _folders_up(start: Path, folder: Path | None) -> Iterator[Path]:
    """Yield a document's folders from the inside out, to the end of its project."""
    home = Path.home()
    for place in (start, *start.parents):
        yield place
        if place == folder or (folder is None and ((place / ".git").exists() or place == home)):
            return
