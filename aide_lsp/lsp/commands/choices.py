"""Commands to list what there is to choose from, and to choose: presets and models."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pygls.exceptions import JsonRpcInvalidParams

from aide_lsp.application.choices import choose_model, model_choices
from aide_lsp.errors import SettingsError
from aide_lsp.lsp.commands.project import failed, write_values, written_json
from aide_lsp.server_address import server_address
from aide_lsp.settings.fields import label
from aide_lsp.settings.problems import shown
from aide_lsp.settings.troubleshooting import COMPLAINTS

if TYPE_CHECKING:
    from aide_lsp.lsp.commands.arguments import Arguments
    from aide_lsp.lsp.server import Server
    from aide_lsp.settings.resolved import Resolved


async def choices(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """List the presets for a document, the complaints, and the models."""
    resolved = ls.configuration.resolve(arguments.optional_uri())
    # Cards and models are read from disk, which would block the event loop.
    models = await asyncio.to_thread(model_choices, resolved.settings.model)
    return {
        "presets": _presets(resolved),
        "complaints": [{"name": name, "detail": found.means} for name, found in COMPLAINTS.items()],
        "models": models,
    }


def choose_preset(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Write a preset to the project file; null removes it."""
    uri = arguments.uri()
    preset, known = arguments.values.get("preset"), ls.configuration.resolve(uri).presets
    if preset is not None and (not isinstance(preset, str) or preset not in known):
        raise JsonRpcInvalidParams(f"preset must be one of {', '.join(known)}, or null for no preset.")
    written = write_values(ls, uri, {"preset": preset}, arguments.create)
    message = f"The preset {preset} is in effect for this project." if preset else "No preset is set."
    if written.overridden:
        effective = shown(written.overridden["preset"])
        message = f"The preset {effective} stays in effect here: it is also set elsewhere."
    return written_json(written, message)


def select_model(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Write a model's id to the user's own settings file and load the model; null selects the default one."""
    model = arguments.model()
    try:
        written = choose_model(model, lambda: ls.configuration.resolve().settings)
    except SettingsError as error:
        raise failed(str(error)) from error
    ls.loading.consent.give(model)
    ls.refresh_settings()
    message = f"The model {model} is selected." if model else "The default model is selected."
    if written.overridden:
        effective = shown(written.overridden["model"])
        message = f"The model {effective} stays in effect: it is also set in your editor's settings."
    server = server_address(ls.configuration.resolve().settings.engine)
    if server is not None:
        message += f' Completions still come from {server.host}: set engine to "local" to use it.'
    return written_json(written, message)


def fetch_model(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Download the model that is missing, to which the user agrees; or try again what failed."""
    message = ls.loading.fetch(ls.configuration.resolve().settings, failed=ls.status.state == "failed")
    return {"state": ls.status.state, "message": message}


def _presets(resolved: Resolved) -> list[dict[str, Any]]:
    def detail(values: Mapping[str, Any]) -> str:
        return ", ".join(f"{label(key)} {shown(value)}" for key, value in values.items())

    return [
        {"name": name, "detail": detail(values), "current": name == resolved.settings.preset}
        for name, values in resolved.presets.items()
    ]
