"""The command `aide.explain`: how the completion at a place came about.

In: a place, and optionally parameters, seed and candidate. Out: the explanation as a page and as JSON. With
nothing given it explains the completion that was shown at that place last, if there is one.
It does not know how a completion is explained (`aide_lsp/explain/` does).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen
from pygls.exceptions import JsonRpcInvalidParams

from aide_lsp.lsp.commands.arguments import Arguments, is_count, read_parameters
from aide_lsp.lsp.requests.answer import NoCompletion
from aide_lsp.lsp.requests.history import spot

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer, Completion, CompletionRequest
    from aide_lsp.inference.cancel import CancelToken
    from aide_lsp.lsp.server import Server


async def explain(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Complete at a place once more, and tell how."""
    at = arguments.document_position()
    snapshot = ls.requests.snapshot(at.uri, at.place)
    if isinstance(snapshot, NoCompletion):
        return {"reason": snapshot.reason, "message": snapshot.message}
    shown = ls.requests.history.last(at.uri, spot(snapshot.text, snapshot.offset))
    present = shown.parameters if shown else snapshot.settings.parameters
    candidate = arguments.values.get("candidate", shown.candidate if shown else 0)
    if not is_count(candidate):
        raise JsonRpcInvalidParams("candidate is a whole number from 0.")
    parameters = read_parameters(arguments.values, present, ls.configuration.limits)
    explained = await ls.requests.run(
        snapshot,
        lambda completer, request, cancel: _explain(
            completer, evolve(request, parameters=parameters, candidate=candidate), cancel
        ),
    )
    if isinstance(explained, NoCompletion):
        return {"reason": explained.reason, "message": explained.message}
    same = None if shown is None else shown.text == explained.completion.text
    return {"html": explained.html, "explanation": explained.explanation, "asShown": same}


@frozen
class _Explained:
    """What the worker hands back."""

    completion: Completion
    "The completion that was made for it."
    html: str
    "The explanation as a page."
    explanation: dict[str, Any]
    "The same as JSON."


def _explain(completer: Completer, request: CompletionRequest, cancel: CancelToken) -> _Explained:
    """Complete with an observer looking on, on the worker."""
    from aide_lsp.explain.explanation import as_json, explain
    from aide_lsp.explain.page import render
    from aide_lsp.loading import device_of

    explanation = explain(completer, request, device_of(completer), cancel)
    return _Explained(explanation.completion, render(explanation), as_json(explanation))
