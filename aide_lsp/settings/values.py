"""Checks the values of one table: returns the valid ones and reports the others.

The last valid value of each key in each place is remembered, so that a typo neither stops completions nor
resets the setting to its default.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from aide_lsp.settings.fields import FIELDS, KEYS, Settings, camel, check_value, normal, value_of
from aide_lsp.settings.globs import MAXIMUM_SIZE
from aide_lsp.settings.limits import MOST_GLOBS, ModelLimits, entry_error
from aide_lsp.settings.presets import unknown_preset
from aide_lsp.settings.problems import Problem, named, nearest, shown
from aide_lsp.settings.tables import TABLES, SettingsLayer, SettingsTable, globs_within, layer_glob_error

# A table with thousands of invalid keys is one mistake.
_MOST_OF_ONE_TABLE = 20


@frozen
class Bounds:
    """What applies to all layers of one merge."""

    limits: ModelLimits | None
    """What the loaded model allows; None: not known yet."""
    presets: Mapping[str, Mapping[str, Any]]
    """All presets by name."""
    cap: int | None
    """The highest Num Context that the user allows; None: no limit."""


class ValueChecker:
    """Checks values, and remembers the valid ones."""

    def __init__(self) -> None:
        self._good: dict[tuple[str, Path | None, str], dict[str, Any]] = {}

    def check(
        self,
        layer: SettingsLayer,
        table: SettingsTable,
        below: Settings,
        bounds: Bounds,
        problems: list[Problem],
    ) -> dict[str, Any]:
        """Return the valid values of a table by key; add a problem for each of the others."""
        place = (layer.name, layer.scope, table.label)
        before, good = self._good.get(place, {}), dict[str, Any]()
        found: list[Problem] = []
        more = 0
        for written, value in table.values.items():
            key = KEYS.get(written)
            if key is None and len(found) >= _MOST_OF_ONE_TABLE:
                more += 1  # finding the closest name for each would take seconds
                continue
            error = refusal = _refusal(written, key, layer, table)
            if error is None and key is not None:
                is_list = FIELDS[key].type is list
                usable = _usable_globs(table.prefix + written, value, layer, found) if is_list else value
                usable = normal(key, usable)
                invalid = _error(key, usable, bounds)
                if invalid is None:
                    good[key] = usable
                    continue
                kept = before.get(key, value_of(below, key))
                # A request with an invalid value is refused as a whole, so nothing of it stays.
                stays = ". It stays unset" if kept is None else f". {shown(kept)} stays in effect"
                error = invalid + (stays if layer.kind != "request" else "")
                # Checked again, because the model's limits may have changed since.
                if key in before and _error(key, kept, bounds) is None:
                    good[key] = kept
            label = table.prefix + named(written)
            found.append(Problem.of(label, layer.name, f"{error}", of_key=refusal is not None))
        problems += _shortened(found, more, layer)
        if layer.kind != "request":
            self._good[place] = good
        return good


def _refusal(written: str, key: str | None, layer: SettingsLayer, table: SettingsTable) -> str | None:
    """Describe why a layer may not have this key at all; None if it may."""
    if key is None:
        if written in TABLES:
            where = "in a project file" if layer.kind == "project" else "here"
            return f"{written} cannot be set {where}; set them in your own settings file"
        names = [camel(name) if layer.kind == "editor" else name for name in FIELDS]
        return "unknown setting" + nearest(written, (*names, *TABLES))
    if layer.kind == "project" and not FIELDS[key].project:
        return "a project file cannot set this; set it in your editor or in your own settings file"
    if table.prefix and FIELDS[key].all_files:
        return "this applies to all files; set it outside of languages and globs"
    return None


def _error(key: str, value: Any, bounds: Bounds) -> str | None:
    error = check_value(key, value, bounds.limits)
    if error is None and key == "preset" and value is not None and value not in bounds.presets:
        return unknown_preset(value, bounds.presets)
    return error


def _usable_globs(written: str, globs: Any, layer: SettingsLayer, problems: list[Problem]) -> Any:
    """Keep the valid globs: one typo must not enable Aide in the files of all the others."""
    # `_error` reports these.
    if not isinstance(globs, list) or len(globs) > MOST_GLOBS:
        return globs
    errors = [entry_error(glob) or layer_glob_error(glob, layer) for glob in globs]
    problems += [
        Problem.of(written, layer.name, f"{error}. The other globs apply") for error in errors if error
    ]
    good = tuple(glob for glob, error in zip(globs, errors, strict=True) if not error)
    counted = globs_within(good)
    if counted < len(good):
        error = f"with braces expanded, the globs have more than {MAXIMUM_SIZE:,} characters"
        problems.append(Problem.of(written, layer.name, f"{error}. The last ones are ignored"))
    return good[:counted]


def _shortened(problems: list[Problem], more: int, layer: SettingsLayer) -> list[Problem]:
    more += len(problems[_MOST_OF_ONE_TABLE:])
    if not more:
        return problems
    rest = Problem(layer.name, "", f"{layer.name}: {more} more values are invalid.")
    return [*problems[:_MOST_OF_ONE_TABLE], rest]
