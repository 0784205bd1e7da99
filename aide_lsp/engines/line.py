"""The line of one client session: its requests run one after the other, and newer ones end older ones.

Within a session nothing is gained by running two at once: there is one forward at a time.
"""

from threading import Event, Lock
from time import monotonic

from attrs import define, field

from aide_lsp.errors import BusyError
from aide_lsp.inference.cancel import CancelToken

LONGEST = 16
"""Requests of one session that run or wait."""


@define(eq=False)
class Place:
    """The place of one request in the line."""

    document: str
    "Any name of the document that it is for; empty: of none."
    ahead: bool
    "Whether no one waits for its result."
    cancel: CancelToken
    "Ends it."
    is_first: Event = field(factory=Event)
    "Set when it may run, and when it is to look again."


class Line:
    """The requests of one client session. Thread-safe."""

    def __init__(self) -> None:
        self._lock, self._places = Lock(), list[Place]()

    def __len__(self) -> int:
        return len(self._places)

    def join(self, document: str, cancel: CancelToken, *, ahead: bool = False) -> Place:
        """Take a place at the end, and end what the new request makes needless.

        A request ends older ones for the same document, and work ahead.

        Raises:
            BusyError: the line is too long.
        """
        place = Place(document, ahead, cancel)
        with self._lock:
            needless = [] if ahead else [one for one in self._places if one.ahead or _same(one, place)]
            if len(self._places) - len(needless) >= LONGEST:
                raise BusyError(f"{LONGEST} requests of this client are waiting already.")
            self._places.append(place)
            self._places[0].is_first.set()
        for one in needless:
            one.cancel.cancel()
        return place

    def wait(self, place: Place, deadline: float | None) -> None:
        """Wait until a request may run.

        Raises:
            Cancelled: no one waits for its result anymore.
            TimeoutError: the deadline, a time of `time.monotonic`, has passed.
        """
        # It also wakes up when it is canceled.
        with place.cancel.watch(place.is_first.set):
            while self._places[0] is not place:
                left = None if deadline is None else deadline - monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError
                place.is_first.wait(left)
                with self._lock:
                    if self._places[0] is not place:
                        place.is_first.clear()
                # After that, so that a cancel that was cleared is noticed.
                place.cancel.check()

    def leave(self, place: Place) -> None:
        """Give the place up; the next request may run. Does nothing when it has been given up."""
        with self._lock:
            if place in self._places:
                self._places.remove(place)
            if self._places:
                self._places[0].is_first.set()


def _same(left: Place, right: Place) -> bool:
    return bool(left.document) and left.document == right.document
