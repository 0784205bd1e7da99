"""Reports the settings in effect for a file, where each comes from, and what it overrides."""

from collections.abc import Callable, Iterator
from typing import Any

from aide_lsp.settings.fields import FIELDS, PARAMETERS, Parameters, allowed, defaults, label
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


def report_text(resolved: Resolved) -> str:
    """Return the report for a terminal: a line for each setting, followed by what it overrides."""
    lines = [resolved.off.sentence(), ""] if resolved.off else []
    width = max(len(key) for key in resolved.origins)
    values = {key: shown(found[-1].value) for key, found in resolved.origins.items()}
    wide = min(max(map(len, values.values())), 16)
    for key, found in resolved.origins.items():
        *under, origin = found
        value = "none" if origin.value is None else values[key]
        lines.append(f"{key:{width}}  {value:{wide}}  {_place(origin, FIELDS[key].none)}".rstrip())
        lines += [f"{'':{width + wide + 4}}overrides {_line(one)}" for one in reversed(under)]
    lines += list(_problem_lines(resolved))
    return "\n".join(lines)


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


def _problem_lines(resolved: Resolved) -> Iterator[str]:
    if resolved.problems:
        yield ""
    for problem in resolved.problems:
        yield problem.message
