"""Splits the settings of one place into tables: plain keys, then languages, then globs.

The tables come in the order in which they apply, a later one over an earlier one. Whether a value is valid is
checked elsewhere (`values.py`).
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate, takewhile
from pathlib import Path, PurePath
from typing import Any, Literal

from attrs import evolve, frozen

from aide_lsp.language_ids.table import ALIASES, language_id_of
from aide_lsp.language_ids.typos import intended_id
from aide_lsp.settings.globs import MAXIMUM_SIZE, glob_error, glob_size, is_glob, matches
from aide_lsp.settings.problems import Problem, named, shown
from aide_lsp.settings.project_folders import home_folder

LANGUAGES_KEY, GLOBS_KEY, PRESETS_KEY = "languages", "globs", "presets"
TABLES = (LANGUAGES_KEY, GLOBS_KEY, PRESETS_KEY)
MOST_TABLES = 200
"""All of them are checked for each request, and a project file must not slow the editor down."""
Kind = Literal["user", "project", "editor", "request"]


@frozen
class SettingsLayer:
    """Everything that one place sets."""

    name: str
    """Its path, or a name such as `editor settings`."""
    kind: Kind
    """Who it belongs to; a project may set less than the user."""
    table: Mapping[str, Any]
    """What it sets, as it was written."""
    root: Path | None = None
    """The folder that its globs are relative to; None: they match no file."""
    scope: Path | None = None
    """The workspace folder it belongs to, if the layer differs between folders."""
    stale: bool = False
    """Its file cannot be read any more; `table` is what it held when it was last valid."""


@frozen
class SettingsTable:
    """The keys of one table of a layer."""

    label: str
    """How the table is written: empty, `[languages.python]` or `["tests/**"]`."""
    prefix: str
    """What precedes one of its keys in a message."""
    values: Mapping[str, Any]
    """By key, as it was written."""
    applies: bool
    """Whether it applies to the document."""
    glob: str = ""
    """The files it is for; empty: not limited by name."""


@frozen
class Subject:
    """The document that settings are resolved for."""

    document: Path | None = None
    """Its path; None: it has none."""
    language: str = ""
    """Its LSP language id; empty: unknown."""
    others: tuple[Path, ...] = ()
    """Its other names."""
    on_disk: bool = True
    """Whether the path is one of this machine."""


def tables_of(layer: SettingsLayer, subject: Subject, problems: list[Problem]) -> list[SettingsTable]:
    """Split a layer: plain keys first, then languages, then globs in the order they are written."""
    plain = dict[str, Any]()
    languages: list[SettingsTable] = []
    globs: list[SettingsTable] = []
    for written, value in layer.table.items():
        # Editors send null for settings that are not set; in a request, null unsets one.
        if value is None and layer.kind != "request":
            continue
        if written == LANGUAGES_KEY:
            languages += _languages(layer, value, subject, problems)
        elif written == GLOBS_KEY:
            globs += _globs(layer, value, problems)
        elif written == PRESETS_KEY and layer.kind in ("user", "editor"):
            continue  # read before: a layer may use a preset that a later one defines
        elif is_glob(written):
            globs += _glob(layer, written, value, problems)
        else:
            plain[written] = value
    globs = _within_size(layer, globs, problems)
    found = [SettingsTable("", "", plain, True), *languages, *globs]
    if len(found) > MOST_TABLES:
        error = f"{len(found)} tables exceed the limit of {MOST_TABLES}; the last ones are ignored"
        problems.append(Problem(layer.name, "", f"{layer.name}: {error}."))
    # Matched last, when their number and size are known to be bounded.
    return [_fitted(table, layer, subject) for table in found[:MOST_TABLES]]


def _fitted(table: SettingsTable, layer: SettingsLayer, subject: Subject) -> SettingsTable:
    """Determine whether a table for a glob applies; called only for tables within the limits."""
    return evolve(table, applies=glob_applies(table.glob, layer, subject.document)) if table.glob else table


def _within_size(
    layer: SettingsLayer, globs: list[SettingsTable], problems: list[Problem]
) -> list[SettingsTable]:
    """Leave out the last tables if matching all globs would take too long."""
    counted = globs_within(table.glob for table in globs)
    if counted < len(globs):
        error = f"with braces expanded, its globs have more than {MAXIMUM_SIZE:,} characters"
        problems.append(Problem(layer.name, "", f"{layer.name}: {error}; the last ones are ignored."))
    return globs[:counted]


def globs_within(globs: Iterable[str]) -> int:
    """Count how many globs of one place, from the first on, are within the limit on their size."""
    sizes = accumulate(glob_size(glob) for glob in globs)
    return sum(1 for _ in takewhile(lambda size: size <= MAXIMUM_SIZE, sizes))


def glob_applies(glob: str, layer: SettingsLayer, document: Path | None) -> bool:
    """Whether a document matches a glob of a layer."""
    if document is None:
        return False
    anchored = _anchored(glob)
    if anchored is not None:
        return matches(anchored, PurePath(*document.parts[1:]))
    if not document.is_absolute():  # an unsaved document that only has a name
        return matches(glob, document)
    if layer.root is None or not document.is_relative_to(layer.root):
        return False
    return matches(glob, document.relative_to(layer.root))


def layer_glob_error(glob: str, layer: SettingsLayer) -> str | None:
    """Describe what makes a glob invalid in this layer; None if it is valid."""
    if layer.kind == "project" and glob.startswith(("/", "~")):
        return "globs in a project file are relative to its folder and cannot begin with / or ~"
    if glob.startswith("~/") and home_folder() is None:
        return "it begins with ~, but your home folder is unknown; set HOME to its path"
    return glob_error(glob)


def _languages(
    layer: SettingsLayer, value: Any, subject: Subject, problems: list[Problem]
) -> Iterator[SettingsTable]:
    if not isinstance(value, Mapping):
        error = f"expected a table for each language, such as [languages.python], found {shown(value)}"
        problems.append(Problem.of(LANGUAGES_KEY, layer.name, error))
        return
    # People write `Rust`, editors send `rust`. What VS Code calls `shellscript` is `sh` in Neovim, and one
    # project has both: a table with either name is for the other. Where an editor tells `bash` and `zsh`
    # apart, so do the tables.
    sent = subject.language.lower()
    known = language_id_of(sent, str(subject.document or ""))
    for number, (language, values) in enumerate(value.items()):
        prefix = f"{LANGUAGES_KEY}.{named(language)}"
        if isinstance(values, Mapping):
            name = language.lower()
            same = bool(name) and (name in (sent, known) or ALIASES.get(name) == sent)
            meant = intended_id(language) if not same and number < MOST_TABLES else None
            if meant is not None:
                error = f'unknown language; the closest name is "{meant}"'
                problems.append(Problem.of(prefix, layer.name, error, of_key=True))
            yield SettingsTable(f"[{prefix}]", f"{prefix}.", _set(values), same)
        elif values is not None:
            error = f"expected a table of settings for this language, found {shown(values)}"
            problems.append(Problem.of(prefix, layer.name, error))


def _globs(layer: SettingsLayer, value: Any, problems: list[Problem]) -> Iterator[SettingsTable]:
    if not isinstance(value, Mapping):
        error = f"expected a table of settings for each glob, found {shown(value)}"
        problems.append(Problem.of(GLOBS_KEY, layer.name, error))
        return
    for glob, values in value.items():
        yield from _glob(layer, glob, values, problems)


def _glob(layer: SettingsLayer, glob: str, values: Any, problems: list[Problem]) -> Iterator[SettingsTable]:
    prefix = shown(glob)
    if values is None:
        return
    if not isinstance(values, Mapping):
        error = f"expected a table of settings for the files that match this glob, found {shown(values)}"
    elif (found := layer_glob_error(glob, layer)) is not None:
        error = f"{found}; the table is ignored"
    else:
        yield SettingsTable(f"[{prefix}]", f"{prefix}.", _set(values), False, glob)
        return
    problems.append(Problem.of(prefix, layer.name, error))


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out null, which editors send for settings that are not set."""
    return {key: value for key, value in values.items() if value is not None}


def _anchored(glob: str) -> str | None:
    """Write a glob that names an absolute folder relative to the root; None if it names none."""
    if glob.startswith("~/"):
        home = home_folder()
        return None if home is None else "/" + "/".join((*home.parts[1:], glob[2:]))
    return glob if glob.startswith("/") else None
