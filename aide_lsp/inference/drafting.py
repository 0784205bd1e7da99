"""Guesses the next tokens from the text so far; the next forward checks them (prompt lookup).

A draft is what followed the last tokens where they occurred before: in the prompt, or in what was generated
lately. Each position has a random number of its own, so a drafted token is right exactly if it is the one
that is drawn: drafts change how many tokens a forward gives, never which
(https://github.com/apoorvumang/prompt-lookup-decoding has the idea). How long a draft is depends on how often
such drafts were right, and on what forwards cost on this machine.
"""

from collections.abc import Callable, Sequence

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

LONGEST_MATCH = 8
"""Tokens that are compared; a longer match is no better evidence."""
LONGEST_DRAFT = 7
"""Tokens of a draft: with the newest token, a forward of 8 rows."""
LOOKED_AT = 16
"""Earlier occurrences that are tried until one continues the healed text."""
REMEMBERED = 1024
"""Generated tokens that are remembered."""
SHARES = (0.3, 0.5, 0.6, 0.6, 0.75, 0.75, 0.8, 0.9)
"""How often the token after a match of 1, 2, ... tokens was right in completions of Python code; the initial
estimate."""
COSTS = {2: 1.0, 4: 1.3, 6: 1.65, 8: 2.0}
"""Cost of a forward of this many rows, relative to one of 2 rows; the initial estimate."""
TOKEN_COST = 0.6
"""Cost of decoding a token, relative to a forward of 2 rows."""
SHARE_PACE, COST_PACE, FORGETTING = 0.02, 0.1, 0.01

_GAP = -1  # separates texts; not a token

Fits = Callable[[Sequence[int]], int]
"""Returns how many of some tokens, from the first on, may come next."""


@frozen
class Draft:
    """Tokens that may come next."""

    tokens: list[int]
    "The guess; empty: none."
    matched: int = 0
    "How many tokens before them matched where they were found."


NO_DRAFT = Draft([])


class Drafter:
    """Remembers what was generated, and how often drafts were right. Used by one thread."""

    def __init__(self) -> None:
        self._recent: list[int] = []
        self._shares = list(SHARES)
        self._costs = dict(COSTS)
        self._unit = 0.0  # seconds of a forward of 2 rows

    def propose(self, ids: Sequence[int], rows: int | None, longest: int, fits: Fits | None = None) -> Draft:
        """Return a draft of what follows `ids`, if one is expected to save time.

        Args:
            ids: the text so far.
            rows: rows of the next forward without a draft; None: as many as with one.
            longest: tokens of the draft at most.
            fits: says how many tokens of a draft continue the healed text; None: all do.
        """
        # What was generated lately comes first, so that of equally long matches those in this text win.
        text = np.array([*self._recent, *ids], dtype=np.int64)
        for place, matched in _places(text):
            tokens = text[place : place + min(longest, LONGEST_DRAFT)].tolist()
            # A draft must not run on into another text.
            tokens = tokens[: tokens.index(_GAP)] if _GAP in tokens else tokens
            tokens = tokens[: fits(tokens)] if fits else tokens
            if tokens:
                return Draft(tokens[: self._best_length(len(tokens), rows, matched)], matched)
        return NO_DRAFT

    def note(self, matched: int, right: bool) -> None:
        """Learn whether a drafted token after a match of this many tokens was right."""
        index = min(matched, LONGEST_MATCH) - 1
        self._shares[index] += SHARE_PACE * (right - self._shares[index])

    def time(self, rows: int, seconds: float) -> None:
        """Learn what a forward of this many rows cost."""
        if rows == 2:
            # A single forward that was held up must not move the mean far.
            seconds = min(seconds, 2 * self._unit) if self._unit else seconds
            self._unit += (COST_PACE if self._unit else 1.0) * (seconds - self._unit)
            # A cost measured in a busy moment must fade: while it is high, no draft is long enough to be
            # measured again.
            for other, usual in COSTS.items():
                self._costs[other] += FORGETTING * (usual - self._costs[other])
        elif self._unit and rows in self._costs:
            # More rows are never cheaper; the upper limit is for forwards that were held up.
            cost = min(max(seconds / self._unit, 1.0), 2 * COSTS[rows])
            self._costs[rows] += COST_PACE * (cost - self._costs[rows])

    def remember(self, ids: Sequence[int]) -> None:
        """Keep generated tokens, with some before them, for later drafts."""
        self._recent = [*self._recent, *ids, _GAP][-REMEMBERED:]

    def _best_length(self, available: int, rows: int | None, matched: int) -> int:
        """Return how many tokens to draft: right ones save forwards, but each row makes a forward slower."""
        if rows is None:
            return available
        best, best_gain, gain, share = 0, 0.0, 0.0, 1.0
        for length in range(1, available + 1):
            # If all before it were right, the match before this token is that much longer.
            share *= self._shares[min(matched + length - 1, LONGEST_MATCH) - 1]
            gain += share * TOKEN_COST
            if (net := gain - (self._cost(rows + length) - self._cost(rows))) > best_gain:
                best, best_gain = length, net
        return best

    def _cost(self, rows: int) -> float:
        # Where drafts have a choice of rows, forwards have an even number of them (`session_aide`).
        rows += rows % 2
        if rows in self._costs:
            return self._costs[rows]
        # The rest of a prompt and a draft may have more rows than any that were measured.
        slope = (self._costs[8] - self._costs[4]) / 4
        return self._costs[8] + slope * (rows - 8)


def _places(text: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Return earlier occurrences of a text's last tokens, as (position after them, matching tokens).

    The longest matches come first; of equally long ones, the latest.
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
