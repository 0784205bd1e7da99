"""Sends Aide's own notifications, `aide/status` and `aide/ready`, to a client that wants them.

Clients say so with the capability `experimental.aide`; all others get neither. The state (`status.py` builds
it) is sent after each change, a moment later and only if it differs from the one sent last. `aide/ready` asks
for a repeated request: the answer is there, or what was missing came without a key being pressed.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from attrs import frozen

from aide_lsp.lsp.workspace.documents import Document, DocumentStore, Place
from aide_lsp.reasons import NoCompletionReason

STATUS, READY = "aide/status", "aide/ready"
PAUSE_SECONDS = 0.04
"""Changes within it are sent together: no one reads a status bar faster."""
Notify = Callable[[str, Mapping[str, Any]], None]
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


class Notifier:
    """Sends the state. For the event loop's thread."""

    def __init__(self, notify: Notify, summary: Callable[[], Mapping[str, Any]]) -> None:
        self._notify, self._summary = notify, summary
        self._last: Mapping[str, Any] | None = None
        self._waiting: asyncio.TimerHandle | None = None
        self.enabled = False
        """Whether the client wants notifications."""
        self.first_lines = False
        """Whether it takes the first lines of a completion before the rest."""

    def changed(self) -> None:
        """Send the state soon: it may have changed."""
        if self.enabled and self._waiting is None:
            self._waiting = asyncio.get_running_loop().call_later(PAUSE_SECONDS, self._send)

    def ready(self, uri: str, version: int, place: Place, *, more: bool = False) -> None:
        """Report that the answer the client stopped waiting for is ready to be requested again.

        `more`: the client shows the beginning of it.
        """
        if self.enabled:
            position = {"line": place.line, "character": place.character}
            self._notify(READY, {"uri": uri, "version": version, "position": position, "more": more})

    def _send(self) -> None:
        self._waiting = None
        summary = self._summary()
        if summary != self._last:
            self._last = summary
            self._notify(STATUS, summary)


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
