"""Remembers which completions were shown where, so that the user can return to one or pin its seed."""

from collections import OrderedDict

from aide_lsp.completion.request import Completion
from aide_lsp.lsp.requests.snapshot import Snapshot

PLACES = 8
"""Places remembered for each document; the one not shown for longest is dropped first."""
DEPTH = 20
"""Completions remembered for each place."""
_Spot = tuple[int, int, int]
"""A cursor in a text: offset, and the text's length and hash. No copy of the text is kept."""


class History:
    """What was shown. For the event loop's thread."""

    def __init__(self) -> None:
        self._documents: dict[str, OrderedDict[_Spot, list[Completion]]] = {}

    def add(self, snapshot: Snapshot, completion: Completion) -> None:
        """Add a completion; one that is shown twice in a row counts once."""
        places, place = self._documents.setdefault(snapshot.uri, OrderedDict()), _spot(snapshot)
        earlier = places.setdefault(place, [])
        if earlier and earlier[-1].id == completion.id:
            earlier[-1] = completion  # all of one whose first lines were shown
        else:
            earlier.append(completion)
            del earlier[:-DEPTH]
        places.move_to_end(place)
        while len(places) > PLACES:
            places.popitem(last=False)

    def last(self, uri: str) -> Completion | None:
        """Return the last completion shown in a document."""
        places = self._documents.get(uri)
        return places[next(reversed(places))][-1] if places else None

    def last_at(self, snapshot: Snapshot) -> Completion | None:
        """Return the last completion shown at a place."""
        found = self._at(snapshot)
        return found[-1] if found else None

    def all_at(self, snapshot: Snapshot) -> tuple[Completion, ...]:
        """Return all completions shown at a place, the last one last."""
        return tuple(self._at(snapshot))

    def back(self, snapshot: Snapshot) -> Completion | None:
        """Forget the last completion shown at a place and return the one before it; None: there is none."""
        found = self._at(snapshot)
        if len(found) < 2:
            return None
        found.pop()
        return found[-1]

    def forget(self, uri: str) -> None:
        """Drop everything about a document."""
        self._documents.pop(uri, None)

    def _at(self, snapshot: Snapshot) -> list[Completion]:
        places = self._documents.get(snapshot.uri)
        return places.get(_spot(snapshot), []) if places else []


def _spot(snapshot: Snapshot) -> _Spot:
    text = snapshot.request.text
    return snapshot.request.offset, len(text), hash(text)
