"""The command `aide.explain`: how the completion at a place came about.

In: a place, and optionally parameters, seed and candidate. Out: the explanation as a page and as JSON. With
nothing given it explains the completion that was shown at that place last, if there is one.
It does not know how a completion is explained (`aide_lsp/explain/` does).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve
from pygls.exceptions import JsonRpcInvalidParams

from aide_lsp.lsp.commands.arguments import Arguments, is_count, read_parameters
from aide_lsp.lsp.requests.history import spot
from aide_lsp.lsp.status import Nothing

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from aide_lsp.completion.completer import Completer, Completion, CompletionRequest
    from aide_lsp.inference.cancel import CancelToken
    from aide_lsp.lsp.server import Server
    from aide_lsp.settings.fields import Parameters


def explain(ls: Server, arguments: Arguments) -> Awaitable[dict[str, Any]] | dict[str, Any]:
    """Complete at a place once more, and tell how."""
    at = arguments.document_position()
    asked = ls.completing.look(ls.protocol.current_id, at.uri, at.place)
    if isinstance(asked, Nothing):
        return {"reason": asked.reason, "message": asked.message}
    shown = ls.completing.shown.last(at.uri, spot(asked.text, asked.offset))
    present = shown.parameters if shown else asked.settings.parameters
    candidate = arguments.values.get("candidate", shown.candidate if shown else 0)
    if not is_count(candidate):
        raise JsonRpcInvalidParams("candidate is a whole number from 0.")
    explaining = Explaining(
        read_parameters(arguments.values, present, ls.configuration.limits), candidate, shown
    )
    return ls.completing.submit(asked, explaining.answer, explaining.complete)


class Explaining:
    """One explanation. `complete` runs on the worker."""

    def __init__(self, parameters: Parameters, candidate: int, shown: Completion | None) -> None:
        self._parameters, self._candidate, self._shown = parameters, candidate, shown
        self._told: dict[str, Any] = {}

    def complete(self, completer: Completer, request: CompletionRequest, cancel: CancelToken) -> Completion:
        """Complete with an observer looking on."""
        from aide_lsp.explain.explanation import as_json, explain
        from aide_lsp.explain.page import render
        from aide_lsp.loading import device_of

        request = evolve(request, parameters=self._parameters, candidate=self._candidate)
        explanation = explain(completer, request, device_of(completer), cancel)
        self._told = {"html": render(explanation), "explanation": as_json(explanation)}
        return explanation.completion

    def answer(self, completion: Completion | Nothing) -> dict[str, Any]:
        """Make the command's answer."""
        if isinstance(completion, Nothing):
            return {"reason": completion.reason, "message": completion.message}
        same = None if self._shown is None else self._shown.text == completion.text
        return {**self._told, "asShown": same}
