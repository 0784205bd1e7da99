"""Completions that are being made, and which of them are still of use when the text changes.

In: requests as they come, texts as they become, what the model has written so far. Out: which running
completion goes on. One that is being written goes on while the user types just what it says: the request that
comes with that text then finds it in the completion cache, instead of beginning anew with each key.
It does not know how a completion is made, nor who is answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aide_lsp.completion.observer import CompletionObserver
from aide_lsp.inference.cancel import CancelToken

if TYPE_CHECKING:
    from aide_lsp.lsp.requests.snapshot import Asked


class Flight(CompletionObserver):
    """One completion under way. Made on the event loop's thread; `wrote` is called by the worker."""

    def __init__(self, asked: Asked, own_job: bool) -> None:
        self.asked = asked
        self.token = CancelToken()
        self.request_ids = {asked.request_id}
        """The requests it may serve: its own, and those that came while it was typed along."""
        self.is_waited_for = True
        """Whether somebody gets the answer; else it is made in case somebody asks again."""
        # What a command does, and what is asked for anew, serves no other request.
        self._serves_one = own_job or asked.fresh
        self._typed = ""
        self._written = ""

    def wrote(self, text: str) -> None:
        """Take what is written so far; end where the user has typed something else."""
        self._written = text
        if not _agree(text, self._typed):
            self.token.cancel()

    def follow(self, text: str) -> bool:
        """Say whether the answer may still be of use in the document as it is now; if so, watch for it.

        That is so where nothing but the beginning of what it says was typed at its cursor. With a seed the
        same place alone will do: the rest of an answer is not always what the seed gives behind it.
        """
        typed = self._typed_in(text)
        if typed is None or self.token.cancelled or not _agree(self._written, typed):
            return False
        self._typed = typed
        # The worker may have written between the two lines above.
        return _agree(self._written, typed)

    def _typed_in(self, text: str) -> str | None:
        """What was typed at the cursor; None: something else was changed."""
        asked = self.asked
        length = len(text) - len(asked.text)
        if self._serves_one or length < 0 or (length and asked.settings.parameters.seed is not None):
            return None
        end = asked.offset + length
        same = text[: asked.offset] == asked.text[: asked.offset] and text[end:] == asked.text[asked.offset :]
        return text[asked.offset : end].replace("\r\n", "\n") if same else None


class Flights:
    """All that may still be of use: one or two for each document. For the event loop's thread."""

    def __init__(self) -> None:
        self._by_uri: dict[str, list[Flight]] = {}

    def __bool__(self) -> bool:
        return bool(self._by_uri)

    def begin(self, flight: Flight) -> None:
        """Note one that begins; those that it makes useless end.

        The eldest of the document goes on if it was asked for with the same settings (with others its answer
        is of no use) and agrees with the new text. Those of other documents go on while somebody waits for
        them.
        """
        asked = flight.asked
        self._end_unwaited(asked.document.uri)
        mine = self._by_uri.get(asked.document.uri, [])
        alike = [eldest for eldest in mine[:1] if eldest.asked.settings == asked.settings]
        goes_on = [eldest for eldest in alike if eldest.follow(asked.text)]
        for eldest in goes_on:
            eldest.request_ids.add(asked.request_id)
        for other in mine[len(goes_on) :]:
            other.token.cancel()
        self._by_uri[asked.document.uri] = [*goes_on, flight]

    def end(self, flight: Flight) -> None:
        """Note that one has ended."""
        uri = flight.asked.document.uri
        mine = [other for other in self._by_uri.get(uri, []) if other is not flight]
        if mine:
            self._by_uri[uri] = mine
        else:
            self._by_uri.pop(uri, None)

    def changed(self, uri: str, text: str) -> None:
        """End those that nobody waits for and that the new text makes useless."""
        for flight in self._by_uri.get(uri, []):
            if not flight.is_waited_for and not flight.follow(text):
                flight.token.cancel()

    def has_unwaited(self, uri: str) -> bool:
        """Whether `changed` may have something to end."""
        return any(not flight.is_waited_for for flight in self._by_uri.get(uri, []))

    def cancel(self, request_id: int | str) -> None:
        """End all that goes on for a request that the client gave up, answered already or not."""
        for flights in self._by_uri.values():
            for flight in flights:
                if request_id in flight.request_ids:
                    flight.token.cancel()

    def drop(self, uri: str) -> None:
        """End all of a document."""
        for flight in self._by_uri.get(uri, []):
            flight.token.cancel()

    def _end_unwaited(self, but: str) -> None:
        for uri, flights in self._by_uri.items():
            for flight in flights if uri != but else ():
                if not flight.is_waited_for:
                    flight.token.cancel()


def _agree(one: str, other: str) -> bool:
    """Whether one of two texts begins with the other."""
    return one.startswith(other) or other.startswith(one)
