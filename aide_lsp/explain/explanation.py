"""The explanation of one completion: its prompt, how each token was drawn, and what ended it.

`as_json` converts it for programs; `docs/explain.md` lists the keys. The explained completion is the one that
the same request and seed give without an explanation.
"""

from difflib import SequenceMatcher
from itertools import groupby
from typing import Any

import attrs
from attrs import frozen

from aide_lsp.completion.completer import Completer
from aide_lsp.completion.model import ModelInfo
from aide_lsp.completion.observer import RenderedPiece
from aide_lsp.completion.prompt import PartKind
from aide_lsp.completion.request import Completion, CompletionRequest
from aide_lsp.errors import ModelError
from aide_lsp.explain.endings import what_checks_found, what_clean_up_did, why_ended
from aide_lsp.explain.step import Step, temperatures
from aide_lsp.explain.trace import CompletionTrace
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.tokenizer import TextStream
from aide_lsp.infill.cleanup import visible_at

FORMAT = 1
"""Increases when a key is removed or changes its meaning."""


@frozen
class Cut:
    """Text on one side of the cursor that is not in the prompt."""

    characters: int
    "Its length in code points."
    lines: int
    "Its number of line ends."


@frozen
class ExplainedPrompt:
    """The prompt, and what did not fit in it."""

    format: str
    "Name of the fill-in-the-middle format."
    tokens: int
    "Tokens of the whole prompt."
    cached_tokens: int
    "Tokens of the prompt that were already in the KV cache."
    num_context: int
    "The maximum number of text tokens."
    parts: tuple[RenderedPiece, ...]
    "Its parts, in the order the model reads them."
    cut_above: Cut
    "What was cut off at the beginning of the document."
    cut_below: Cut
    "What was cut off at the end of the document."
    # The JSON keys and kinds keep these names: another one would need a new `FORMAT`.
    given_back: str
    "Healed text: the end of the text before the cursor, left out of the prompt and generated again."
    given_back_tokens: int
    "Tokens of the healed text."
    closers: str
    "Closing brackets and quotes right of the cursor, left out of the prompt: the model closes them itself."


@frozen
class TokenPiece:
    """A part of a generated token's text."""

    kind: str
    "`given-back` (healed text), `shown`, `dropped` (by a stop rule or clean-up)."
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
    "The reason in words."
    dropped: str
    "Generated text that the stop rule cut off."
    clean_up: str
    "What clean-up changed, in words."
    invisible: str
    "Invisible characters that it removed."
    removed: str
    "What else it removed."
    added: str
    "What it added."
    confidence: float
    "The model's own probability of the text."
    check: str
    "Whether the text passed the checks, in words."


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
    "`window`, `tokenise`, `prefill`, `forward`, `sampling`, `stop rules`, `clean-up`, `checks`."
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
    path: str
    "The path of the document."
    line: int
    "The cursor's line, from 1."
    column: int
    "The cursor's column in code points, from 1."
    completion: Completion
    "The completion, with its parameters and seed."
    prompt: ExplainedPrompt
    "The prompt."
    vocabulary: int
    "Number of tokens in the vocabulary."
    temperatures: tuple[float, ...]
    "The temperatures of each step's `log_mass`."
    tokens: tuple[Token, ...]
    "The generated tokens."
    end: Ending
    "How the text ended."
    rejected: tuple[RejectedCandidate, ...]
    "The candidates before this one that failed the checks."
    stages: tuple[Stage, ...]
    "The stages of the work, in order."


def explain(completer: Completer, request: CompletionRequest, cancel: CancelToken) -> Explanation:
    """Complete a text at its cursor, and explain the completion.

    Raises:
        Cancelled: it was cancelled.
        DeclinedError: the text or the line is too large.
        ModelError: the model's engine cannot explain completions.
        SessionError: the runtime failed.
    """
    if not completer.info.explains:
        raise ModelError(f"The model {completer.info.id} cannot explain its completions.")
    trace = CompletionTrace()
    completion = completer.observe(request, trace, cancel)
    return assemble(trace, request, completion, completer.info)


def as_json(explanation: Explanation) -> dict[str, Any]:
    """Return the explanation as JSON."""
    return attrs.asdict(explanation)


