"""Remembers which completions were shown where, so that the user can return to one or pin its seed."""

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aide_lsp.completion.request import Completion

PLACES = 8
"""Places remembered for each document; the one not shown for longest is dropped first."""
DEPTH = 20
"""Completions remembered for each place."""
Spot = tuple[int, int, int]
"""A cursor in a text: offset, and the text's length and hash. No copy of the text is kept."""


def spot(text: str, offset: int) -> Spot:
    """Identify a cursor in a text."""
    return offset, len(text), hash(text)


class History:
    """What was shown. For the event loop's thread."""

    def __init__(self) -> None:
        self._documents: dict[str, OrderedDict[Spot, list[Completion]]] = {}

    def add(self, uri: str, place: Spot, completion: "Completion") -> None:
        """Add a completion; one that is shown twice in a row counts once."""
        places = self._documents.setdefault(uri, OrderedDict())
        earlier = places.setdefault(place, [])
        if not earlier or earlier[-1].id != completion.id:
            earlier.append(completion)
            del earlier[:-DEPTH]
        places.move_to_end(place)
        while len(places) > PLACES:
            places.popitem(last=False)

    def last(self, uri: str, place: Spot | None = None) -> "Completion | None":
        """Return the last completion shown in a document, or at one place in it."""
        places = self._documents.get(uri)
        if not places:
            return None
        found = places.get(next(reversed(places)) if place is None else place)
        return found[-1] if found else None

    def back(self, uri: str, place: Spot) -> "Completion | None":
        """Forget the last completion shown at a place and return the one before it; None: there is none."""
        places = self._documents.get(uri)
        found = places.get(place) if places else None
        if found is None or len(found) < 2:
            return None
        found.pop()
        return found[-1]

    def forget(self, uri: str) -> None:
        """Drop everything about a document."""
        self._documents.pop(uri, None)
