"""What the client shows: the completion that it was given last, or why it was given none.

The client shows completions in one document at a time, so there is one screen. It holds the truth as far as
the server can know it: a completion leaves it when the text or the cursor no longer agrees, and one that was
not delivered never gets there.
"""

from collections.abc import Callable

from attrs import frozen

from aide_lsp.completion.auto_closing import typings
from aide_lsp.completion.request import Completion
from aide_lsp.lsp.requests.answer import NoCompletion
from aide_lsp.lsp.requests.snapshot import Snapshot
from aide_lsp.lsp.workspace.documents import Place


@frozen
class Visible:
    """A completion, and what it was the answer to."""

    snapshot: Snapshot
    completion: Completion

    def rest(self, text: str, offset: int) -> Completion | None:
        """Return what is left of it in a text; None: the text or the cursor does not agree with it."""
        inserted = self.snapshot.typed_in(text)
        typed = offset - self.snapshot.request.offset
        if inserted is None or not 0 <= typed <= len(inserted):
            return None
        return self.completion.after(inserted[:typed], inserted[typed:])


@frozen
class NothingShown:
    """Why a document was given no completion."""

    uri: str
    why: NoCompletion


class Screen:
    """What is visible. For the event loop's thread."""

    def __init__(self, changed: Callable[[], object]) -> None:
        self._changed = changed
        self.visible: Visible | None = None
        self.nothing: NothingShown | None = None
        self.uri: str | None = None
        """The document of the last request or cursor."""
        self.awaited: Snapshot | None = None
        """The last request; None: since then, the client was given an answer, or the user went elsewhere."""

    def asked(self, snapshot: Snapshot) -> None:
        """Note that the client waits for a completion."""
        self.enter(snapshot.uri)
        self.moved(snapshot)
        self.awaited = snapshot

    def enter(self, uri: str, place: Place | None = None) -> None:
        """Note that the user is in a document, at a place if one is given."""
        if place and self.awaited and (uri, place) != (self.awaited.uri, self.awaited.place):
            self.awaited = None
        if uri != self.uri:
            self.uri = uri
            self._changed()

    def show(self, snapshot: Snapshot, completion: Completion) -> None:
        """Note what the client was given."""
        self.visible, self.nothing, self.awaited = Visible(snapshot, completion), None, None
        self._changed()

    def show_nothing(self, uri: str, why: NoCompletion) -> None:
        """Note that the client was given nothing."""
        self.visible, self.nothing, self.awaited = None, NothingShown(uri, why), None
        self._changed()

    def clear(self) -> None:
        """Note that the client shows nothing, for no reason worth a word."""
        if self.visible is not None:
            self.visible = None
            self._changed()

    def withdraw(self, snapshot: Snapshot) -> None:
        """Note that the answer to a request did not arrive."""
        if self.visible is not None and self.visible.snapshot is snapshot:
            self.clear()

    def edited(self, uri: str, text: str) -> None:
        """Note a document's new text: what is visible stays as long as it is what is typed."""
        visible = self.visible
        if visible is None or visible.snapshot.uri != uri:
            return
        inserted = visible.snapshot.typed_in(text)
        # The cursor is not known yet: the editor may have closed what was typed.
        typed = () if inserted is None else typings(inserted)
        if all(visible.completion.after(one, (inserted or "")[len(one) :]) is None for one in typed):
            self.clear()

    def moved(self, snapshot: Snapshot) -> None:
        """Note where the cursor is: a completion is visible only at its own place."""
        if self.at(snapshot) is None:
            self.clear()

    def at(self, snapshot: Snapshot) -> Completion | None:
        """Return what is visible at a place, without what of it has been typed since it was given."""
        visible = self.visible
        if visible is None or visible.snapshot.document is not snapshot.document:
            return None
        return visible.rest(snapshot.request.text, snapshot.request.offset)

    def forget(self, uri: str) -> None:
        """Drop what belongs to a document that was closed."""
        if self.visible is not None and self.visible.snapshot.uri == uri:
            self.visible = None
        if self.nothing is not None and self.nothing.uri == uri:
            self.nothing = None
        if self.uri == uri:
            self.uri = None
        self._changed()
