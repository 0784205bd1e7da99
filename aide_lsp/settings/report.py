"""Reports the settings in effect for a file, where each comes from, and what it overrides."""

from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from aide_lsp.settings.fields import FIELDS, GROUPS, PARAMETERS, Parameters, allowed, defaults, label
from aide_lsp.settings.limits import ModelLimits, greatest
from aide_lsp.settings.problems import named, shown
from aide_lsp.settings.resolved import DEFAULT, Origin, Resolved


def report_json(
    resolved: Resolved, limits: ModelLimits | None = None, written: Callable[[str], str] = str
) -> dict[str, Any]:
    """Return the report as JSON; `written` converts keys (`camel` for editors)."""
    off = resolved.off
    return {
        "settings": {written(key): _setting(key, found, limits) for key, found in resolved.origins.items()},
        "presets": {
            name: {written(key): value for key, value in values.items()}
            for name, values in resolved.presets.items()
        },
        "off": {"glob": off.glob, "source": off.source, "message": off.sentence()} if off else None,
        "problems": [
            {"source": p.source, "key": p.key, "message": p.message, "notice": p.notice}
            for p in resolved.problems
        ],
    }


@frozen
class EffectiveSetting:
    """A setting in effect, worded for people."""

    key: str
    value: str
    """With what `auto` came to."""
    place: str
    """Where it comes from."""
    overrides: tuple[str, ...]
    """What it overrides, the latest first."""


def effective(resolved: Resolved, came_to: Mapping[str, str]) -> dict[str, list[EffectiveSetting]]:
    """Return all settings by group.

    Args:
        resolved: the settings.
        came_to: what a value such as `auto` means here, by key.
    """
    groups: dict[str, list[EffectiveSetting]] = {group: [] for group in GROUPS}
    for key, found in resolved.origins.items():
        *under, origin = found
        value = "none" if origin.value is None else shown(origin.value)
        if key in came_to:
            value = came_to[key] if origin.value is None else f"{value} ({came_to[key]})"
        none = "" if key in came_to else FIELDS[key].none
        overrides = tuple(_line(one) for one in reversed(under))
        one = EffectiveSetting(key, value, _place(origin, none), overrides)
        groups[FIELDS[key].group].append(one)
    return groups


def report_text(resolved: Resolved, title: str = "", came_to: Mapping[str, str] | None = None) -> str:
    """Return the report as text: problems first, then each group with a line for each setting.

    Args:
        resolved: the settings.
        title: what they are for; empty: no heading.
        came_to: what a value such as `auto` means here, by key.
    """
    lines = [title, ""] if title else []
    lines += [resolved.off.sentence(), ""] if resolved.off else []
    if resolved.problems:
        lines += ["Problems", *(f"  {problem.message}" for problem in resolved.problems), ""]
    groups = effective(resolved, came_to or {})
    width = max(len(key) for key in resolved.origins)
    wide = min(max(len(one.value) for group in groups.values() for one in group), 20)
    for group, settings in groups.items():
        lines.append(group)
        for one in settings:
            lines.append(f"  {one.key:{width}}  {one.value:{wide}}  {one.place}".rstrip())
            lines += [f"{'':{width + wide + 6}}overrides {line}" for line in one.overrides]
        lines.append("")
    return "\n".join(lines[:-1])


def parameters_line(parameters: Parameters) -> str:
    """Write the parameters on one line: `Temperature 0.7 · Top K 50 · ...`."""
    values = {key: getattr(parameters, key) for key in PARAMETERS}
    texts = {key: f"{value:g}" if isinstance(value, float) else str(value) for key, value in values.items()}
    return " · ".join(f"{label(key)} {text}" for key, text in texts.items())


def _setting(key: str, found: tuple[Origin, ...], limits: ModelLimits | None) -> dict[str, Any]:
    *under, origin = found
    field = FIELDS[key]
    return {
        **_origin(origin),
        "overrode": [_origin(one) for one in reversed(under)],
        "default": defaults()[key],
        "minimum": field.minimum,
        "maximum": greatest(field, limits),
        "allowed": allowed(key, limits),
    }


def _origin(origin: Origin) -> dict[str, Any]:
    found: dict[str, Any] = {"value": origin.value, "source": origin.source}
    more = {"table": origin.table, "preset": origin.preset, "loweredFrom": origin.wanted}
    return found | {key: value for key, value in more.items() if value not in ("", None)}


def _line(origin: Origin) -> str:
    value = "none" if origin.value is None else shown(origin.value)
    return f"{value}  {_place(origin, '')}"


def _place(origin: Origin, none: str) -> str:
    """Describe where a value comes from."""
    place = " ".join(word for word in (origin.source, origin.table) if word)
    if origin.source == DEFAULT and origin.value is None and none:
        place += f" ({none})"
    if origin.preset:
        place += f', preset "{named(origin.preset)}"'
    if origin.wanted is not None:
        place += f", lowered from {shown(origin.wanted)}"
    return place
