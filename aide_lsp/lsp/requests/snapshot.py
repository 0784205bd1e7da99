"""The snapshot of a document and its settings on which the answer to one request depends."""

from attrs import field, frozen

from aide_lsp.application import requests
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.lsp.documents import Document, Place
from aide_lsp.lsp.uris import location_of
from aide_lsp.settings.fields import Settings, new_seed


@frozen
class Snapshot:
    """One request, with all that its answer depends on."""

    request_id: int | str | None
    "The client's id, for the log and for cancels; None: not a request."
    document: Document
    "Where the text is from. Only its URI, language and revision are read later."
    revision: int
    "Of the document when the text was taken."
    version: int
    "The client's number for that text."
    place: Place
    "The cursor in the client's units."
    text: str
    "The whole text."
    offset: int
    "The cursor in code points."
    settings: Settings
    "In effect for this request."
    fresh: bool = False
    "Forget earlier answers first: the user wants another one."
    count: int = 1
    "How many candidates to generate."
    drawn_seed: int = field(factory=new_seed, eq=False)
    "Used if the parameters set no seed. Every attempt to answer uses the same one."

    @property
    def uri(self) -> str:
        """The document."""
        return self.document.uri


def request_of(snapshot: Snapshot) -> CompletionRequest:
    """Build the completer's request."""
    path = location_of(snapshot.uri).path
    return requests.request_of(
        snapshot.settings,
        snapshot.text,
        snapshot.offset,
        str(path).encode("utf-8", "replace").decode() if path else "",
        snapshot.document.language_id,
        snapshot.drawn_seed,
    )
