"""Remembers which completions were shown where, so that the user can go back to one, or pin its seed.

In: completions as they are given to the client. Out: the last one of a document or a place, and the one
before. Bounded, and dropped with the document. It does not know how a completion is made or asked for.
"""

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completion

PLACES = 8
"""Places of a document that are remembered; the one that was shown longest ago goes first."""
DEPTH = 20
"""Completions of a place that are remembered."""
Spot = tuple[int, int, int]
"""A cursor in a text: offset, and the text's length and hash. No copy of the text is kept."""


def spot(text: str, offset: int) -> Spot:
    """Name a cursor in a text."""
    return offset, len(text), hash(text)


class Shown:
    """What was shown. All methods belong to the event loop's thread."""

    def __init__(self) -> None:
        self._documents: dict[str, OrderedDict[Spot, list[Completion]]] = {}

    def add(self, uri: str, place: Spot, completion: "Completion") -> None:
        """Note a completion; shown once more, it counts once."""
        places = self._documents.setdefault(uri, OrderedDict())
        before = places.setdefault(place, [])
        if not before or before[-1].id != completion.id:
            before.append(completion)
            del before[:-DEPTH]
        places.move_to_end(place)
        while len(places) > PLACES:
            places.popitem(last=False)

    def last(self, uri: str, place: Spot | None = None) -> "Completion | None":
        """Return the completion shown last in a document, or at a place of it."""
        places = self._documents.get(uri)
        if not places:
            return None
        found = places.get(next(reversed(places)) if place is None else place)
        return found[-1] if found else None

    def back(self, uri: str, place: Spot) -> "Completion | None":
        """Forget the completion shown last at a place and return the one before; None: there is none."""
        places = self._documents.get(uri)
        found = places.get(place) if places else None
        if found is None or len(found) < 2:
            return None
        found.pop()
        return found[-1]

    def forget(self, uri: str) -> None:
        """Drop what belongs to a document."""
        self._documents.pop(uri, None)
