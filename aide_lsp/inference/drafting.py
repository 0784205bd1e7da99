"""Guesses the next tokens from what stands in the text already; the next forward checks them (prompt lookup).

In: the tokens of a text that is being continued. Out: a draft, the tokens that followed where the text's last
ones stood before: in the prompt, or in what was generated lately. A token is drawn by a number that belongs
to its position, so a drafted one is right exactly when it is the one that is drawn: drafts change how many
tokens a forward gives, never which (https://github.com/apoorvumang/prompt-lookup-decoding has the idea).
How long a draft is depends on how often such ones were right, and on what forwards cost here. It does not
know the session or text.
"""

from collections.abc import Callable, Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

LONGEST_MATCH = 8
"""Tokens that are compared; a longer match says no more."""
LONGEST_DRAFT = 7
"""Tokens of a draft: with the newest token they make a forward of 8 rows."""
LOOKED_AT = 16
"""Places looked at for one that goes on as the text has to."""
REMEMBERED = 1024
"""Generated tokens that are remembered."""
SHARES = (0.3, 0.5, 0.6, 0.6, 0.75, 0.75, 0.8, 0.9)
"""How often the token behind a match of 1, 2, ... tokens was the right one: completions of Python code, as
long as nothing else is known."""
COSTS = {2: 1.0, 4: 1.3, 6: 1.65, 8: 2.0}
"""What a forward of so many rows costs beside one of 2, as long as nothing else is known."""
TOKEN_COST = 0.6
"""What a token costs that has to be decoded, beside a forward of 2 rows."""
SHARE_PACE, COST_PACE, FORGETTING = 0.02, 0.1, 0.01

_GAP = -1  # stands between texts; no token

Fits = Callable[[Sequence[int]], int]
"""How many of some tokens, from the first on, may come next."""


@frozen
class Draft:
    """Tokens that may come next."""

    tokens: list[int]
    "The guess; empty: none."
    matched: int = 0
    "How many tokens before them were the same where they were found."


NO_DRAFT = Draft([])


class Drafter:
    """Remembers what was generated, and how good drafts were. Used by one thread."""

    def __init__(self) -> None:
        self._recent: list[int] = []
        self._shares = list(SHARES)
        self._costs = dict(COSTS)
        self._unit = 0.0  # seconds of a forward of 2 rows

    def propose(self, ids: Sequence[int], rows: int | None, longest: int, fits: Fits | None = None) -> Draft:
        """Return a draft of what follows `ids`, if it pays.

        Args:
            ids: the text so far.
            rows: rows that the next forward has without a draft; None: as many as with one.
            longest: tokens the draft may have at most.
            fits: says how a draft may begin; None: it may begin with anything.
        """
        text = np.array([*self._recent, *ids], dtype=np.int64)
        for place, matched in _places(text):
            tokens = text[place : place + min(longest, LONGEST_DRAFT)].tolist()
            tokens = tokens[: tokens.index(_GAP)] if _GAP in tokens else tokens
            tokens = tokens[: fits(tokens)] if fits else tokens
            if tokens:
                return Draft(tokens[: self._best_length(len(tokens), rows, matched)], matched)
        return NO_DRAFT

    def note(self, matched: int, right: bool) -> None:
        """Learn whether a drafted token behind a match of so many tokens was the one that came."""
        index = min(matched, LONGEST_MATCH) - 1
        self._shares[index] += SHARE_PACE * (right - self._shares[index])

    def time(self, rows: int, seconds: float) -> None:
        """Learn what a forward of so many rows cost."""
        if rows == 2:
            seconds = min(seconds, 2 * self._unit) if self._unit else seconds
            self._unit += (COST_PACE if self._unit else 1.0) * (seconds - self._unit)
            # What was once measured in a busy moment must not hold for ever.
            for other, usual in COSTS.items():
                self._costs[other] += FORGETTING * (usual - self._costs[other])
        elif self._unit and rows in self._costs:
            cost = min(max(seconds / self._unit, 1.0), 2 * COSTS[rows])
            self._costs[rows] += COST_PACE * (cost - self._costs[rows])

    def remember(self, ids: Sequence[int]) -> None:
        """Keep what was generated, with some tokens before it, for later drafts."""
        self._recent = [*self._recent, *ids, _GAP][-REMEMBERED:]

    def _best_length(self, available: int, rows: int | None, matched: int) -> int:
        """Return how many tokens to draft: right ones save forwards, rows cost a part of one."""
        if rows is None:
            return available
        best, best_gain, gain, share = 0, 0.0, 0.0, 1.0
        for length in range(1, available + 1):
            share *= self._shares[min(matched + length - 1, LONGEST_MATCH) - 1]
            gain += share * TOKEN_COST
            if (net := gain - (self._cost(rows + length) - self._cost(rows))) > best_gain:
                best, best_gain = length, net
        return best

    def _cost(self, rows: int) -> float:
        rows += rows % 2
        if rows in self._costs:
            return self._costs[rows]
        slope = (self._costs[8] - self._costs[4]) / 4
        return self._costs[8] + slope * (rows - 8)


def _places(text: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return where a text's last tokens stood before, as (place behind them, tokens that are the same).

    The longest matches come first, of equal ones the latest.
    """
    places = np.flatnonzero(text[:-1] == text[-1]) + 1
    matched = np.ones(places.size, dtype=np.int64)
    for length in range(2, LONGEST_MATCH + 1):
        same = (matched == length - 1) & (places >= length)
        same[same] = text[places[same] - length] == text[-length] if text.size >= length else False
        if not same.any():
            break
        matched[same] = length
    order = np.lexsort((-places, -matched))[:LOOKED_AT]
    return list(zip(places[order].tolist(), matched[order].tolist(), strict=True))
