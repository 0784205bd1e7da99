"""Named sets of parameters: those that come with Aide, and those of the user.

In: the `presets` tables of the user's places. Out: parameters by the preset's name, and what cannot be used.
It does not know which preset is in effect, nor what wins over it: `settings_layers.py` does.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from aide_lsp.settings.fields import KEYS, PARAMETERS, check_value, normal
from aide_lsp.settings.problems import Problem, named, nearest

PRESETS: Mapping[str, Mapping[str, Any]] = {
    # Each within what `parameter_guide.TASKS` says for its task; code gets twice the default context.
    "code": {"temperature": 0.3, "top_p": 0.6, "top_k": 40, "num_context": 2048},
    "factual": {"temperature": 0.2, "top_p": 0.3, "top_k": 30},
    "creative": {"temperature": 0.8, "top_p": 0.95, "top_k": 150},
    "conversational": {"temperature": 0.6, "top_p": 0.8, "top_k": 70},
}
"""The presets that come with Aide."""


def with_own(
    presets: Mapping[str, Mapping[str, Any]], table: Any, source: str, problems: list[Problem]
) -> dict[str, Mapping[str, Any]]:
    """Add presets of the user; one with a name that is there already changes it, key by key."""
    found = dict(presets)
    if not isinstance(table, Mapping):
        problems.append(
            Problem.of("presets", source, "expected tables of parameters, such as [presets.mine]")
        )
        return found
    for name, values in table.items():
        if isinstance(values, Mapping):
            found[name] = {**found.get(name, {}), **dict(_usable(name, values, source, problems))}
        elif values is not None:
            label = f"presets.{named(name)}"
            problems.append(Problem.of(label, source, "a preset is a table of parameters"))
    return found


def unknown_preset(name: str, presets: Mapping[str, Any]) -> str:
    """Say that there is no preset of a name."""
    there = ", ".join(map(named, presets))
    return f"there is no preset {named(name)}{nearest(name, presets)}; there are {there}"


def _usable(
    name: str, values: Mapping[str, Any], source: str, problems: list[Problem]
) -> Iterator[tuple[str, Any]]:
    """Yield the parameters that can be used. The model's limits are applied where the preset is."""
    for written, value in values.items():
        if value is None:
            continue
        key = KEYS.get(written, written)
        if key in PARAMETERS:
            wrong = check_value(key, value)
        else:
            wrong = f"a preset holds the five parameters only{nearest(written, PARAMETERS)}"
        if wrong is None:
            yield key, normal(key, value)
        else:
            problems.append(Problem.of(f"presets.{named(name)}.{named(written)}", source, wrong))
