"""The commands that choose a seed and keep one: regenerate, previousSeed, pinSeed, unpinSeed.

In: their arguments. Out: what is offered now, or what was written where. It does not know how a project file
is edited (`aide_lsp/settings/edit.py` does).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import evolve
from lsprotocol.types import LSPErrorCodes
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams

from aide_lsp.errors import SettingsError
from aide_lsp.lsp import items
from aide_lsp.lsp.commands.arguments import Arguments, read_parameters
from aide_lsp.lsp.requests.answer import NoCompletion
from aide_lsp.lsp.requests.history import spot
from aide_lsp.lsp.uris import file_of
from aide_lsp.settings.edit import write_values
from aide_lsp.settings.fields import new_seed

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completion
    from aide_lsp.lsp.server import Server


async def regenerate(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Generate another completion, with a new random seed or the one that is given."""
    at = arguments.document_position()
    snapshot = ls.requests.snapshot(at.uri, at.place)
    if isinstance(snapshot, NoCompletion):
        ls.requests.declined(snapshot)
        return items.regenerated(snapshot, at.position, ls.host.model)
    current = evolve(snapshot.settings.parameters, seed=new_seed())
    parameters = read_parameters(arguments.values, current, ls.configuration.limits)
    cap = snapshot.settings.max_num_context
    if cap is not None and parameters.num_context > cap:
        raise JsonRpcInvalidParams(
            f"numContext: {parameters.num_context} is more than your maxNumContext, which is {cap}."
        )
    answer = await ls.requests.regenerate(snapshot, parameters)
    return items.regenerated(answer, at.position, ls.host.model)


def previous_seed(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Go back to the completion that was shown at a place before the last `aide.regenerate`."""
    at = arguments.document_position()
    snapshot = ls.requests.snapshot(at.uri, at.place)
    answer = snapshot if isinstance(snapshot, NoCompletion) else ls.requests.previous(snapshot)
    return items.regenerated(answer, at.position, ls.host.model)


def pin_seed(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Write the seed of the completion shown last, in the document or at a place, into the project file."""
    uri = arguments.uri()
    shown = _shown(ls, uri, arguments)
    if shown is None:
        raise refused("No completion was shown here yet: there is no seed to pin.")
    path = write(ls, uri, {"seed": shown.seed})
    answer = {"seed": shown.seed, "path": str(path) if path else None}
    effective = ls.configuration.resolve(uri).settings.parameters.seed
    if effective != shown.seed:
        stays = "A new random seed for each request" if effective is None else f"The seed {effective}"
        wins = f"{stays} stays in effect here: a narrower rule or your editor's settings set it."
        return {**answer, "message": wins}
    return {**answer, "message": f"The seed {shown.seed} is pinned for this project."}


def unpin_seed(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Take the seed out of the project file."""
    uri = arguments.uri()
    path = write(ls, uri, {"seed": None})
    effective = ls.configuration.resolve(uri).settings.parameters.seed
    message = "No seed was pinned." if path is None else "The seed is not pinned any more."
    if effective is not None:
        message += f" The seed {effective} is in effect here: another place sets it."
    return {"path": str(path) if path else None, "message": message}


def _shown(ls: Server, uri: str, arguments: Arguments) -> Completion | None:
    if arguments.values.get("position") is None:
        return ls.requests.history.last(uri)
    snapshot = ls.requests.snapshot(uri, arguments.document_position().place)
    if isinstance(snapshot, NoCompletion):
        return None
    return ls.requests.history.last(uri, spot(snapshot.text, snapshot.offset))


def write(ls: Server, uri: str, values: Mapping[str, Any]) -> Path | None:
    """Write values into the project file of a document; return its path, None if nothing had to be changed.

    Raises:
        JsonRpcException: it cannot be written; the text says why.
    """
    document = file_of(uri)
    if document is None:
        raise refused("The document is no file, so it belongs to no project.")
    try:
        return write_values(document, ls.configuration.workspace_folder(uri), values)
    except SettingsError as error:
        raise refused(str(error)) from error


def refused(message: str) -> JsonRpcException:
    """Make the error of a command that was understood and could not be done."""
    return JsonRpcException(message, code=LSPErrorCodes.RequestFailed.value)
