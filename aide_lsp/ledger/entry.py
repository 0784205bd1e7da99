"""What the ledger records about a completion: hashes, parameters, versions and figures.

In the mode `text` also the file's path, its text, the completion, and what the model read of other files.
"""

import hashlib
from typing import TYPE_CHECKING

from attrs import asdict, evolve, field, frozen

from aide_lsp import __version__
from aide_lsp.context.excerpt import Excerpt
from aide_lsp.settings.fields import Parameters

if TYPE_CHECKING:
    from aide_lsp.completion.model import ModelInfo
    from aide_lsp.completion.request import Completion, CompletionRequest

LONGEST_KEPT = 1_000_000
"""A text with more characters is not recorded in the mode `text`; only its hashes are."""
LONGEST_NAME = 4_096
"""Likewise for a file's path and a language's id, which a client can make as long as it likes."""
OWN_ENGINE = "onnx"
"""The engine of entries that are older than the column: there was no other."""
MOST_EXCERPTS = 300
"""Excerpts, and files whose names are used, that are recorded for a completion at most, so that a row has a
limited size: all that one can depend on."""


@frozen
class Provenance:
    """What a completion depends on, apart from texts, cursor and parameters."""

    model: str
    "Id of the model."
    source_sha256: str
    "Hash of the file the model was converted from; empty if it was not converted, or a server says none."
    recipe: str
    "How its weights are stored and multiplied; empty: unknown."
    device: str
    "`cpu` or `cuda`; `server`: one that did not say."
    runtime: str
    "Version of ONNX Runtime, or of the server; empty: unknown."
    aide: str
    "Version of Aide."
    engine: str = OWN_ENGINE
    "What ran the model."
    host: str = ""
    "Host of the server that ran it; empty: it ran on this machine, in Aide."
    processor: str = ""
    "Kind of the processor where it ran; empty: unknown."


@frozen
class GeneratedEvent:
    """A completion was generated, and is to be recorded."""

    request: "CompletionRequest" = field(repr=False)
    "The request."
    completion: "Completion" = field(repr=False)
    "The answer."
    provenance: Provenance
    "The model and versions that generated it."
    time: float
    "Seconds since 1970."
    mode: str
    "`hashes` or `text`."


@frozen
class RecordedExcerpt:
    """An excerpt of another file, as the ledger keeps it."""

    path_hash: str
    "Hash of the file's path; empty: the document itself, by what it says of its own types."
    first_line: int
    "Number of its first line, from 1. 0: not its lines were used, but the names that it defines."
    last_line: int
    "Number of its last line."
    text_hash: str
    "Hash of its text, or of the names."


@frozen
class Entry:
    """A completion in the ledger: one column for each attribute and parameter."""

    id: str
    "The completion's id."
    time: float
    "When it was generated, in seconds since 1970."
    path_hash: str
    "Hash of the file's path."
    language: str
    "LSP language id; empty: unknown."
    offset: int
    "The cursor: the number of code points before it."
    after_length: int
    "The number of code points after the cursor."
    before_hash: str
    "Hash of the text before the cursor."
    after_hash: str
    "Hash of the text after the cursor."
    parameters: Parameters
    "The parameters in effect, with the seed that was used."
    candidate: int
    "Which of several completions with one seed."
    max_tokens: int
    "Maximum length in tokens."
    model: str
    "Id of the model."
    source_sha256: str
    "Hash of the file the model was converted from; empty if it was not converted, or a server says none."
    recipe: str
    "How its weights are stored and multiplied; empty: unknown."
    device: str
    "`cpu` or `cuda`; `server`: one that did not say."
    runtime: str
    "Version of ONNX Runtime, or of the server; empty: unknown."
    aide: str
    "Version of Aide."
    prompt_tokens: int
    "Tokens of the prompt."
    cached_tokens: int
    "Tokens of the prompt that were cached."
    generated_tokens: int
    "Tokens that were generated."
    first_token_ms: float
    "Milliseconds until the first token."
    total_ms: float
    "Milliseconds for the complete answer."
    finish_reason: str
    "`stop`, `length` or `timeout`."
    empty_reason: str | None
    "Why the completion is empty; None: it is not."
    completion_hash: str
    "Hash of the completion's text."
    completion_length: int
    "Length of the completion in code points."
    show: str = "all"
    "Which completions were offered: `all` or `fitting`."
    min_confidence: float = 0.0
    "The probability that the text had to have."
    excerpts: tuple[RecordedExcerpt, ...] = ()
    "What the model read of other files, in its order."
    context_share: float = 0.0
    "Share of Num Context for excerpts of other files."
    engine: str = OWN_ENGINE
    "What ran the model."
    host: str = ""
    "Host of the server that ran it; empty: it ran on this machine, in Aide."
    processor: str = ""
    "Kind of the processor where it ran; empty: unknown."
    note: str | None = None
    "Why it was shown although it does not fit; None: it fits, or is empty."
    shown: int = 0
    "How many times it was sent to an editor."
    accepted: float | None = None
    "When the user accepted it, in seconds since 1970; None: not accepted."
    path: str | None = None
    "The file's path; only in the mode `text`."
    text: str | None = field(default=None, repr=False)
    "The complete text; only in the mode `text`."
    completion: str | None = field(default=None, repr=False)
    "The completion's text; only in the mode `text`."
    full_excerpts: tuple[Excerpt, ...] | None = field(default=None, repr=False)
    "The excerpts with path and text; only in the mode `text`."


