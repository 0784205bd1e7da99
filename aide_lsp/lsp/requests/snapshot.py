"""The snapshot of a document and its settings on which the answer to one request depends."""

from attrs import frozen

from aide_lsp.application.requests import request_of
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.lsp.workspace.documents import Document, Place
from aide_lsp.lsp.workspace.uris import location_of
from aide_lsp.settings.fields import Settings


@frozen
class Snapshot:
    """One request, with all that its answer depends on."""

    request_id: int | str | None
    "The client's id, for the log and for cancels; None: not a request."
    uri: str
    "The document's, as the client spelled it when it opened the document."
    document: Document
    "Where the text is from. Later it is only checked for changes."
    revision: int
    "The document's, when the text was taken."
    version: int
    "The client's number for that text."
    place: Place
    "The cursor in the client's units."
    settings: Settings
    "In effect for this request."
    request: CompletionRequest
    "The request for the model."
    fresh: bool = False
    "Forget earlier answers first: the user wants another one."
    count: int = 1
    "How many candidates to generate."

    def asks_the_same_as(self, other: "Snapshot") -> bool:
        """Return whether an answer to the other one, with whatever seed, answers this one."""
        mine, theirs = self.request, other.request
        return (mine.offset, self.settings, mine.text) == (theirs.offset, other.settings, theirs.text)


def take_snapshot(
    document: Document, place: Place, settings: Settings, request_id: int | str | None
) -> Snapshot:
    """Take the snapshot of a document as it is now."""
    path = location_of(document.uri).path
    return Snapshot(
        request_id=request_id,
        uri=document.uri,
        document=document,
        revision=document.revision,
        version=document.version,
        place=place,
        settings=settings,
        request=request_of(
            settings,
            document.text(),
            document.offset(place),
            # Names that are not UTF-8 hold lone surrogates, which the tokenizer refuses.
            str(path).encode("utf-8", "replace").decode() if path else "",
            document.language_id,
        ),
    )
