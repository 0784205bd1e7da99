"""Settings, presets, complaints and secret files as Markdown."""

from collections.abc import Iterable

from aide_lsp.settings.fields import FIELDS, PARAMETERS, Parameters, camel, label
from aide_lsp.settings.limits import SettingField, range_of
from aide_lsp.settings.presets import DESCRIPTIONS, PRESETS
from aide_lsp.settings.problems import shown
from aide_lsp.settings.secret_files import CODE, PUBLIC, SAMPLES, SECRET_FILES
from aide_lsp.settings.troubleshooting import COMPLAINTS, DOWN, UP, Move, propose
from tools.generate.schema import default_text


def parameter_table() -> str:
    """Render the parameters."""
    rows = ["| Parameter | Key | Range | Default | |", "|---|---|---|---|---|"]
    rows += [
        f"| {label(key)} | `{key}` | {range_of(FIELDS[key])} | {default_text(key)} | {FIELDS[key].doc} |"
        for key in PARAMETERS
    ]
    return "\n".join(rows)


def preset_table() -> str:
    """Render the presets that come with Aide."""
    keys = [key for key in PARAMETERS if any(key in values for values in PRESETS.values())]
    rows = ["| Preset | " + " | ".join(f"`{key}`" for key in keys) + " | For |"]
    rows.append("|---" * (len(keys) + 2) + "|")
    for name, values in PRESETS.items():
        cells = " | ".join(f"`{values[key]}`" if key in values else "" for key in keys)
        rows.append(f"| `{name}` | {cells} | {DESCRIPTIONS[name]} |")
    return "\n".join(rows)


def setting_sections() -> str:
    """Render a section for each setting."""
    return "\n\n".join(_section(key, field) for key, field in FIELDS.items())


def _section(key: str, field: SettingField) -> str:
    places = "user, project, editor" if field.project else "user, editor"
    return (
        f"## `{key}` (editor: `aide.{camel(key)}`)\n\n{field.text}\n\n"
        f"- Value: {range_of(field)}{f', in {field.unit}' if field.unit else ''}\n"
        f"- Default: {default_text(key)}\n- Set by: {places}"
    )


def troubleshooting_table() -> str:
    """Render what helps against each complaint, with the values proposed for the defaults."""
    rows = ["| Complaint | | What to change | From the defaults |", "|---|---|---|---|"]
    for name, complaint in COMPLAINTS.items():
        moves = "; ".join(_move(move) for move in complaint.moves)
        # Any fixed seed, so that generating again gives the same page.
        changes = propose(name, Parameters(), None, seed=7).changes
        values = ", ".join(
            f"{label(change.key)} {'of the current completion' if change.old is None else shown(change.new)}"
            for change in changes
        )
        more = f". {complaint.advice}" if complaint.advice else ""
        rows.append(f"| `{name}` | {complaint.means} | {moves}{more} | {values} |")
    return "\n".join(rows)


def _move(move: Move) -> str:
    verb = {UP: "raise", DOWN: "lower"}.get(move.direction, "fix")
    return f"{'perhaps ' if move.perhaps else ''}{verb} {label(move.key)}: {move.why}"


def secret_files_table() -> str:
    """Render the files that commonly hold secrets."""
    rows = ["| What they hold | Names | Examples |", "|---|---|---|"]
    rows += [f"| {one.kind} | {_code(one.globs)} | {_code(one.examples)} |" for one in SECRET_FILES]
    return "\n".join(rows)


def secret_files_exceptions() -> str:
    """Render the files that are not protected although their names match."""
    return "\n".join(
        (
            f"- Samples without values (of anything but keys): {_code(SAMPLES)}",
            f"- Source code and pages whose names only say what they are about: {_code(CODE)}",
            f"- Public keys: {_code(PUBLIC)}",
        )
    )


def _code(texts: Iterable[str]) -> str:
    return ", ".join(f"`{text}`" for text in texts)
