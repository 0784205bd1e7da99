"""What the ledger keeps of one completion.

In: a request, the completion made for it, what made it. Out: an `Entry`: hashes, parameters, versions,
figures; with the mode `text` also the file's path, its text and the completion.
It does not know where entries are kept.
"""

import hashlib
from functools import cache
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from aide_lsp import __version__
from aide_lsp.settings.fields import Parameters

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer, Completion, CompletionRequest

LONGEST_KEPT = 1_000_000
"""Characters of a text that is kept in the mode `text`; of a longer one only the hashes are."""


@frozen
class Maker:
    """What a completion depends on besides text, cursor and parameters."""

    model: str
    "Id of the model."
    source_sha256: str
    "Of the file the model was converted from; empty if it was not."
    recipe: str
    "How its weights are stored and multiplied."
    device: str
    "`cpu` or `cuda`."
    runtime: str
    "Version of ONNX Runtime."
    aide: str
    "Version of Aide."


@frozen
class Made:
    """A completion on its way into the ledger."""

    request: "CompletionRequest" = field(repr=False)
    "What was asked."
    completion: "Completion" = field(repr=False)
    "What was answered."
    maker: Maker
    "What made it."
    time: float
    "Seconds since 1970."
    mode: str
    "`hashes` or `text`."


@frozen
class Entry:
    """A completion in the ledger: one column for each attribute and parameter."""

    id: str
    "Of the completion."
    time: float
    "When it was made, in seconds since 1970."
    path_hash: str
    "Of the file's path."
    language: str
    "LSP language id; empty: none that Aide knows."
    offset: int
    "The cursor: code points before it."
    after_length: int
    "Code points behind the cursor."
    before_hash: str
    "Of the text before the cursor."
    after_hash: str
    "Of the text behind the cursor."
    parameters: Parameters
    "In effect, with the seed that was used; a column for each."
    candidate: int
    "Which of several completions for one seed."
    max_tokens: int
    "Longest completion."
    model: str
    "Id of the model."
    source_sha256: str
    "Of the file the model was converted from."
    recipe: str
    "How its weights are stored and multiplied."
    device: str
    "`cpu` or `cuda`."
    runtime: str
    "Version of ONNX Runtime."
    aide: str
    "Version of Aide."
    prompt_tokens: int
    "Tokens of the prompt."
    cached_tokens: int
    "Those of them that did not have to be run."
    generated_tokens: int
    "Tokens the model wrote."
    first_token_ms: float
    "Milliseconds until the first token."
    total_ms: float
    "Milliseconds for the whole answer."
    finish_reason: str
    "`stop`, `length` or `timeout`."
    empty_reason: str | None
    "Why there was nothing to show; None: there was something."
    completion_hash: str
    "Of the completion's text."
    completion_length: int
    "Code points of the completion."
    shown: int = 0
    "How often an editor was given it."
    accepted: float | None = None
    "When the user took it, in seconds since 1970; None: not."
    path: str | None = None
    "The file's path; in the mode `text` only."
    text: str | None = field(default=None, repr=False)
    "The whole text; in the mode `text` only."
    completion: str | None = field(default=None, repr=False)
    "The completion's text; in the mode `text` only."


def maker_of(completer: "Completer") -> Maker:
    """Say what a loaded completer makes completions with."""
    model = completer.model
    return Maker(
        model=model.model,
        source_sha256=model.source_sha256,
        recipe=model.recipe,
        device=completer.session.provider,
        runtime=_runtime_version(),
        aide=__version__,
    )


def entry_of(made: Made, salt: bytes) -> Entry:
    """Make the entry: hash what must not be kept."""
    from aide_lsp.completion.syntax import language_id_of

    request, completion, maker = made.request, made.completion, made.maker
    before, after = request.text[: request.offset], request.text[request.offset :]
    keep = made.mode == "text"
    return Entry(
        id=completion.id,
        time=made.time,
        path_hash=hash_of(request.path, salt),
        language=language_id_of(request.language_id, request.path),
        offset=request.offset,
        after_length=len(after),
        before_hash=hash_of(before, salt),
        after_hash=hash_of(after, salt),
        parameters=evolve(completion.parameters, seed=completion.seed),
        candidate=request.candidate,
        max_tokens=request.max_tokens,
        model=maker.model,
        source_sha256=maker.source_sha256,
        recipe=maker.recipe,
        device=maker.device,
        runtime=maker.runtime,
        aide=maker.aide,
        prompt_tokens=completion.prompt_tokens,
        cached_tokens=completion.cached_tokens,
        generated_tokens=completion.generated_tokens,
        first_token_ms=round(completion.first_token_ms, 1),
        total_ms=round(completion.total_ms, 1),
        finish_reason=completion.finish_reason,
        empty_reason=completion.empty_reason,
        completion_hash=hash_of(completion.text, salt),
        completion_length=len(completion.text),
        path=request.path if keep else None,
        text=request.text if keep and len(request.text) <= LONGEST_KEPT else None,
        completion=completion.text if keep else None,
    )


def hash_of(text: str, salt: bytes) -> str:
    """Hash a text with the ledger's own salt: no table of hashes made elsewhere tells what it was."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=salt, digest_size=16).hexdigest()


@cache
def _runtime_version() -> str:
    """Look the version up without importing the runtime; once, for it takes a millisecond or two."""
    from aide_lsp.inference.onnx.runtime import installed_runtimes

    return next(reversed(installed_runtimes().values()), "")
