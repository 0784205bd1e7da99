"""The commands of `workspace/executeCommand`.

In: a name and its arguments, as JSON. Out: JSON. Wrong arguments are refused with a sentence that says
what is expected. It does not know how a completion comes about.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from attrs import evolve
from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from aide_lsp.lsp import items
from aide_lsp.lsp.commands.arguments import read_argument, read_parameters
from aide_lsp.lsp.commands.explain import explain
from aide_lsp.lsp.commands.menus import choices, choose_preset, pause, resume, select_model
from aide_lsp.lsp.commands.seeds import pin_seed, previous_seed, unpin_seed
from aide_lsp.lsp.commands.troubleshoot import troubleshoot
from aide_lsp.lsp.documents import Place
from aide_lsp.lsp.initialize import (
    ACCEPTED,
    CHOICES,
    CHOOSE_PRESET,
    EXPLAIN,
    PAUSE,
    PIN_SEED,
    PREVIOUS_SEED,
    REGENERATE,
    RESUME,
    SELECT_MODEL,
    SETTINGS,
    STATUS,
    TROUBLESHOOT,
    UNPIN_SEED,
)
from aide_lsp.lsp.status import Nothing
from aide_lsp.settings.fields import camel, new_seed
from aide_lsp.settings.report import report_json, report_text

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from aide_lsp.lsp.server import Server


def register(server: Server) -> None:
    """Register all commands."""
    server.feature(types.WORKSPACE_EXECUTE_COMMAND)(execute)


def execute(ls: Server, params: types.ExecuteCommandParams) -> Any:
    """Run a command by its name."""
    command = COMMANDS.get(params.command)
    if command is None:
        raise JsonRpcInvalidParams(f"Aide has no such command; it has {', '.join(COMMANDS)}.")
    return command(ls, list(params.arguments or ()))


def regenerate(ls: Server, arguments: list[Any]) -> Awaitable[dict[str, Any]] | dict[str, Any]:
    """Make another completion for a place, with a new random seed or the one that is given."""
    argument = read_argument(REGENERATE, arguments)
    position = argument.position
    asked = ls.completing.look(ls.protocol.current_id, argument.uri, Place(position.line, position.character))
    if isinstance(asked, Nothing):
        ls.status.declined(ls.protocol.current_id, asked)
        return items.regenerated(asked, position, ls.host.model)
    present = evolve(asked.settings.parameters, seed=new_seed())
    parameters = read_parameters(argument.values, present, ls.configuration.limits)
    cap = asked.settings.max_num_context
    if cap is not None and parameters.num_context > cap:
        raise JsonRpcInvalidParams(
            f"numContext: {parameters.num_context} is more than your maxNumContext, which is {cap}."
        )
    return ls.completing.regenerate(
        asked, parameters, lambda answer: items.regenerated(answer, position, ls.host.model)
    )


def status(ls: Server, arguments: list[Any]) -> dict[str, Any]:
    """Tell version, model, device, state, the last request's outcome and what is wrong with the settings.

    With `{"uri": ...}` the parameters are those in effect for that document.
    """
    argument = arguments[0] if arguments and isinstance(arguments[0], Mapping) else {}
    uri = argument.get("uri")
    report = ls.status.report(uri if isinstance(uri, str) else None)
    return {**report, "client": ls.profile.name, "positionEncoding": ls.documents.encoding}


def settings(ls: Server, arguments: list[Any]) -> dict[str, Any]:
    """Tell each setting in effect for `{"uri": ...}`, where it comes from and what it goes over.

    With `parameters` in the object: as it would be for a request that brings them.
    """
    argument = arguments[0] if arguments and isinstance(arguments[0], Mapping) else {}
    uri, request = argument.get("uri"), argument.get("parameters")
    resolved = ls.configuration.resolve(
        uri if isinstance(uri, str) else None, request if isinstance(request, Mapping) else None
    )
    report = report_json(resolved, ls.configuration.limits, camel)
    return {"uri": uri, **report, "text": report_text(resolved)}


def accepted(ls: Server, arguments: list[Any]) -> None:
    """Note that a completion was taken. Clients run this by themselves; it is never refused."""
    argument = arguments[0] if arguments and isinstance(arguments[0], Mapping) else {}
    ls.status.accepted(str(argument.get("id", ""))[:80])


COMMANDS: dict[str, Callable[[Server, list[Any]], Any]] = {
    REGENERATE: regenerate,
    PREVIOUS_SEED: previous_seed,
    PIN_SEED: pin_seed,
    UNPIN_SEED: unpin_seed,
    STATUS: status,
    SETTINGS: settings,
    ACCEPTED: accepted,
    TROUBLESHOOT: troubleshoot,
    EXPLAIN: explain,
    PAUSE: pause,
    RESUME: resume,
    CHOICES: choices,
    CHOOSE_PRESET: choose_preset,
    SELECT_MODEL: select_model,
}
