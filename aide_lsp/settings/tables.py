"""Takes one place's settings apart: plain keys, tables for languages, tables for globs.

A `SettingsLayer` becomes `SettingsTable`s in the order in which they count, each with whether it fits the
document.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate, takewhile
from pathlib import Path, PurePath
from typing import Any, Literal

from attrs import evolve, frozen

from aide_lsp.settings.globs import MAXIMUM_SIZE, glob_fault, glob_size, is_glob, matches
from aide_lsp.settings.problems import Problem, named, shown

LANGUAGES, GLOBS, PRESETS = "languages", "globs", "presets"
TABLES = (LANGUAGES, GLOBS, PRESETS)
MOST_TABLES = 200
"""They are looked through for each request: a project's file must not make an editor wait."""
Kind = Literal["user", "project", "editor", "request"]


@frozen
class SettingsLayer:
    """All that one place sets."""

    name: str
    """Its path, or a name such as `editor settings`."""
    kind: Kind
    """Whose it is; a project may set less than the user."""
    table: Mapping[str, Any]
    """What it sets, as it was written."""
    root: Path | None = None
    """The folder that its globs are relative to; None: they fit no file."""
    scope: Path | None = None
    """The workspace folder it belongs to, where one name has a table for each."""
    stale: bool = False
    """Its file cannot be read any more; this is what it held when it was last good."""


@frozen
class SettingsTable:
    """The keys of one table of a layer."""

    label: str
    """How the table is written: empty, `[languages.python]` or `["tests/**"]`."""
    prefix: str
    """What goes before a key of it in a message."""
    values: Mapping[str, Any]
    """By key, as it was written."""
    fits: bool
    """Whether it counts for the document."""
    glob: str = ""
    """Which files it is for; empty: not by name."""


@frozen
class Subject:
    """What settings are asked for."""

    document: Path | None = None
    """The document's path; None: it has none."""
    language: str = ""
    """Its LSP language id; empty: unknown."""
    others: tuple[Path, ...] = ()
    """More names that it has."""
    on_disk: bool = True
    """Whether the path is one of this machine."""


def tables_of(layer: SettingsLayer, subject: Subject, problems: list[Problem]) -> list[SettingsTable]:
    """Take a layer apart: plain keys first, then languages, then globs in the order they are written."""
    plain = dict[str, Any]()
    languages: list[SettingsTable] = []
    globs: list[SettingsTable] = []
    for written, value in layer.table.items():
        if value is None and layer.kind != "request":
            continue
        if written == LANGUAGES:
            languages += _languages(layer, value, subject, problems)
        elif written == GLOBS:
            globs += _globs(layer, value, problems)
        elif written == PRESETS and layer.kind in ("user", "editor"):
            continue  # read by itself: a preset may be named before it is made
        elif is_glob(written):
            globs += _glob(layer, written, value, problems)
        else:
            plain[written] = value
    globs = _within_size(layer, globs, problems)
    found = [SettingsTable("", "", plain, True), *languages, *globs]
    if len(found) > MOST_TABLES:
        wrong = f"{len(found)} tables are more than {MOST_TABLES}; the last ones do not count"
        problems.append(Problem(layer.name, "", f"{layer.name}: {wrong}."))
    return [_fitted(table, layer, subject) for table in found[:MOST_TABLES]]


def _fitted(table: SettingsTable, layer: SettingsLayer, subject: Subject) -> SettingsTable:
    """Say whether a table for a glob counts: asked only of those that are few enough."""
    return evolve(table, fits=fits(table.glob, layer, subject.document)) if table.glob else table


def _within_size(
    layer: SettingsLayer, globs: list[SettingsTable], problems: list[Problem]
) -> list[SettingsTable]:
    """Leave out the last tables where the globs together would take too long."""
    counted = globs_within(table.glob for table in globs)
    if counted < len(globs):
        wrong = f"its globs, braces written out, have more than {MAXIMUM_SIZE:,} characters"
        problems.append(Problem(layer.name, "", f"{layer.name}: {wrong}; the last ones do not count."))
    return globs[:counted]


def globs_within(globs: Iterable[str]) -> int:
    """Count how many globs of one place, from the first on, are few enough to be matched."""
    sizes = accumulate(glob_size(glob) for glob in globs)
    return sum(1 for _ in takewhile(lambda size: size <= MAXIMUM_SIZE, sizes))


def fits(glob: str, layer: SettingsLayer, document: Path | None) -> bool:
    """Whether a document fits a glob of a layer."""
    if document is None:
        return False
    anchored = _anchored(glob)
    if anchored is not None:
        return matches(anchored, PurePath(*document.parts[1:]))
    if not document.is_absolute():  # an unsaved document that has a name only
        return matches(glob, document)
    if layer.root is None or not document.is_relative_to(layer.root):
        return False
    return matches(glob, document.relative_to(layer.root))


def fault_in(glob: str, layer: SettingsLayer) -> str | None:
    """Say what is wrong with a glob in this layer."""
    if layer.kind == "project" and glob.startswith(("/", "~")):
        return "a project's globs are relative to the folder of its file, and begin with no /"
    return glob_fault(glob)


def _languages(
    layer: SettingsLayer, value: Any, subject: Subject, problems: list[Problem]
) -> Iterator[SettingsTable]:
    if not isinstance(value, Mapping):
        wrong = f"expected a table for each language, such as [languages.python], found {shown(value)}"
        problems.append(Problem.of(LANGUAGES, layer.name, wrong))
        return
    for language, values in value.items():
        prefix = f"{LANGUAGES}.{named(language)}"
        if isinstance(values, Mapping):
            same = bool(language) and language.lower() == subject.language.lower()
            yield SettingsTable(f"[{prefix}]", f"{prefix}.", _set(values), same)
        elif values is not None:
            wrong = f"expected a table of settings for this language, found {shown(values)}"
            problems.append(Problem.of(prefix, layer.name, wrong))


def _globs(layer: SettingsLayer, value: Any, problems: list[Problem]) -> Iterator[SettingsTable]:
    if not isinstance(value, Mapping):
        wrong = f"expected a table of settings for each glob, found {shown(value)}"
        problems.append(Problem.of(GLOBS, layer.name, wrong))
        return
    for glob, values in value.items():
        yield from _glob(layer, glob, values, problems)


def _glob(layer: SettingsLayer, glob: str, values: Any, problems: list[Problem]) -> Iterator[SettingsTable]:
    prefix = shown(glob)
    if values is None:
        return
    if not isinstance(values, Mapping):
        wrong = f"expected a table of settings for the files that fit this glob, found {shown(values)}"
    elif (fault := fault_in(glob, layer)) is not None:
        wrong = f"{fault}; nothing of this table takes effect"
    else:
        yield SettingsTable(f"[{prefix}]", f"{prefix}.", _set(values), False, glob)
        return
    problems.append(Problem.of(prefix, layer.name, wrong))


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out null, by which editors say that nothing is set."""
    return {key: value for key, value in values.items() if value is not None}


def _anchored(glob: str) -> str | None:
    """Write a glob that names a folder of the machine relative to its root; None: it names none."""
    if glob.startswith("~/"):
        return "/" + "/".join((*Path.home().parts[1:], glob[2:]))
    return glob if glob.startswith("/") else None
