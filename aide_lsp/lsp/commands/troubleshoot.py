"""The command `aide.troubleshoot`: what to change against a complaint, shown at the cursor.

In: a place, a complaint, and whether the proposal is accepted. Out: the completion with the present
parameters and with the proposed ones, both with one seed, and why; accepted values go to the project file.
It knows neither the rules (`aide_lsp/settings/troubleshooting.py`) nor how a file is edited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen
from pygls.exceptions import JsonRpcInvalidParams

from aide_lsp.errors import SettingsError
from aide_lsp.lsp.commands.arguments import Arguments
from aide_lsp.lsp.requests.answer import NoCompletion
from aide_lsp.lsp.requests.snapshot import request_of
from aide_lsp.lsp.status import parameters_json
from aide_lsp.lsp.uris import file_of
from aide_lsp.settings.edit import write_values
from aide_lsp.settings.fields import camel, check_value, in_effect, new_seed
from aide_lsp.settings.troubleshooting import COMPLAINTS, Proposal, propose, within

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer, Completion, CompletionRequest
    from aide_lsp.inference.cancel import CancelToken
    from aide_lsp.lsp.server import Server


async def troubleshoot(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Propose parameters against a complaint, and complete with the present and the proposed ones."""
    at = arguments.document_position()
    complaint, seed = _complaint(arguments), _seed(arguments)
    snapshot = ls.requests.snapshot(at.uri, at.place)
    limits, completer = ls.configuration.limits, ls.host.completer
    if isinstance(snapshot, NoCompletion):
        return {"reason": snapshot.reason, "message": snapshot.message}
    if limits is None or completer is None:
        return {"reason": ls.host.state, "message": ls.host.message}
    limits = within(limits, snapshot.settings.max_num_context)
    parameters = snapshot.settings.parameters
    seed = next((known for known in (parameters.seed, seed) if known is not None), new_seed())
    proposal = propose(complaint, parameters, limits, seed, completer.reads_all(request_of(snapshot)))
    written = _write(ls, at.uri, proposal) if arguments.values.get("apply") is True else {}
    trial = await ls.requests.run(
        snapshot,
        lambda completer, request, cancel: _try(completer, request, cancel, proposal, seed),
    )
    told = {
        "complaint": proposal.complaint,
        "changes": {camel(key): value for key, value in proposal.values.items()},
        "reasons": proposal.reasons,
        "bounds": list(proposal.bounds),
    }
    if isinstance(trial, NoCompletion):
        return {**told, "reason": trial.reason, "message": trial.message, **written}
    return {**told, "before": _shown(trial.before), "after": _shown(trial.completion), **written}


@frozen
class _Trial:
    """The completions before and after a proposal."""

    before: Completion
    "With the present parameters."
    completion: Completion
    "With the proposed ones."


def _try(
    completer: Completer, request: CompletionRequest, cancel: CancelToken, proposal: Proposal, seed: int
) -> _Trial:
    """Complete with the present parameters and with the proposed ones, both with one seed, on the worker."""
    before, after = (
        completer.complete(evolve(request, parameters=evolve(parameters, seed=seed)), cancel)
        for parameters in (proposal.before, proposal.after)
    )
    return _Trial(before, after)


def _write(ls: Server, uri: str, proposal: Proposal) -> dict[str, Any]:
    """Write the proposed values to the project file; tell where, and which of them do not take effect."""
    path = file_of(uri)
    if path is None:
        raise JsonRpcInvalidParams("The document is no file: there is no project to write the parameters to.")
    try:
        written = write_values(path, ls.configuration.workspace_folder(uri), proposal.values)
    except SettingsError as error:
        return {"written": None, "notWritten": str(error)}
    effective = ls.configuration.resolve(uri).settings.parameters
    overridden = [camel(key) for key, value in proposal.values.items() if getattr(effective, key) != value]
    return {"written": str(written) if written else None, "overridden": overridden}


def _shown(completion: Completion) -> dict[str, Any]:
    message = {} if completion.text else {"message": completion.empty_message}
    return {"parameters": parameters_json(completion.parameters), "text": completion.text, **message}


def _complaint(arguments: Arguments) -> str:
    complaint = arguments.values.get("complaint")
    if not isinstance(complaint, str) or complaint not in COMPLAINTS:
        raise JsonRpcInvalidParams(f"complaint must be one of {', '.join(COMPLAINTS)}.")
    return complaint


def _seed(arguments: Arguments) -> int | None:
    """The seed to compare with, and to fix if that is what helps; None: draw one."""
    seed = arguments.values.get("seed")
    if (fault := check_value("seed", seed)) is not None:
        raise JsonRpcInvalidParams(f"seed: {fault}.")
    found = in_effect("seed", seed)
    return None if found is None else int(found)
