"""Commands to compare parameters and to adopt them: complete, writeParameters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pygls.exceptions import JsonRpcInvalidParams

from aide_lsp.lsp import items
from aide_lsp.lsp.commands.arguments import NAMES, Arguments, is_count, parameter_key, read_parameters
from aide_lsp.lsp.commands.project import write_values, written_json
from aide_lsp.lsp.requests.answer import NoCompletion
from aide_lsp.settings.fields import check_value, label
from aide_lsp.settings.problems import shown

if TYPE_CHECKING:
    from aide_lsp.lsp.requests.snapshot import Snapshot
    from aide_lsp.lsp.server import Server
    from aide_lsp.settings.fields import Parameters


async def complete(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Complete with other parameters. What is shown, its history and its seed stay as they are.

    Parameters that are not given are those of the visible completion, or else those of the settings.
    """
    at, candidate = arguments.document_position(), arguments.values.get("candidate", 0)
    if not is_count(candidate):
        raise JsonRpcInvalidParams("candidate must be a whole number, 0 or more.")
    snapshot = ls.requests.snapshot(at.uri, at.place)
    if isinstance(snapshot, NoCompletion):
        return items.completed(snapshot, at.position, ls.status.source)
    visible = ls.requests.shown.visible(snapshot)
    current = visible.parameters if visible else snapshot.settings.parameters
    parameters = parameters_for(ls, snapshot, arguments, current)
    answer = await ls.alternatives.complete_with(snapshot, parameters, candidate)
    return items.completed(answer, at.position, ls.status.source)


def parameters_for(ls: Server, snapshot: Snapshot, arguments: Arguments, current: Parameters) -> Parameters:
    """Read the parameters that a command gives for one completion; the others are as in `current`.

    Raises:
        JsonRpcInvalidParams: a name or a value is invalid, or Num Context is more than the user's limit.
    """
    parameters = read_parameters(arguments.values, current, ls.configuration.limits)
    cap = snapshot.settings.max_num_context
    # `read_parameters` knows only the limits of the model.
    if cap is not None and parameters.num_context > cap:
        raise JsonRpcInvalidParams(
            f"numContext: {parameters.num_context} is more than your maxNumContext, which is {cap}."
        )
    return parameters


def write_parameters(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Write parameters to the project file; null removes one."""
    uri, values = arguments.uri(), _values(ls, arguments)
    written = write_values(ls, uri, values, arguments.create)
    message = f"{_listed(values)} in effect for this project."
    if written.overridden:
        message = (
            f"{_listed(written.overridden)} still in effect here: more specific settings override yours."
        )
    return written_json(written, message)


def _values(ls: Server, arguments: Arguments) -> dict[str, Any]:
    given = arguments.values.get("parameters")
    if not isinstance(given, Mapping) or not given:
        raise JsonRpcInvalidParams(f"parameters must be an object with any of {NAMES}.")
    checked = {}
    for written, value in given.items():
        key = parameter_key(written)
        if value is not None and (error := check_value(key, value, ls.configuration.limits)) is not None:
            raise JsonRpcInvalidParams(f"{written}: {error}.")
        checked[key] = value
    return checked


def _listed(values: Mapping[str, Any]) -> str:
    """Name values as the subject of a sentence, with its verb."""
    names = [f"{label(key)} {'default' if value is None else shown(value)}" for key, value in values.items()]
    if len(names) == 1:
        return f"{names[0]} is"
    return f"{', '.join(names[:-1])} and {names[-1]} are"
