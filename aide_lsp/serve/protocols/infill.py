"""llama.cpp's `/infill`: text around a cursor, excerpts of other files, and where a completion ends."""

from typing import Any
from zlib import crc32

from attrs import evolve, field, frozen

from aide_lsp.completion.model import Model
from aide_lsp.completion.prompt import PartKind, Prompt, PromptPart
from aide_lsp.completion.request import Completion, CompletionRequest
from aide_lsp.errors import BusyError, DeclinedError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.observer import Timings
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.reasons import NoCompletionReason
from aide_lsp.serve.protocols.fim_prompts import Texts
from aide_lsp.serve.protocols.given import Given, ParameterError
from aide_lsp.serve.protocols.limits import LimitedModel, TextEnd

MOST_FILES = 1_000
MOST_DROPPED, ANCHORS = 128, 16
"""How many lines may be dropped far above the cursor; one line in this many can be the first one."""
PROJECT, UNNAMED, OWN_NAME = "project\n", "file", "file\n"
"""What a model reads where the client says no names."""


@frozen
class Infilled:
    """What an answer is made of."""

    text: str = field(repr=False)
    finish_reason: str
    seed: int
    timings: Timings
    reason: str = ""
    "Why the text is empty."
    ending: TextEnd = field(factory=TextEnd)


def infill_texts(given: Given) -> Texts:
    """Return what a request for `/infill` wants to be completed.

    Raises:
        ParameterError: it is none.
    """
    before = (given.text("input_prefix") or "") + (given.text("prompt") or "")
    return Texts(before, given.text("input_suffix") or "", _files(given.get("input_extra")))


def anchored(before: str) -> str:
    """Return a text before the cursor from a line on that stays its first one while the cursor moves down.

    Plugins send a fixed number of lines above the cursor: with each new line another one is the first, and
    the complete prompt would have to be read again. Which lines can be the first depends on their text.
    """
    lines = before.splitlines(keepends=True)
    first = next((at for at in range(min(MOST_DROPPED, len(lines) // 2)) if _is_anchor(lines[at])), 0)
    return "".join(lines[first:])


def infill(
    model: LimitedModel,
    prompt: Prompt,
    texts: Texts,
    options: GenerationOptions,
    choices: int,
    cancel: CancelToken,
) -> list[Infilled]:
    """Complete as Aide does in its editors: with its stop rules, its clean-up and its checks.

    Args:
        model: what completes.
        prompt: what it could read: other files and a window.
        texts: the client's.
        options: how.
        choices: candidates of the seed. Those that say nothing new are left out, but for the first.
        cancel: ends it.
    """
    # Here: with all checks, it takes a tenth of a second, and most engines never need it.
    from aide_lsp.completion.completer import Completer

    files = tuple(one for one in prompt.parts if one.kind not in (PartKind.PREFIX, PartKind.SUFFIX))
    request = CompletionRequest(
        texts.before + (texts.after or ""), len(texts.before), language_id="", path="", options=options
    )
    try:
        completer, found = Completer(evolve(model, files=files)), list[Infilled]()
        for candidate in range(choices):
            completion = _insertion(completer.complete(request.with_options(candidate=candidate), cancel))
            if not found or completion.text not in ("", *(one.text for one in found)):
                found.append(_infilled(completion, evolve(model.ending)))
            parameters = evolve(options.parameters, seed=completion.seed)
            request = request.with_options(parameters=parameters)
    except BusyError:
        raise
    except DeclinedError as error:
        return [Infilled("", "stop", options.seed, Timings(), str(error))]
    return found


def prefill(model: Model, prompt: Prompt, options: GenerationOptions, cancel: CancelToken) -> list[Infilled]:
    """Read a prompt ahead, for a client that wants no tokens."""
    tokens = model.prefill(prompt, options, cancel)
    return [Infilled("", "length", options.seed, Timings(prompt_tokens=tokens))]


def _insertion(completion: Completion) -> Completion:
    """Return what a plugin may insert: nothing in place of brackets, which would be there twice."""
    reason = NoCompletionReason.REPEATS_SUFFIX
    if not completion.replaces:
        return completion
    return evolve(completion, text="", empty_reason=reason.code, empty_message=reason.message)


def _infilled(completion: Completion, ending: TextEnd) -> Infilled:
    timings = Timings(
        completion.prompt_tokens,
        completion.cached_tokens,
        completion.generated_tokens,
        completion.generated_tokens,
        completion.first_token_ms,
        completion.total_ms,
    )
    reason = completion.empty_message or ""
    return Infilled(completion.text, completion.finish_reason, completion.seed, timings, reason, ending)


def _is_anchor(line: str) -> bool:
    return crc32(line.encode("utf-8", "replace")) % ANCHORS == 0 and bool(line.strip())


def _files(extra: Any) -> tuple[PromptPart, ...]:
    if extra is None or extra == []:
        return ()
    if not isinstance(extra, list) or len(extra) > MOST_FILES:
        raise ParameterError("input_extra", f"expected a list of at most {MOST_FILES:,} objects.")
    parts = [PromptPart(PartKind.PROJECT, PROJECT)]
    for one in extra:
        text, name = (one.get("text"), one.get("filename")) if isinstance(one, dict) else (None, None)
        if not isinstance(text, str) or not isinstance(name, str | None):
            raise ParameterError("input_extra", "expected objects with text and filename, both strings.")
        # On one line, as a name is for the model.
        parts.append(PromptPart(PartKind.PATH, " ".join((name or UNNAMED).split()) + "\n"))
        parts.append(PromptPart(PartKind.EXCERPT, text))
    return (*parts, PromptPart(PartKind.PATH, OWN_NAME))