def assemble(
    trace: CompletionTrace, request: CompletionRequest, completion: Completion, model: ModelInfo
) -> Explanation:
    """Build the explanation from a trace."""
    ending, shown = _ending(trace)
    return Explanation(
        format=FORMAT,
        model=model.id,
        device=model.runs_on,
        path=request.path,
        line=request.before.count("\n") + 1,
        column=len(request.before) - request.before.rfind("\n"),
        completion=completion,
        prompt=_prompt(trace, completion),
        vocabulary=model.vocabulary_size,
        temperatures=temperatures(completion.parameters),
        tokens=_tokens(trace, shown),
        end=ending,
        rejected=tuple(
            RejectedCandidate(request.options.candidate, cleaned.text, rejection.message)
            for request, cleaned, rejection in trace.rejected
        ),
        stages=tuple(Stage(name, ms) for name, ms in trace.stages.items()),
    )


def _prompt(trace: CompletionTrace, completion: Completion) -> ExplainedPrompt:
    request, prompt, rendered = trace.request, trace.prompt, trace.rendered_prompt
    # An engine whose `ModelInfo.explains` is set reports all three.
    assert request is not None
    assert prompt is not None
    assert rendered is not None
    head = request.before.removesuffix(prompt.healed)
    tail = request.after.removeprefix(prompt.closers)
    prefix, suffix = prompt.text(PartKind.PREFIX), prompt.text(PartKind.SUFFIX)
    return ExplainedPrompt(
        format=rendered.format,
        tokens=completion.prompt_tokens,
        cached_tokens=completion.cached_tokens,
        num_context=completion.parameters.num_context,
        parts=rendered.pieces,
        cut_above=_cut(head[: len(head) - len(prefix)]),
        cut_below=_cut(tail[len(suffix) :]),
        given_back=prompt.healed,
        given_back_tokens=rendered.healed_tokens,
        closers=prompt.closers,
    )


def _cut(text: str) -> Cut:
    return Cut(len(text), text.count("\n"))


def _ending(trace: CompletionTrace) -> tuple[Ending, frozenset[int]]:
    """Return how the text ended, and the offsets of the generated characters that are shown."""
    generated, cleaned = trace.generated, trace.cleaned
    assert generated is not None
    assert cleaned is not None
    assert trace.request is not None
    kept = generated.text[: generated.stop.end] if generated.stop else generated.text
    visible = visible_at(generated.hole, kept)
    offsets = _offsets(kept, visible)
    invisible = "".join(kept[offset] for offset in sorted({*range(len(kept))} - {*offsets}))
    blocks = SequenceMatcher(None, visible, cleaned.text, autojunk=False).get_matching_blocks()
    same = {at for block in blocks for at in range(block.a, block.a + block.size)}
    given = {at for block in blocks for at in range(block.b, block.b + block.size)}
    removed = "".join(character for at, character in enumerate(visible) if at not in same)
    added = "".join(character for at, character in enumerate(cleaned.text) if at not in given)
    by_end_token = bool(trace.steps) and trace.steps[-1].ends
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
        confidence=generated.confidence,
        check=what_checks_found(cleaned, trace.rejection, show=trace.request.options.show),
    )
    return ending, frozenset(offsets[at] for at in same)


def _offsets(text: str, part: str) -> list[int]:
    """Return the offsets of the characters of `part` in `text`; `part` is `text` without some characters."""
    found: list[int] = []
    for character in part:
        found.append(text.index(character, found[-1] + 1 if found else 0))
    return found


def _tokens(trace: CompletionTrace, shown: frozenset[int]) -> tuple[Token, ...]:
    assert trace.prompt is not None
    assert trace.rendered_prompt is not None
    assert trace.generated is not None
    stream, start = TextStream(trace.rendered_prompt.tokenizer), -len(trace.prompt.healed)
    texts = ["" if step.ends else stream.push(step.token) for step in trace.steps]
    if len("".join(texts)) + start < len(trace.generated.text):
        texts[-1] += stream.finish()  # the text ended inside a character
    tokens = []
    for step, text in zip(trace.steps, texts, strict=True):
        tokens.append(Token(_pieces(text, start, shown), step))
        start += len(text)
    return tuple(tokens)


def _pieces(text: str, start: int, shown: frozenset[int]) -> tuple[TokenPiece, ...]:
    """Split a token's text, which begins `start` characters after the cursor, by kind."""

    def kind(offset: int) -> str:
        return "given-back" if offset < 0 else "shown" if offset in shown else "dropped"

    pieces = groupby(range(start, start + len(text)), kind)
    return tuple(
        TokenPiece(name, "".join(text[offset - start] for offset in offsets)) for name, offsets in pieces
    )