def provenance_of(model: "ModelInfo") -> Provenance:
    """Return the provenance of completions by a loaded model."""
    return Provenance(
        model=model.id,
        source_sha256=model.source_sha256,
        recipe=model.recipe,
        device=model.device,
        runtime=model.runtime,
        aide=__version__,
        engine=model.engine,
        host=model.host,
        processor=model.processor,
    )


def entry_of(event: GeneratedEvent, salt: bytes) -> Entry:
    """Return the entry; what must not be recorded is hashed."""
    from aide_lsp.syntax.languages import language_id_of

    request, completion = event.request, event.completion
    options = request.options
    before, after = request.text[: request.offset], request.text[request.offset :]
    keep, excerpts = event.mode == "text", completion.files_read[:MOST_EXCERPTS]
    language = language_id_of(request.language_id, request.path)
    return Entry(
        id=completion.id,
        time=event.time,
        path_hash=hash_of(request.path, salt),
        # Resolved now: `aide replay` may get the text from a file with another extension.
        language=language if len(language) <= LONGEST_NAME else "",
        offset=request.offset,
        after_length=len(after),
        # Two hashes, so that `aide replay` can say which side of the cursor differs.
        before_hash=hash_of(before, salt),
        after_hash=hash_of(after, salt),
        parameters=evolve(completion.parameters, seed=completion.seed),
        candidate=options.candidate,
        max_tokens=options.max_tokens,
        **asdict(event.provenance),
        prompt_tokens=completion.prompt_tokens,
        cached_tokens=completion.cached_tokens,
        generated_tokens=completion.generated_tokens,
        first_token_ms=round(completion.first_token_ms, 1),
        total_ms=round(completion.total_ms, 1),
        finish_reason=completion.finish_reason,
        empty_reason=completion.empty_reason,
        note=completion.note,
        completion_hash=hash_of(completion.text, salt),
        completion_length=len(completion.text),
        show=options.show,
        min_confidence=options.min_confidence,
        context_share=options.context_share,
        excerpts=tuple(recorded(excerpt, salt) for excerpt in excerpts),
        path=request.path if keep and len(request.path) <= LONGEST_NAME else None,
        text=request.text if keep and len(request.text) <= LONGEST_KEPT else None,
        completion=completion.text if keep else None,
        full_excerpts=excerpts if keep and excerpts else None,
    )


def recorded(excerpt: Excerpt, salt: bytes) -> RecordedExcerpt:
    """Return an excerpt as the ledger keeps it."""
    return RecordedExcerpt(
        path_hash=hash_of(excerpt.path, salt) if excerpt.path else "",
        first_line=excerpt.first_line,
        last_line=excerpt.last_line,
        text_hash=hash_of(excerpt.text, salt),
    )


def hash_of(text: str, salt: bytes) -> str:
    """Hash a text with the ledger's own salt, so that precomputed tables of hashes are useless."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=salt, digest_size=16).hexdigest()
