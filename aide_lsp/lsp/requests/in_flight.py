"""Completions being generated, and which of them can still be used after the text changed.

A completion still being generated keeps running while the user types what it predicts. The request for that
text then finds it in the completion cache, so that generation does not start over with each key.
"""

import asyncio
from collections.abc import Callable
from itertools import chain
from time import monotonic
from typing import TYPE_CHECKING, Any

from aide_lsp.completion.auto_closing import typings
from aide_lsp.completion.observer import CompletionObserver
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.line_ends import with_line_feeds
from aide_lsp.lsp.requests.answer import NoCompletion
from aide_lsp.lsp.requests.kept import Kept
from aide_lsp.lsp.requests.snapshot import Snapshot

if TYPE_CHECKING:
    from aide_lsp.completion.request import Completion
LINES_SECONDS = 0.25
"""How long a request waits for the whole completion before it is given lines that are finished."""


class InFlight(CompletionObserver):
    """One completion being generated. For the event loop; the worker calls the methods of the observer."""

    def __init__(
        self, snapshot: Snapshot, answer: "asyncio.Future[Any] | None" = None, *, own_work: bool = False
    ) -> None:
        """Note what is generated.

        Args:
            snapshot: what the answer depends on.
            answer: where someone waits for it; None: generated in advance.
            own_work: it is not (only) a completion, so it serves no other request.
        """
        self.snapshot, self.answer = snapshot, answer
        self.token = CancelToken()
        self.request_ids = {snapshot.request_id}
        """The requests it may serve: its own, and those that came while the user typed what it predicts."""
        self.own_work = own_work
        self._serves_one = own_work or snapshot.fresh
        self._typed: tuple[str, ...] = ("",)  # what may have been typed at its cursor
        self._written = ""
        self.lines: Completion | None = None
        """The lines that are finished already, while the rest is generated."""
        self.lines_given: float | None = None
        "When the client was given them; None: it was not."
        self.ended = asyncio.Event()
        """Whether all of it is there, or never comes."""
        self._begun = monotonic()
        self._lines_finished: Callable[[], object] | None = None

    @property
    def is_waited_for(self) -> bool:
        """Whether a client still waits for the answer."""
        return self.answer is not None and not self.answer.done()

    def wrote(self, text: str) -> None:
        """Take the text generated so far; end if the user has typed something else."""
        self._written = text
        if not any(self._agrees(typed) for typed in self._typed):
            self.token.cancel()

    @property
    def is_wanted(self) -> bool:
        """Whether a client waits for the answer, or shows its first lines."""
        return self.is_waited_for or self.lines_given is not None

    @property
    def takes_lines(self) -> bool:
        """Whether it can be answered with first lines, or would have been before the client gave up."""
        is_open = self.answer is not None and (not self.answer.done() or self.answer.cancelled())
        return is_open and self._lines_finished is not None and self.lines_given is None

    def take_lines(self, finished: Callable[[], object]) -> None:
        """Give the client finished lines first. `finished` is called by the worker when there are some."""
        self._lines_finished = finished

    def wants_lines(self) -> bool:
        """Return whether the request has waited long for the whole completion."""
        is_open = self._lines_finished is not None and self.lines is None
        return is_open and monotonic() - self._begun >= LINES_SECONDS

    def wrote_lines(self, completion: "Completion") -> None:
        """Take the finished lines."""
        self.lines = completion
        if self._lines_finished is not None:
            self._lines_finished()

    def lines_at(self, snapshot: Snapshot) -> "Completion | None":
        """Return what is left of the first lines for a request; None: it asks for something else."""
        return Kept(self.snapshot, self.lines, chosen=True).answer(snapshot) if self.lines else None

    def follow(self, text: str, offset: int | None = None) -> bool:
        """Return whether the answer may still be used in the document as it is now; if so, watch for it.

        It may if only the beginning of the answer was typed at its cursor, and perhaps closed by the editor,
        or if the user still types the selected entry of a list that the answer continues.
        With a seed set, only the very same place counts: the rest of an answer is not always what the seed
        gives after the typed part.

        Args:
            text: the document's.
            offset: where the cursor is; None: where typing has left it.
        """
        typed = self._typed_in(text, offset)
        if self.token.cancelled or not any(map(self._agrees, typed)):
            return False
        self._typed = typed
        # The worker may have written between the two lines above.
        return any(map(self._agrees, typed))

    def _agrees(self, typed: str) -> bool:
        """Return whether what was typed is the beginning of the text, or may become it."""
        # First lines are cleaned up, and may differ from what was generated.
        lines = with_line_feeds(self.lines.text) if self.lines else ""
        return _agree(self._written, typed) or lines.startswith(typed)

    def _typed_in(self, text: str, offset: int | None) -> tuple[str, ...]:
        """Return what may have been typed at the cursor; nothing: something else changed."""
        if self._serves_one:
            return ()
        inserted = self.snapshot.typed_in(text)
        if inserted is None and offset is None and self.snapshot.is_entry_begun_in(text):
            return ("",)
        if inserted is None or (inserted and self.snapshot.request.options.parameters.seed is not None):
            return ()
        # Completions have bare line feeds, whatever ends the lines of the document.
        found = tuple(typings(with_line_feeds(inserted)))
        if offset is None:
            return found
        typed = text[self.snapshot.request.offset : offset]
        fits = len(typed) <= len(inserted) and offset >= self.snapshot.request.offset
        return (with_line_feeds(typed),) if fits and with_line_feeds(typed) in found else ()


