"""Token healing: generation must begin with a given text, in whatever tokens it takes.

The text was cut off the end of a prompt so that the prompt does not end halfway through a token. Until all of
it is generated, only tokens that continue it may come: the distribution is the user's, restricted to those.
If it contains none of them, the best one in the vocabulary is taken.
"""

from bisect import bisect_left
from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from aide_lsp.inference.tokenizer import Tokenizer

SORTED_AT_ONCE = 8192
"""Tokens sorted in one call, which takes a few milliseconds."""


class TokenHealer:
    """Finds tokens by the bytes they begin with. Create one for each tokenizer."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer

    def of(self, text: str) -> "HealedText":
        """Return the healed text of one generation."""
        return HealedText(self, text.encode("utf-8", "replace"))

    def token_bytes(self, token: int) -> bytes:
        """Return the bytes of a token."""
        return self._tokenizer.token_bytes(token)

    def tokens_with(self, wanted: bytes) -> NDArray[np.int64]:
        """Return all tokens that `wanted` begins with, or that begin with it."""
        keys, tokens = self._sorted
        ranges = [(bisect_left(keys, wanted), _end(keys, wanted))]
        for length in range(1, len(wanted)):
            start = bisect_left(keys, wanted[:length])
            # Only the keys equal to this beginning: with a zero byte added it is the very next in byte order.
            ranges.append((start, bisect_left(keys, wanted[:length] + b"\x00")))
        return np.concatenate([tokens[start:end] for start, end in ranges])

    @cached_property
    def _sorted(self) -> tuple[list[bytes], NDArray[np.int64]]:
        keys = [self.token_bytes(token) for token in range(self._tokenizer.vocab_size)]
        tokens = list[int]()
        # In runs first: no other thread can run during a sort, and sorting a whole vocabulary takes long.
        # The last sort then only merges the runs.
        for start in range(0, len(keys), SORTED_AT_ONCE):
            run = range(start, min(start + SORTED_AT_ONCE, len(keys)))
            tokens += sorted((token for token in run if keys[token]), key=keys.__getitem__)
        tokens.sort(key=keys.__getitem__)  # stable: equal ones stay in the order of their ids
        return [keys[token] for token in tokens], np.array(tokens, dtype=np.int64)


class HealedText:
    """What is left of the text that one generation must begin with."""

    def __init__(self, healer: TokenHealer, text: bytes) -> None:
        self._healer, self._left = healer, text

    @property
    def is_complete(self) -> bool:
        """Whether all of it was generated: any token may come."""
        return not self._left

    @property
    def allowed(self) -> NDArray[np.int64]:
        """All tokens that may come next."""
        return self._healer.tokens_with(self._left)

    def allows(self, ids: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Return which of some tokens may come next."""
        return np.array(
            [_fits(self._left, self._healer.token_bytes(int(token))) for token in ids], dtype=bool
        )

    def fits(self, tokens: Sequence[int]) -> int:
        """Return how many of some tokens, from the first on, may come next in this order."""
        left = self._left
        for count, token in enumerate(tokens):
            given = self._healer.token_bytes(token)
            if left and not _fits(left, given):
                return count
            left = left[len(given) :]
        return len(tokens)

    def push(self, token: int) -> None:
        """Record a generated token."""
        self._left = self._left[len(self._healer.token_bytes(token)) :]


def _fits(left: bytes, given: bytes) -> bool:
    # A token without bytes would bring the text no further.
    return bool(given) and (left.startswith(given) or given.startswith(left))


def _end(keys: list[bytes], prefix: bytes) -> int:
    """Return the index after the last key that begins with `prefix`."""
    # No byte follows 0xFF, so the last byte that can be raised is raised.
    bare = prefix.rstrip(b"\xff")
    return bisect_left(keys, bare[:-1] + bytes([bare[-1] + 1])) if bare else len(keys)
