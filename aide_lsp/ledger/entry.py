"""What the ledger records about a completion: hashes, parameters, versions and figures.

In the mode `text` also the file's path, its text, the completion, and what the model read of other files.
"""

import hashlib
from typing import TYPE_CHECKING, Any

import attrs
from attrs import evolve, field, frozen

from aide_lsp import __version__
from aide_lsp.completion.request import Figures
from aide_lsp.context.excerpt import Excerpt
from aide_lsp.inference.options import IN_KEY, GenerationOptions
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


LABEL, UNKNOWN, SERVER_LABEL = "label", "unknown", "server_label"
"""Metadata of `Provenance`: see `_fact`."""


def _fact(
    label: str, *, unknown: str | None = None, of_server: str = "", default: Any = attrs.NOTHING
) -> Any:
    """Declare something that a completion depends on.

    Args:
        label: what it is, for people.
        unknown: what stands for what is not known; None: it is always known.
        of_server: what it is if a server ran the model, which may say nothing of it; empty: the same.
        default: of entries that are older than the column.
    """
    return field(default=default, metadata={LABEL: label, UNKNOWN: unknown, SERVER_LABEL: of_server})


@frozen(kw_only=True)
class Provenance:
    """What a completion depends on, apart from texts, cursor and options."""

    engine: str = _fact("the engine", default=OWN_ENGINE)
    "What ran the model."
    host: str = _fact("the server", default="")
    "Host of the server that ran it; empty: it ran on this machine, in Aide."
    model: str = _fact("the model")
    "Id of the model."
    source_sha256: str = _fact("the model's file (sha256)", of_server="the model's digest (sha256)")
    "Hash of the file the model was converted from; empty if it was not converted, or a server says none."
    recipe: str = _fact("the recipe", unknown="")
    "How its weights are stored and multiplied; empty: unknown."
    device: str = _fact("the device", unknown="server")
    "`cpu` or `cuda`; `server`: one that did not say."
    processor: str = _fact("the kind of processor", unknown="", default="")
    "Kind of the processor where it ran; empty: unknown."
    runtime: str = _fact("the version of ONNX Runtime", of_server="the version of the server")
    "Version of ONNX Runtime, or of the server; empty: unknown."
    aide: str = _fact("the version of Aide")
    "Version of Aide."


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
    """A completion in the ledger.

    Each attribute has a column, and so has each one of `options`, `provenance`, and `figures`: a new one of
    theirs is recorded, and replayed, without a word here.
    """

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
    options: GenerationOptions
    "How it was generated, with the parameters in effect and the seed that was used."
    provenance: Provenance
    "The model and versions that generated it."
    figures: Figures
    "How it ended, and what it cost."
    completion_hash: str
    "Hash of the completion's text."
    completion_length: int
    "Length of the completion in code points."
    excerpts: tuple[RecordedExcerpt, ...] = ()
    "What the model read of other files, in its order."
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

    @property
    def parameters(self) -> Parameters:
        """The parameters in effect."""
        return self.options.parameters


def provenance_of(model: "ModelInfo") -> Provenance:
    """Return the provenance of completions by a loaded model."""
    own = {"model": model.id, "aide": __version__}
    names = [one.name for one in attrs.fields(Provenance)]
    return Provenance(**{name: own[name] if name in own else getattr(model, name) for name in names})


def entry_of(event: GeneratedEvent, salt: bytes) -> Entry:
    """Return the entry; what must not be recorded is hashed."""
    from aide_lsp.language_ids.table import language_id_of

    request, completion = event.request, event.completion
    before, after = request.text[: request.offset], request.text[request.offset :]
    keep, excerpts = event.mode == "text", completion.files_read[:MOST_EXCERPTS]
    language = language_id_of(request.language_id, request.path)
    parameters = evolve(completion.parameters, seed=completion.seed)
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
        options=_changing(evolve(request.options, parameters=parameters)),
        provenance=event.provenance,
        figures=_rounded(completion.figures),
        completion_hash=hash_of(completion.text, salt),
        completion_length=len(completion.text),
        excerpts=tuple(recorded(excerpt, salt) for excerpt in excerpts),
        path=request.path if keep and len(request.path) <= LONGEST_NAME else None,
        text=request.text if keep and len(request.text) <= LONGEST_KEPT else None,
        completion=completion.text if keep else None,
        full_excerpts=excerpts if keep and excerpts else None,
    )


def _changing(options: GenerationOptions) -> GenerationOptions:
    """Return options without those that change no completion, such as the deadline."""
    recorded = [one.name for one in attrs.fields(GenerationOptions) if one.metadata.get(IN_KEY, True)]
    return GenerationOptions(**{name: getattr(options, name) for name in recorded})


def _rounded(figures: Figures) -> Figures:
    return evolve(
        figures, first_token_ms=round(figures.first_token_ms, 1), total_ms=round(figures.total_ms, 1)
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
