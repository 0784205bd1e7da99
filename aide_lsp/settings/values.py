"""Sorts the values of one table into those that can be used and those that cannot.

In: a table of a layer, what lies below it. Out: usable values by key, and problems, each naming key, value,
what is allowed and what stays in effect. The last good value of each key in each place is remembered, so that
a slip of the pen neither stops completions nor jumps back to the default. It does not merge.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from aide_lsp.settings.fields import FIELDS, KEYS, Settings, camel, check_value, normal, value_of
from aide_lsp.settings.globs import MAXIMUM_SIZE
from aide_lsp.settings.limits import MOST_GLOBS, ModelLimits, entry_fault
from aide_lsp.settings.presets import unknown_preset
from aide_lsp.settings.problems import Problem, named, nearest, shown
from aide_lsp.settings.tables import TABLES, SettingsLayer, SettingsTable, fault_in, globs_within

# One table with thousands of wrong keys is one mistake.
_TOLD_OF_ONE_TABLE = 20


@frozen
class Bounds:
    """What holds for all layers of one merge."""

    limits: ModelLimits | None
    """What the loaded model allows; None: not known yet."""
    presets: Mapping[str, Mapping[str, Any]]
    """All presets there are."""
    cap: int | None
    """The greatest Num Context that the user allows; None: no limit."""


class GoodValues:
    """Checks values, and remembers the good ones."""

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
        """Return the usable values of a table by key; note the others."""
        place = (layer.name, layer.scope, table.label)
        before, good = self._good.get(place, {}), dict[str, Any]()
        wrongs: list[Problem] = []
        more = 0
        for written, value in table.values.items():
            key = KEYS.get(written)
            if key is None and len(wrongs) >= _TOLD_OF_ONE_TABLE:
                more += 1  # to find the nearest name for each would take seconds
                continue
            wrong = _refusal(written, key, layer, table)
            if wrong is None and key is not None:
                usable = _usable_globs(written, value, layer, wrongs) if key == "off" else value
                usable = normal(key, usable)
                fault = _fault(key, usable, bounds)
                if fault is None:
                    good[key] = usable
                    continue
                kept = before.get(key, value_of(below, key))
                # A request is refused as a whole: nothing of it stays.
                stays = f". {'No value' if kept is None else shown(kept)} stays in effect"
                wrong = fault + (stays if layer.kind != "request" else "")
                if key in before and _fault(key, kept, bounds) is None:
                    good[key] = kept
            wrongs.append(Problem.of(table.prefix + named(written), layer.name, f"{wrong}"))
        problems += _shortened(wrongs, more, layer)
        if layer.kind != "request":
            self._good[place] = good
        return good


def _refusal(written: str, key: str | None, layer: SettingsLayer, table: SettingsTable) -> str | None:
    """Say why a layer may not have this key at all."""
    if key is None:
        if written in TABLES:
            where = "in a project file" if layer.kind == "project" else "here"
            return f"there can be no {written} {where}; set them in your own settings file"
        names = [camel(name) if layer.kind == "editor" else name for name in FIELDS]
        return "there is no such setting" + nearest(written, (*names, *TABLES))
    if layer.kind == "project" and not FIELDS[key].project:
        return "a project file cannot set this; set it in the editor or in your own settings file"
    if table.prefix and FIELDS[key].whole:
        return "this holds for all files alike; set it outside of languages and globs"
    return None


def _fault(key: str, value: Any, bounds: Bounds) -> str | None:
    """Say what is wrong with a value here."""
    fault = check_value(key, value, bounds.limits)
    if fault is None and key == "preset" and value is not None and value not in bounds.presets:
        return unknown_preset(value, bounds.presets)
    return fault


def _usable_globs(written: str, globs: Any, layer: SettingsLayer, problems: list[Problem]) -> Any:
    """Keep the globs that can be used: one slip must not switch Aide on for all the files of the others."""
    if not isinstance(globs, list) or len(globs) > MOST_GLOBS:
        return globs
    faults = [entry_fault(glob) or fault_in(glob, layer) for glob in globs]
    problems += [
        Problem.of(written, layer.name, f"{fault}. The other globs count") for fault in faults if fault
    ]
    good = tuple(glob for glob, fault in zip(globs, faults, strict=True) if not fault)
    counted = globs_within(good)
    if counted < len(good):
        wrong = f"the globs, braces written out, have more than {MAXIMUM_SIZE:,} characters"
        problems.append(Problem.of(written, layer.name, f"{wrong}. The last ones do not count"))
    return good[:counted]


def _shortened(problems: list[Problem], more: int, layer: SettingsLayer) -> list[Problem]:
    more += len(problems[_TOLD_OF_ONE_TABLE:])
    if not more:
        return problems
    rest = Problem(layer.name, "", f"{layer.name}: {more} more values cannot be used.")
    return [*problems[:_TOLD_OF_ONE_TABLE], rest]
