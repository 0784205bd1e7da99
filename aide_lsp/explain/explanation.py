"""The explanation of one completion: its prompt, how each token was drawn, and what ended it.

`as_json` converts it for programs; `docs/explain.md` lists the keys. The explained completion is the one that
the same request and seed give without an explanation.
"""

from collections.abc import Mapping
from difflib import SequenceMatcher
from itertools import groupby
from typing import Any

import attrs
from attrs import frozen

from aide_lsp.completion.completer import Completer
from aide_lsp.completion.model import ModelInfo
from aide_lsp.completion.request import Completion, CompletionRequest
from aide_lsp.completion.step import Step, temperatures
from aide_lsp.context.excerpt import Selection
from aide_lsp.explain.endings import what_checks_found, what_clean_up_did, why_ended
from aide_lsp.explain.explained_prompt import ExplainedPrompt, explained_prompt
from aide_lsp.explain.trace import CompletionTrace
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.infill.cleanup import visible_at
from aide_lsp.line_ends import with_line_feeds

FORMAT = 1
"""Increases when a key is removed or changes its meaning."""
NOTHING = Selection()
"""Where other files were not searched."""


@frozen
class TokenPiece:
    """A part of a generated token's text."""

    kind: str
    "`given-back` (healed text), `typed` (shown, and typed or accepted since), `shown`, `dropped`."
    text: str
    "Its text."


@frozen
class Token:
    """A generated token in the text."""

    pieces: tuple[TokenPiece, ...]
    "Its text; empty if it completes no character, or is an end token."
    step: Step
    "The distribution it was drawn from."


@frozen
class Ending:
    """What ended the text, and what clean-up did."""

    finish_reason: str
    "`stop`, `length` or `timeout`."
    rule: str | None
    "The stop rule that applied; null: none."
    by_end_token: bool
    "Whether the model ended the text with an end token."
    says: str
    "The reason, as a sentence."
    dropped: str
    "Generated text that the stop rule cut off."
    clean_up: str
    "What clean-up changed, as a sentence."
    invisible: str
    "Invisible characters that it removed."
    removed: str
    "What else it removed."
    added: str
    "What it added."
    confidence: float | None
    "The model's own probability of the text; null: there is none, or a server has not reported it."
    check: str
    "Whether the text passed the checks, and how probable it is, as a sentence."


@frozen
class RejectedCandidate:
    """A candidate of the same seed that failed the checks, so that the next one was generated."""

    candidate: int
    "Its number, from 0."
    text: str
    "What it would have inserted."
    says: str
    "Why it is not shown."


@frozen
class Stage:
    """One stage of the work."""

    name: str
    "`window`, `tokenize`, `prefill`, `forward`, `sampling`, `server`, `stop rules`, `clean-up`, `checks`."
    ms: float
    "Milliseconds, without the time spent on the explanation."


@frozen
class Explanation:
    """A completion, and how it was generated."""

    format: int
    "Version of these keys."
    model: str
    "The model's id."
    device: str
    "Where it ran, and with which recipe."
    host: str
    "Host of the server that the text was sent to; empty: none was sent."
    ignored: tuple[str, ...]
    "Parameters that have no effect there."
    replays: bool
    "Whether the same seed always gives the same completion."
    path: str
    "The path of the document."
    line: int
    "The cursor's line, from 1."
    column: int
    "The cursor's column in code points, from 1."
    completion: Completion
    "The completion, with its parameters and seed."
    typed: str
    "Its beginning that the user has typed or accepted since; empty: nothing."
    prompt: ExplainedPrompt
    "The prompt."
    vocabulary: int
    "Number of tokens in the vocabulary; 0 if there are no `tokens`."
    temperatures: tuple[float, ...]
    "The temperatures of each step's `log_mass`."
    tokens: tuple[Token, ...]
    "The generated tokens; none if a server runs the model."
    why_no_tokens: str
    "Why there are none, as a sentence; empty: there are."
    end: Ending
    "How the text ended."
    rejected: tuple[RejectedCandidate, ...]
    "The candidates before this one that failed the checks."
    stages: tuple[Stage, ...]
    "The stages of the work, in order."


def explain(
    completer: Completer,
    request: CompletionRequest,
    cancel: CancelToken,
    selection: Selection = NOTHING,
    typed: str = "",
) -> Explanation:
    """Complete a text at its cursor, and explain the completion.

    Args:
        completer: with the model.
        request: with excerpts of other files, if any were chosen.
        cancel: stops it.
        selection: how they were chosen.
        typed: what the user has typed since, if the completion is one that was shown.

    Raises:
        Cancelled: it was canceled.
        DeclinedError: the text or the line is too large, or the server gives no answer.
        SessionError: the runtime failed.
    """
    trace = CompletionTrace()
    completion = completer.observe(request, trace, cancel)
    return assemble(trace, request, selection, completion, completer.info, typed)


