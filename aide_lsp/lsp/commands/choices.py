"""The commands behind an editor's menus: what there is to choose from, and taking a choice.

In: their arguments. Out: lists with the present choice marked; what was written where. A preset goes to the
project's file, a model to the user's own. It does not know how a file is edited, nor how a model is loaded.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pygls.exceptions import JsonRpcInvalidParams

from aide_lsp.errors import SettingsError
from aide_lsp.loading import check_model, model_choices
from aide_lsp.lsp.commands.seeds import refused, write
from aide_lsp.settings.edit import write_user_values
from aide_lsp.settings.fields import camel
from aide_lsp.settings.files import user_file
from aide_lsp.settings.problems import shown
from aide_lsp.settings.troubleshooting import COMPLAINTS

if TYPE_CHECKING:
    from aide_lsp.lsp.commands.arguments import Arguments
    from aide_lsp.lsp.server import Server
    from aide_lsp.settings.resolved import Resolved


async def choices(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Tell what there is to choose from: presets for `{"uri": ...}`, complaints, models."""
    resolved = ls.configuration.resolve(arguments.optional_uri())
    current = resolved.settings.model
    return {
        "presets": _presets(resolved),
        "complaints": [{"name": name, "detail": found.means} for name, found in COMPLAINTS.items()],
        # Cards and folders are on the disk: not for the event loop.
        "models": await asyncio.to_thread(model_choices, current),
    }


def choose_preset(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Write a preset into the project file; null takes it out."""
    uri = arguments.uri()
    preset, known = arguments.values.get("preset"), ls.configuration.resolve(uri).presets
    if preset is not None and (not isinstance(preset, str) or preset not in known):
        raise JsonRpcInvalidParams(f"preset must be one of {', '.join(known)}, or null for none.")
    path = write(ls, uri, {"preset": preset})
    effective = ls.configuration.resolve(uri).settings.preset
    if effective != preset:
        message = f"The preset {shown(effective)} stays in effect here: another place sets it."
    else:
        message = f"The preset {preset} is in effect for this project." if preset else "No preset is set."
    return {"path": str(path) if path else None, "message": message}


def select_model(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Write a model's id into the user's settings file and load that model; null: the default one."""
    model = arguments.model()
    check_model(model)
    try:
        path = write_user_values(user_file(), {"model": model})
    except SettingsError as error:
        raise refused(str(error)) from error
    ls.refresh_settings()
    effective = ls.configuration.resolve().settings.model
    if effective != model:
        message = f"The model {shown(effective)} stays in effect: your editor's settings set it."
    else:
        message = f"The model {model} is chosen." if model else "The default model is chosen."
    return {"path": str(path) if path else None, "message": message}


def _presets(resolved: Resolved) -> list[dict[str, Any]]:
    def detail(values: Mapping[str, Any]) -> str:
        return ", ".join(f"{camel(key)} {shown(value)}" for key, value in values.items())

    return [
        {"name": name, "detail": detail(values), "current": name == resolved.settings.preset}
        for name, values in resolved.presets.items()
    ]
