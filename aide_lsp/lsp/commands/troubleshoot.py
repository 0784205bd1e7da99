"""The command `aide.troubleshoot`: what to change against a complaint, shown at the cursor.

In: a place, a complaint, and whether the proposal is accepted. Out: the completion with the present
parameters and with the proposed ones, both with one seed, and why; accepted values go to the project file.
It knows neither the rules (`aide_lsp/settings/troubleshooting.py`) nor how a file is edited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve
from pygls.exceptions import JsonRpcInvalidParams

from aide_lsp.errors import SettingsError
from aide_lsp.lsp.commands.arguments import Arguments
from aide_lsp.lsp.requests.snapshot import request_of
from aide_lsp.lsp.status import Nothing, parameters_json
from aide_lsp.lsp.uris import file_of
from aide_lsp.settings.edit import write_values
from aide_lsp.settings.fields import Parameters, camel, check_value, in_effect, new_seed
from aide_lsp.settings.limits import ModelLimits
from aide_lsp.settings.troubleshooting import COMPLAINTS, Proposal, propose, within

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from aide_lsp.completion.completer import Completer, Completion, CompletionRequest
    from aide_lsp.inference.cancel import CancelToken
    from aide_lsp.lsp.server import Server


def troubleshoot(ls: Server, arguments: Arguments) -> Awaitable[dict[str, Any]] | dict[str, Any]:
    """Propose parameters against a complaint, and complete with the present and the proposed ones."""
    at = arguments.document_position()
    complaint, seed = _complaint(arguments), _seed(arguments)
    asked = ls.completing.look(ls.protocol.current_id, at.uri, at.place)
    limits, completer = ls.configuration.limits, ls.host.completer
    if isinstance(asked, Nothing) or limits is None or completer is None:
        nothing = asked if isinstance(asked, Nothing) else Nothing(ls.host.state, ls.host.message)
        return {"reason": nothing.reason, "message": nothing.message}
    limits = within(limits, asked.settings.max_num_context)
    trial = Trial(complaint, asked.settings.parameters, limits, seed, completer.reads_all(request_of(asked)))
    written = _write(ls, at.uri, trial.proposal) if arguments.values.get("apply") is True else {}
    return ls.completing.submit(asked, lambda answer: {**trial.answer(answer), **written}, trial.complete)


class Trial:
    """A proposal, and the completions before and after it. `complete` runs on the worker."""

    def __init__(
        self, complaint: str, parameters: Parameters, limits: ModelLimits, seed: int | None, reads_all: bool
    ) -> None:
        self._seed = next((known for known in (parameters.seed, seed) if known is not None), new_seed())
        self.proposal: Proposal = propose(complaint, parameters, limits, self._seed, reads_all)
        self._before: Completion | None = None

    def complete(self, completer: Completer, request: CompletionRequest, cancel: CancelToken) -> Completion:
        """Complete with the present parameters and with the proposed ones, both with one seed."""
        present, proposed = (
            evolve(request, parameters=evolve(parameters, seed=self._seed))
            for parameters in (self.proposal.before, self.proposal.after)
        )
        self._before = completer.complete(present, cancel)
        return completer.complete(proposed, cancel)

    def answer(self, after: Completion | Nothing) -> dict[str, Any]:
        """Make the command's answer."""
        told = {
            "complaint": self.proposal.complaint,
            "changes": {camel(key): value for key, value in self.proposal.values.items()},
            "reasons": self.proposal.reasons,
            "bounds": list(self.proposal.bounds),
        }
        if isinstance(after, Nothing) or self._before is None:
            nothing = after if isinstance(after, Nothing) else Nothing("cancelled", "")
            return {**told, "reason": nothing.reason, "message": nothing.message}
        return {**told, "before": _shown(self._before), "after": _shown(after)}


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