def as_json(explanation: Explanation) -> dict[str, Any]:
    """Return the explanation as JSON."""
    return attrs.asdict(explanation)


def assemble(
    trace: CompletionTrace,
    request: CompletionRequest,
    selection: Selection,
    completion: Completion,
    model: ModelInfo,
    typed: str,
) -> Explanation:
    """Build the explanation from a trace."""
    typed = typed if with_line_feeds(completion.text).startswith(typed) else ""
    ending, shown = _ending(trace, model)
    return Explanation(
        format=FORMAT,
        model=model.id,
        device=model.runs_on,
        host=model.host,
        ignored=model.ignored,
        replays=model.replays,
        path=request.path,
        line=request.before.count("\n") + 1,
        column=len(request.before) - request.before.rfind("\n"),
        completion=completion,
        typed=typed,
        prompt=explained_prompt(trace, selection, completion, model),
        vocabulary=model.vocabulary_size if model.explains else 0,
        temperatures=temperatures(completion.parameters),
        tokens=_tokens(trace, shown, len(typed)) if model.explains else (),
        why_no_tokens="" if model.explains else _why_no_tokens(model),
        end=ending,
        rejected=tuple(
            RejectedCandidate(request.options.candidate, cleaned.text, rejection.message)
            for request, cleaned, rejection in trace.rejected
        ),
        stages=tuple(Stage(name, ms) for name, ms in trace.stages(explains=model.explains).items()),
    )


def _why_no_tokens(model: ModelInfo) -> str:
    return (
        f"{model.runs_on} returns text only: it does not report which tokens it could choose from. To see "
        'each token, explain the completion with Aide\'s own engine (engine = "local").'
    )


def _ending(trace: CompletionTrace, model: ModelInfo) -> tuple[Ending, dict[int, int]]:
    """Return how the text ended, and where each generated character that is shown is in what is shown."""
    generated, cleaned = trace.generated, trace.cleaned
    assert generated is not None
    assert cleaned is not None
    assert trace.request is not None
    kept = generated.text[: generated.stop.end] if generated.stop else generated.text
    visible = visible_at(generated.hole, kept)
    offsets = _offsets(kept, visible)
    invisible = "".join(kept[offset] for offset in sorted({*range(len(kept))} - {*offsets}))
    blocks = SequenceMatcher(None, visible, cleaned.text, autojunk=False).get_matching_blocks()
    same = {block.a + at: block.b + at for block in blocks for at in range(block.size)}
    given = {*same.values()}
    removed = "".join(character for at, character in enumerate(visible) if at not in same)
    added = "".join(character for at, character in enumerate(cleaned.text) if at not in given)
    by_end_token = bool(trace.steps) and trace.steps[-1].ends
    options = trace.request.options
    confidence = generated.confidence if cleaned.text and model.is_rated(options) else None
    ending = Ending(
        finish_reason=generated.finish_reason,
        rule=generated.stop.rule.code if generated.stop else None,
        by_end_token=by_end_token,
        says=why_ended(generated, by_end_token),
        dropped=generated.text[len(kept) :],
        clean_up=what_clean_up_did(cleaned, removed, added, invisible),
        invisible=invisible,
        removed=removed,
        added=added,
        confidence=confidence,
        check=what_checks_found(cleaned, trace.rejection, confidence, options.show),
    )
    return ending, {offsets[at]: place for at, place in same.items()}


def _offsets(text: str, part: str) -> list[int]:
    """Return the offsets of the characters of `part` in `text`; `part` is `text` without some characters."""
    found: list[int] = []
    for character in part:
        found.append(text.index(character, found[-1] + 1 if found else 0))
    return found


def _tokens(trace: CompletionTrace, shown: Mapping[int, int], typed: int) -> tuple[Token, ...]:
    assert trace.prompt is not None
    assert trace.generated is not None
    texts, start = [*trace.texts], -len(trace.prompt.healed)
    if texts and (end := len("".join(texts)) + start) >= 0:
        texts[-1] += trace.generated.text[end:]  # the text ended inside a character
    tokens = []
    for step, text in zip(trace.steps, texts, strict=True):
        tokens.append(Token(_pieces(text, start, shown, typed), step))
        start += len(text)
    return tuple(tokens)


def _pieces(text: str, start: int, shown: Mapping[int, int], typed: int) -> tuple[TokenPiece, ...]:
    """Split a token's text, which begins `start` characters after the cursor, by kind."""

    def kind(offset: int) -> str:
        if offset < 0 or offset not in shown:
            return "given-back" if offset < 0 else "dropped"
        return "typed" if shown[offset] < typed else "shown"

    pieces = groupby(range(start, start + len(text)), kind)
    return tuple(
        TokenPiece(name, "".join(text[offset - start] for offset in offsets)) for name, offsets in pieces
    )
