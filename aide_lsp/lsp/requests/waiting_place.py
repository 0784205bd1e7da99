"""Where the user waits for a completion that could not be generated yet.

What was missing (the model, its server, or a file that was switched off) comes without a key being pressed.
Then the client is notified, so that it asks again.
"""

from attrs import frozen

from aide_lsp.lsp.requests.notifications import Notifier
from aide_lsp.lsp.workspace.documents import Document, DocumentStore, Place
from aide_lsp.reasons import NoCompletionReason

_TOO_EARLY = frozenset(
    reason.code
    for reason in (
        NoCompletionReason.LOADING,
        NoCompletionReason.MISSING,
        NoCompletionReason.FAILED,
        NoCompletionReason.SERVER,
        NoCompletionReason.PAUSED,
        NoCompletionReason.OFF,
    )
)
"""Reasons that end without an edit."""


@frozen
class Waiting:
    """A place, as the client knows it."""

    uri: str
    version: int
    place: Place


class WaitingPlace:
    """The place of the last request, if it came too early. For the event loop's thread."""

    def __init__(self, documents: DocumentStore, notifier: Notifier) -> None:
        self._documents, self._notifier = documents, notifier
        self.waiting: Waiting | None = None

    def note(self, reason: str, document: Document | None, place: Place) -> None:
        """Note where a request got no completion, and the code of the reason."""
        is_early = document is not None and reason in _TOO_EARLY
        self.waiting = Waiting(document.uri, document.version, place) if document and is_early else None

    def forget(self) -> None:
        """Forget the place: there is a newer request."""
        self.waiting = None

    def notify(self) -> None:
        """Notify the client: what it asked for is possible now."""
        waiting, self.waiting = self.waiting, None
        document = self._documents.get(waiting.uri) if waiting is not None else None
        if waiting is not None and document is not None and document.version == waiting.version:
            self._notifier.ready(waiting.uri, waiting.version, waiting.place)
