"""`aide.troubleshoot`: proposes parameters for a complaint, and shows what they change at the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import frozen
from pygls.exceptions import JsonRpcInvalidParams

from aide_lsp.application.troubleshooting import trial_of
from aide_lsp.errors import SettingsError
from aide_lsp.lsp.commands.project import write_for
from aide_lsp.lsp.requests.answer import NoCompletion
from aide_lsp.lsp.requests.status import parameters_json
from aide_lsp.lsp.workspace.uris import file_of
from aide_lsp.settings.edit import NoProjectError
from aide_lsp.settings.fields import camel, check_value, in_effect
from aide_lsp.settings.troubleshooting import COMPLAINTS

if TYPE_CHECKING:
    from aide_lsp.completion.request import Completion
    from aide_lsp.lsp.commands.arguments import Arguments
    from aide_lsp.lsp.server import Server
    from aide_lsp.settings.troubleshooting import Proposal


async def troubleshoot(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Propose parameters, and complete with the current and the proposed ones.

    With `apply`, the proposed values are written to the project file.
    """
    at = arguments.document_position()
    complaint, seed = _complaint(arguments), _seed(arguments)
    snapshot, loaded = ls.requests.snapshot(at.uri, at.place), ls.host.completer
    if isinstance(snapshot, NoCompletion):
        return {"reason": snapshot.reason, "message": snapshot.message}
    if loaded is None:
        return {"reason": ls.host.state, "message": ls.host.message}
    trial = trial_of(complaint, snapshot.settings, loaded, snapshot.request, seed)
    # First: what cannot be written is known before anything takes time.
    written = (
        _write(ls, at.uri, trial.proposal, arguments.create) if arguments.values.get("apply") is True else {}
    )
    tried = await ls.requests.run(
        snapshot,
        lambda completer, prepared, cancel: _Tried(*trial.complete(completer, prepared.request, cancel)),
    )
    proposal = trial.proposal
    answer = {
        "complaint": proposal.complaint,
        "changes": {camel(key): value for key, value in proposal.values.items()},
        "reasons": proposal.reasons,
        "bounds": list(proposal.bounds),
    }
    if isinstance(tried, NoCompletion):
        return {**answer, "reason": tried.reason, "message": tried.message, **written}
    return {**answer, "before": _shown(tried.before), "after": _shown(tried.completion), **written}


@frozen
class _Tried:
    """The completions with the current and the proposed parameters."""

    before: Completion
    completion: Completion


def _write(ls: Server, uri: str, proposal: Proposal, create: bool) -> dict[str, Any]:
    """Write the proposed values to the project file; report where, and which of them do not take effect."""
    document = file_of(ls.notebooks.notebook_of(uri))
    if document is None:
        raise JsonRpcInvalidParams(
            "The document is not a file, so there is no project to write the parameters to."
        )
    try:
        written = write_for(ls, uri, document, proposal.values, create)
    except NoProjectError:
        raise
    except SettingsError as error:
        return {"written": None, "notWritten": str(error)}
    path = str(written.path) if written.path else None
    return {"written": path, "overridden": [camel(key) for key in written.overridden]}


def _shown(completion: Completion) -> dict[str, Any]:
    message = {} if completion.text else {"message": completion.empty_message}
    return {"parameters": parameters_json(completion.parameters), "text": completion.text, **message}


def _complaint(arguments: Arguments) -> str:
    complaint = arguments.values.get("complaint")
    if not isinstance(complaint, str) or complaint not in COMPLAINTS:
        raise JsonRpcInvalidParams(f"complaint must be one of {', '.join(COMPLAINTS)}.")
    return complaint


def _seed(arguments: Arguments) -> int | None:
    """The seed of both completions; also the one proposed if the complaint calls for a fixed seed."""
    seed = arguments.values.get("seed")
    if (error := check_value("seed", seed)) is not None:
        raise JsonRpcInvalidParams(f"seed: {error}.")
    found = in_effect("seed", seed)
    return None if found is None else int(found)
