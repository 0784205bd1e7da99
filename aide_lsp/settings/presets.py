"""Named sets of parameters: those that come with Aide, and the user's own."""

from collections.abc import Iterator, Mapping
from typing import Any

from aide_lsp.settings.fields import KEYS, PARAMETERS, check_value, normal
from aide_lsp.settings.problems import Problem, named, nearest, shown

PRESETS: Mapping[str, Mapping[str, Any]] = {
    # Each within the ranges that docs/parameters.md gives for its task.
    "code": {"temperature": 0.3, "top_p": 0.6, "top_k": 40, "num_context": 1024},
    "factual": {"temperature": 0.2, "top_p": 0.3, "top_k": 30},
    "creative": {"temperature": 0.8, "top_p": 0.95, "top_k": 150},
    "conversational": {"temperature": 0.6, "top_p": 0.8, "top_k": 70},
}
"""The presets that come with Aide."""
DESCRIPTIONS: Mapping[str, str] = {
    "code": "Code that follows from the file. Little variety, a third more context.",
    "factual": "Text that must be right: docstrings, comments, configuration. Hardly any variety.",
    "creative": "Prose, names, alternative wordings. Much variety, more mistakes.",
    "conversational": "Notes, documentation, messages. Between `factual` and `creative`.",
}
"""What each of them is for."""


def with_own(
    presets: Mapping[str, Mapping[str, Any]], table: Any, source: str, problems: list[Problem]
) -> dict[str, Mapping[str, Any]]:
    """Add the user's presets; one with an existing name changes that preset key by key."""
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
            problems.append(Problem.of(label, source, "expected a table of parameters"))
    return found


def unknown_preset(name: str, presets: Mapping[str, Any]) -> str:
    """Describe that no preset has this name."""
    available = ", ".join(map(named, presets))
    return f"unknown preset {shown(name)}{nearest(name, presets)}; available: {available}"


def _usable(
    name: str, values: Mapping[str, Any], source: str, problems: list[Problem]
) -> Iterator[tuple[str, Any]]:
    """Yield the valid parameters. The model's limits are applied later, where the preset is used."""
    for written, value in values.items():
        if value is None:
            continue
        key = KEYS.get(written, written)
        is_known = key in PARAMETERS
        if is_known:
            error = check_value(key, value)
        else:
            error = f"a preset can only set parameters{nearest(written, PARAMETERS)}"
        if error is None:
            yield key, normal(key, value)
        else:
            label = f"presets.{named(name)}.{named(written)}"
            problems.append(Problem.of(label, source, error, of_key=not is_known))
