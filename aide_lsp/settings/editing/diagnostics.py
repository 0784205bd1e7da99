"""Problems of a settings file with their places, from its text as it is typed."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from aide_lsp import toml_file
from aide_lsp.settings.editing.layout import Span, TomlEntry, entries
from aide_lsp.settings.files import MOST_BYTES
from aide_lsp.settings.limits import ModelLimits
from aide_lsp.settings.merge import merged
from aide_lsp.settings.problems import Problem, named, shown
from aide_lsp.settings.project_folders import PYPROJECT
from aide_lsp.settings.tables import GLOBS_KEY, LANGUAGES_KEY, PRESETS_KEY, Kind, SettingsLayer, Subject
from aide_lsp.settings.values import ValueChecker
from aide_lsp.toml_file import UnreadableError

_PLACE = re.compile(r" \(at (?:the end, )?line (\d+), column (\d+)\)")
_TABLE = ("tool", "aide")


@frozen
class Diagnostic:
    """A problem, and where it is."""

    span: Span
    message: str
    notice: bool = False
    """Nothing is invalid, but the user should know."""


def diagnose(
    text: str,
    path: Path,
    kind: Kind,
    below: list[SettingsLayer],
    limits: ModelLimits | None,
    values: ValueChecker,
) -> list[Diagnostic]:
    """Check a text as it would be read from a file.

    Args:
        text: what the file would hold.
        path: of the file.
        kind: `project` or `user`.
        below: the layers that it is merged over.
        limits: what the loaded model allows; None: not known yet.
        values: remembers the last valid values of this file.
    """
    try:
        parsed = toml_file.parse(text.encode("utf-8", "replace"), MOST_BYTES)
    except UnreadableError as error:
        return [] if path.name == PYPROJECT and "tool.aide" not in text else [_unreadable(text, str(error))]
    table = _table_of(parsed, path)
    if not isinstance(table, Mapping):
        return []
    layer = SettingsLayer(str(path), kind, table, path.parent)
    found = merged(Subject(), [*below, layer], [], limits, values, []).problems
    spans = _spans(text, path)
    return [_placed(problem, spans) for problem in found if problem.source == layer.name]


def _table_of(parsed: Mapping[str, Any], path: Path) -> Any:
    if path.name != PYPROJECT:
        return parsed
    tool = parsed.get("tool")
    return tool.get("aide") if isinstance(tool, Mapping) else None


def _unreadable(text: str, error: str) -> Diagnostic:
    place = _PLACE.search(error)
    if place is None:
        return Diagnostic((0, _line_end(text, 0)), f"This is not valid TOML: {error}.")
    lines = text.split("\n")
    line, column = int(place[1]) - 1, int(place[2]) - 1
    start = sum(len(one) + 1 for one in lines[:line]) + column
    # At the end of a line there is nothing to underline.
    start = min(start, max(0, len(text.rstrip()) - 1))
    message = error.replace(place[0], "")
    return Diagnostic((start, max(start + 1, _line_end(text, start))), f"This is not valid TOML: {message}.")


def _spans(text: str, path: Path) -> dict[str, tuple[Span, Span]]:
    """Return where the key and the value of each place are, by the name that messages call it."""
    found: dict[str, tuple[Span, Span]] = {}
    for entry in entries(text):
        entry_path, keys = entry.path, entry.keys
        if path.name == PYPROJECT:
            if entry_path[:2] != _TABLE or len(entry_path) == len(_TABLE):
                continue
            entry_path = entry_path[2:]
        for length in range(1, len(entry_path) + 1):
            back = len(entry_path) - length
            if back < len(keys):
                key = keys[len(keys) - 1 - back]
                is_last = back == 0 and entry.value is not None
                found.setdefault(label(entry_path[:length]), (key, _value(entry) if is_last else key))
    return found


def _value(entry: TomlEntry) -> Span:
    return entry.value or entry.keys[-1]


def label(path: tuple[str, ...]) -> str:
    """Name a key as messages do."""
    if path[0] == GLOBS_KEY and len(path) > 1:
        return ".".join([shown(path[1]), *map(named, path[2:])])
    if path[0] in (GLOBS_KEY, LANGUAGES_KEY, PRESETS_KEY) or len(path) == 1:
        return ".".join([named(path[0]), *map(named, path[1:])])
    return ".".join([shown(path[0]), *map(named, path[1:])])


def _placed(problem: Problem, spans: Mapping[str, tuple[Span, Span]]) -> Diagnostic:
    message = problem.message.replace(f" in {problem.source}: ", ": ", 1).removeprefix(f"{problem.source}: ")
    key = problem.key
    # A value in an inline table has no place of its own.
    while key not in spans and "." in key:
        key = key.rpartition(".")[0]
    of_key, of_value = spans.get(key, ((0, 0), (0, 0)))
    return Diagnostic(of_key if problem.of_key else of_value, message, problem.notice)


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end
