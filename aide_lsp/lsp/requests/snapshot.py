"""The snapshot of a document and its settings on which the answer to one request depends."""

from attrs import frozen

from aide_lsp.application.requests import request_of
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.lsp.workspace.documents import Document, Place
from aide_lsp.lsp.workspace.notebooks import Around
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
    start: int
    "Where the document begins in the request's text: the cells of a notebook are one text."
    fresh: bool = False
    "Forget earlier answers first: the user wants another one."
    count: int = 1
    "How many candidates to generate."

    def offset(self, place: Place) -> int:
        """Return the offset of a place of the document in the request's text."""
        return self.start + self.document.offset(place)

    def typed_in(self, text: str) -> str | None:
        """Return what was typed at the cursor since; None: something else changed."""
        request = self.request
        start, length = request.offset, len(text) - len(request.text)
        end = start + length
        same = length >= 0 and text[:start] == request.text[:start] and text[end:] == request.text[start:]
        return text[start:end] if same else None

    def is_same_place(self, other: "Snapshot") -> bool:
        """Return whether the other one has the same cursor in the same text, with the same settings."""
        mine, theirs = self.request, other.request
        same = self.document is other.document and mine.offset == theirs.offset
        return same and self.settings == other.settings and mine.text == theirs.text


def take_snapshot(
    document: Document,
    place: Place,
    settings: Settings,
    request_id: int | str | None,
    around: Around,
    file_uri: str,
) -> Snapshot:
    """Take the snapshot of a document as it is now.

    Args:
        document: the text in which the cursor is.
        place: the cursor.
        settings: in effect for the document.
        request_id: the client's.
        around: the text of the other cells, if the document is a notebook's cell.
        file_uri: names the file that the document belongs to: the notebook, or the document itself.
    """
    path, start = location_of(file_uri).path, len(around.before)
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
            around.before + document.text() + around.after,
            start + document.offset(place),
            # Names that are not UTF-8 hold lone surrogates, which the tokenizer refuses.
            str(path).encode("utf-8", "replace").decode() if path else "",
            document.language_id,
        ),
        start=start,
    )
