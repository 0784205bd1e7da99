"""The snapshot of a document and its settings on which the answer to one request depends."""

from attrs import field, frozen

from aide_lsp.application.excerpts import Readable
from aide_lsp.application.requests import request_of
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.lsp.requests.answer import NoCompletion
from aide_lsp.lsp.workspace.client_settings import Configuration
from aide_lsp.lsp.workspace.documents import Document, DocumentStore, Place
from aide_lsp.lsp.workspace.notebooks import Around, Notebooks
from aide_lsp.lsp.workspace.open_texts import OpenTexts
from aide_lsp.lsp.workspace.uris import file_of, location_of, place_of
from aide_lsp.reasons import NoCompletionReason
from aide_lsp.settings.fields import Settings
from aide_lsp.settings.files import is_only_settings
from aide_lsp.text_limits import LONGEST_TEXT


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
    "The request, still without excerpts of other files: those are chosen when the model's turn comes."
    start: int
    "Where the document begins in the request's text: the cells of a notebook are one text."
    fresh: bool = False
    "Forget earlier answers first: the user wants another one."
    count: int = 1
    "How many candidates to generate."
    selected: str = field(default="", repr=False)
    "The entry that is selected in the client's list, if the request's text ends with it at the cursor."
    readable: Readable | None = field(default=None, repr=False)
    "What else may be read for it; None: nothing."

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

    def is_entry_begun_in(self, text: str) -> bool:
        """Return whether of the selected entry only the beginning is there, and nothing else changed."""
        request = self.request
        missing = len(request.text) - len(text)
        head = request.offset - missing
        is_part = 0 <= missing <= len(self.selected)
        return is_part and text == request.text[:head] + request.text[request.offset :]

    def is_same_place(self, other: "Snapshot") -> bool:
        """Return whether the other one has the same cursor in the same text, with the same settings."""
        mine, theirs = self.request, other.request
        same = self.document is other.document and mine.offset == theirs.offset
        return same and self.settings == other.settings and mine.text == theirs.text


class SnapshotTaker:
    """Takes snapshots. For the event loop's thread."""

    def __init__(self, documents: DocumentStore, notebooks: Notebooks, configuration: Configuration) -> None:
        self._documents, self._notebooks, self._configuration = documents, notebooks, configuration
        self._open_texts = OpenTexts(documents)

    def take(self, uri: str, place: Place, request_id: int | str | None) -> Snapshot | NoCompletion:
        """Take the snapshot of a document as it is now, with the client's id of the request."""
        document = self._documents.get(uri)
        # The size is checked here too: copying such a text for each key would cost more than declining it.
        if self._documents.is_too_large(uri) or (document is not None and document.size > LONGEST_TEXT):
            return NoCompletion.because(NoCompletionReason.TOO_LARGE)
        if document is None:
            return NoCompletion.because(NoCompletionReason.UNKNOWN_DOCUMENT)
        resolved = self._configuration.resolve(uri)
        if resolved.off is not None:
            return NoCompletion.because(NoCompletionReason.OFF, resolved.off.sentence())
        if is_only_settings(file_of(uri)):
            return NoCompletion.because(NoCompletionReason.SETTINGS_FILE)
        around = self._notebooks.around(document)
        if around is None:
            return NoCompletion.because(NoCompletionReason.TOO_LARGE)
        return self._snapshot(document, place, resolved.settings, request_id, around)

    def _snapshot(
        self,
        document: Document,
        place: Place,
        settings: Settings,
        request_id: int | str | None,
        around: Around,
    ) -> Snapshot:
        # What the document belongs to: the notebook, or the document itself.
        file_uri = self._notebooks.notebook_of(document.uri)
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
            readable=self._readable(document, file_uri),
        )

    def _readable(self, document: Document, file_uri: str) -> Readable | None:
        """Return what else may be read for a document, with the texts of now; None: nothing."""
        path = place_of(file_uri)
        if path is None:
            return None
        return Readable(
            document=path,
            workspace=self._configuration.workspace_folder(document.uri),
            folders=self._configuration.client,
            open_texts=self._open_texts.besides(document),
        )
