"""`aide.explain`: explains the completion at a position, as an HTML page and as JSON."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen
from pygls.exceptions import JsonRpcInvalidParams

from aide_lsp.line_ends import with_line_feeds
from aide_lsp.lsp.commands.arguments import Arguments, is_count, read_parameters
from aide_lsp.lsp.requests.answer import NoCompletion

if TYPE_CHECKING:
    from aide_lsp.application.excerpts import Prepared
    from aide_lsp.completion.completer import Completer
    from aide_lsp.completion.request import Completion
    from aide_lsp.inference.cancel import CancelToken
    from aide_lsp.lsp.server import Server


async def explain(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Complete again with an observer.

    What the arguments do not set of candidate, parameters and seed is that of the visible completion, or else
    that of the settings. If all of it is that of the visible one, exactly that one is explained.
    """
    at = arguments.document_position()
    snapshot = ls.requests.snapshot(at.uri, at.place)
    if isinstance(snapshot, NoCompletion):
        return {"reason": snapshot.reason, "message": snapshot.message}
    await ls.requests.whole(at.uri)
    shown = ls.requests.shown.visible(snapshot)
    current = shown.parameters if shown else snapshot.settings.parameters
    candidate = arguments.values.get("candidate", shown.candidate if shown else 0)
    if not is_count(candidate):
        raise JsonRpcInvalidParams("candidate must be a whole number, 0 or more.")
    parameters = read_parameters(arguments.values, current, ls.configuration.limits)
    is_shown = shown is not None and (parameters, candidate) == (shown.parameters, shown.candidate)
    if shown is not None and is_shown:
        # The rest of a completion is explained where it was generated: at the new cursor, the same seed may
        # give another text.
        snapshot = evolve(snapshot, request=snapshot.request.before_typing(shown.typed, shown.added))
    request = snapshot.request.with_options(parameters=parameters, candidate=candidate)
    typed = shown.typed if shown is not None and is_shown else ""
    explained = await ls.requests.run(evolve(snapshot, request=request), partial(_explain, typed=typed))
    if isinstance(explained, NoCompletion):
        return {"reason": explained.reason, "message": explained.message}
    same = None if shown is None else _shown_text(shown, explained.completion, typed=is_shown)
    return {"html": explained.html, "explanation": explained.explanation, "asShown": same}


def _shown_text(shown: Completion, explained: Completion, *, typed: bool) -> bool:
    text = (shown.typed if typed else "") + with_line_feeds(shown.text)
    if typed and shown.added:
        # What is shown may end where the editor has closed a bracket in the next line.
        return with_line_feeds(explained.text).startswith(text)
    return text == with_line_feeds(explained.text)


@frozen
class _Explained:
    """A completion and its explanation, as a page and as JSON."""

    completion: Completion
    html: str
    explanation: dict[str, Any]


def _explain(completer: Completer, prepared: Prepared, cancel: CancelToken, *, typed: str) -> _Explained:
    from aide_lsp.explain.explanation import as_json, explain
    from aide_lsp.explain.page import render

    explanation = explain(completer, prepared.request, cancel, prepared.selection, typed)
    return _Explained(explanation.completion, render(explanation), as_json(explanation))
