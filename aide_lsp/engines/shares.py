"""Whose turn is next on a session that several use.

Requests come before work ahead. Among them, the owner comes next who has had the session for the shortest
time, where what the rest of its prompt will take counts too. So a person who types on waits for one chunk of
a file that is read for someone else, not for all of it. Files are read one after the other: nobody is helped
by half of each. And nobody waits longer than until the others have had as much; then they go on between its
chunks.
"""

from collections.abc import Sequence
from math import inf
from typing import Protocol, TypeVar

LONGEST_CREDIT = 4.0
"""Seconds that an owner may have had less than others and catch up: more than to read most prompts takes.
Who has been away for an hour does not come first for an hour."""
REST_WEIGHT = 2.0
"""How much the time that the rest of a prompt will take counts, next to time that was had. Above 1, so that
an owner comes the sooner the less of its prompt is left, and what was begun is ended first."""
FEWEST_ROWS = 32
"""A forward of fewer rows does not show what a row of a prompt takes."""


class Asker(Protocol):
    """Someone who asks for a turn."""

    owner: str
    ahead: bool
    "Whether no one waits for the result."
    rows_left: int
    "Rows that have to run before its next token, those of its next forward included."
    rows: int
    "Those of its next forward."


T = TypeVar("T", bound=Asker)


class Shares:
    """Decides whose turn is next, from what each owner has had. Not thread-safe."""

    def __init__(self) -> None:
        # What is run ahead takes nothing from others, so it is counted for itself.
        self._used = dict[tuple[bool, str], float]()
        self._row_seconds = 0.0
        self._passed = 0.0  # seconds of all turns
        self._left = dict[tuple[bool, str], float]()  # when each last had a turn, or gave up to wait for one

    def asks(self, turn: Asker) -> None:
        """Note that someone asks for a turn."""
        key = (turn.ahead, turn.owner)
        most = max((used for (ahead, _), used in self._used.items() if ahead is turn.ahead), default=0.0)
        used = self._used.get(key, 0.0)
        # What others had while it waited is not taken from it: it would wait as long for each chunk.
        away = self._passed - self._left.get(key, -inf)
        # Once it comes first because it waited for so long, others have a turn for each chunk of it.
        credit = max(LONGEST_CREDIT, self._rest(turn) - turn.rows * self._row_seconds)
        self._used[key] = max(used, min(used + away, most - LONGEST_CREDIT), most - credit)

    def had(self, turn: Asker, seconds: float) -> None:
        """Note that someone has had a turn."""
        key = (turn.ahead, turn.owner)
        self._used[key] = self._used.get(key, 0.0) + seconds
        self._passed += seconds
        self._left[key] = self._passed
        if turn.rows >= FEWEST_ROWS:
            self._row_seconds = seconds / turn.rows

    def gives_up(self, turn: Asker) -> None:
        """Note that someone no longer asks for a turn."""
        self._left[turn.ahead, turn.owner] = self._passed

    def next(self, waiting: Sequence[T]) -> T:
        """Return whose turn is next; of several who are equal, the one that waits longest, which is first."""
        return min(waiting, key=lambda one: (one.ahead, self._share(one)))

    def forget(self, owner: str) -> None:
        """Forget an owner who is gone."""
        for ahead in (False, True):
            self._used.pop((ahead, owner), None)
            self._left.pop((ahead, owner), None)

    def _share(self, turn: Asker) -> float:
        return self._used.get((turn.ahead, turn.owner), 0.0) + self._rest(turn)

    def _rest(self, turn: Asker) -> float:
        return REST_WEIGHT * turn.rows_left * self._row_seconds