class InFlightRequests:
    """All that may still be used: one or two for each document. For the event loop's thread."""

    def __init__(self) -> None:
        self._by_uri: dict[str, list[InFlight]] = {}
        self._aside: list[InFlight] = []

    def __bool__(self) -> bool:
        """Whether the model is busy: what is canceled ends within milliseconds."""
        return any(not one.token.cancelled for one in (*chain(*self._by_uri.values()), *self._aside))

    def begin_aside(self, new: InFlight) -> None:
        """Add one that waits its turn; it ends what no one waits for, and a newer request ends it."""
        self._end_unwaited()
        self._aside.append(new)

    def begin(self, new: InFlight) -> None:
        """Add one; end those that it makes useless.

        The document's oldest keeps running if it has the same settings and agrees with the new text. Those of
        other documents keep running while someone waits for them.
        """
        snapshot = new.snapshot
        self._end_unwaited(but=snapshot.uri)
        mine = self._by_uri.get(snapshot.uri, [])
        # Only the oldest: it is the one that the worker runs, and its text is cached when the new one runs.
        # With other settings it could not serve the new one, which would wait in vain for its end.
        kept = [
            oldest
            for oldest in mine[:1]
            if oldest.snapshot.settings == snapshot.settings
            and oldest.follow(snapshot.request.text, snapshot.request.offset)
        ]
        for oldest in kept:
            oldest.request_ids.add(snapshot.request_id)
        for other in mine[len(kept) :]:
            other.token.cancel()
        self._by_uri[snapshot.uri] = [*kept, new]

    def move(self, *to: Snapshot) -> None:
        """End what no one waits for, unless it is for one of these places."""
        for one in chain(*self._by_uri.values()):
            places = (place for place in to if place.uri == one.snapshot.uri)
            is_there = any(one.follow(place.request.text, place.request.offset) for place in places)
            if not one.is_waited_for and not is_there:
                one.token.cancel()

    def end(self, ended: InFlight) -> None:
        """Remove one that has ended."""
        ended.ended.set()
        self._aside = [one for one in self._aside if one is not ended]
        uri = ended.snapshot.uri
        mine = [other for other in self._by_uri.get(uri, []) if other is not ended]
        if mine:
            self._by_uri[uri] = mine
        else:
            self._by_uri.pop(uri, None)

    def is_waited_for(self, uri: str) -> bool:
        """Whether a client waits for an answer in a document."""
        return any(one.is_waited_for for one in self._by_uri.get(uri, []))

    def lines_for(self, uri: str) -> "tuple[InFlight, Completion] | None":
        """Return the newest request of a document and first lines that are what it asks for; None: none."""
        mine = self._by_uri.get(uri, [])
        running = next((one for one in mine if one.lines is not None and not one.token.cancelled), None)
        if running is None or not mine[-1].takes_lines:
            return None
        lines = running.lines_at(mine[-1].snapshot)
        return (mine[-1], lines) if lines is not None else None

    def with_lines_given(self, uri: str) -> InFlight | None:
        """Return a completion in a document of which the client was given the first lines."""
        return next((one for one in self._by_uri.get(uri, []) if one.lines_given is not None), None)

    def waited_for_at(self, snapshot: Snapshot) -> InFlight | None:
        """Return the completion at a place for which a client waits."""
        for one in self._by_uri.get(snapshot.uri, []):
            if one.is_waited_for and not one.own_work and one.snapshot.is_same_place(snapshot):
                return one
        return None

    def answer_waiting(self, uri: str, answer: NoCompletion) -> None:
        """Answer the requests of a document that a client still waits for; end those that are aside."""
        aside = [one for one in self._aside if one.snapshot.uri == uri]
        for one in aside:
            one.token.cancel()
        for one in (*self._by_uri.get(uri, []), *aside):
            if one.answer is not None and not one.answer.done():
                one.answer.set_result(answer)

    def has_unwaited(self, uri: str) -> bool:
        """Whether `changed` may have something to end."""
        return any(not one.is_waited_for for one in self._by_uri.get(uri, []))

    def changed(self, uri: str, text: str) -> None:
        """End those that no one waits for and that the new text makes useless."""
        for one in self._by_uri.get(uri, []):
            if not one.is_waited_for and not one.follow(text):
                one.token.cancel()

    def cancel(self, request_id: int | str) -> None:
        """End all work for a request that the client canceled, even one already answered."""
        for in_flight in (*self._by_uri.values(), self._aside):
            for one in in_flight:
                if request_id in one.request_ids:
                    one.token.cancel()

    def drop(self, uri: str) -> None:
        """End all of a document."""
        for one in self._by_uri.get(uri, []):
            one.token.cancel()

    def _end_unwaited(self, but: str = "") -> None:
        for uri, in_flight in self._by_uri.items():
            for one in in_flight if uri != but else ():
                if not one.is_wanted:
                    one.token.cancel()


def _agree(one: str, other: str) -> bool:
    """Return whether one of two texts starts with the other."""
    return one.startswith(other) or other.startswith(one)
