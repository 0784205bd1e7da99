"""Token healing: generation must begin with a given text, in the tokens that the model prefers.

The text was cut off the end of a prompt so that the prompt does not end halfway through a token. A token that
begins with all of it (` return` for ` ret`) takes its place if the model foresees one. If it foresees none,
the text is generated in its own tokens, those that the tokenizer splits it into: any other token would turn
what was typed into a word that no one expects. Blanks and signs may be tokens of their own; then the same
applies to the word after them.

Within such a word, and right after any word, the model's best token decides rather than chance: if it begins
with the rest of the word, it replaces the own tokens; and after the word, letters are drawn only if it begins
with one.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from aide_lsp.inference.tokenizer import Tokenizer

FORESEEN = 50
"""How many of its most likely tokens a model foresees, whatever the parameters leave of them."""
LETTERS = frozenset((*b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", *range(0x80, 0x100)))
"""Bytes of letters in UTF-8, and of a few signs that are not ASCII."""
_LETTER = re.compile(rb"[A-Za-z]")
"""In scripts without blanks between words, none of which are in ASCII, more letters always follow."""


class HealedText:
    """What is left of the text that one generation must begin with.

    Only tokens that begin with all of it are drawn. If there is none, `own_token` has to come, and once a
    word is begun in its own tokens, no others may come until it is complete, except the model's best one.
    """

    def __init__(self, own: Sequence[int], token_bytes: Callable[[int], bytes]) -> None:
        """Take the text as its own tokens."""
        self._own, self._token_bytes = list(own), token_bytes
        self._left = b"".join(map(token_bytes, own))
        self._in_word = False  # its beginning was generated in own tokens
        self._ends_word = False  # it is complete, its end is that of a token, and nothing has followed
        self.length = len(self._left.decode("utf-8", "replace"))
        """Its characters."""

    @property
    def is_complete(self) -> bool:
        """Whether all of it was generated."""
        return not self._own

    @property
    def own_token(self) -> int:
        """The next of its own tokens."""
        return self._own[0]

    def restricts(self, best: int) -> bool:
        """Whether some tokens may not come next; `best` is the model's best one."""
        return not self.is_complete or (self._ends_word and not self._begins_with_letter(best))

    def allows(self, ids: NDArray[np.integer], best: int) -> NDArray[np.bool_]:
        """Return which of some tokens may come next if the model foresees them.

        Args:
            ids: the tokens.
            best: the model's best one, with which some may not come.
        """
        if self.is_complete:
            return np.array([not self._begins_with_letter(int(token)) for token in ids], dtype=bool)
        if self._in_word:
            allowed = ids == (best if self._covers(best) else self.own_token)
            return np.asarray(allowed, dtype=bool)
        return np.array([self._covers(int(token)) for token in ids], dtype=bool)

    def fits(self, tokens: Sequence[int]) -> int:
        """Return how many of some tokens, from the first on, may come next in this order."""
        rest = self._copy()
        for count, token in enumerate(tokens):
            if rest.is_complete:
                break
            if not rest._covers(token) and token != rest.own_token:
                return count
            rest.push(token)
        return len(tokens)

    def push(self, token: int) -> None:
        """Record a generated token: one that may come next, or the own token."""
        if self.is_complete:
            self._ends_word = False
            return
        given = self._token_bytes(token)
        self._ends_word = given == self._left and _LETTER.match(given[-1:]) is not None
        if self._covers(token):
            self._own, self._left = [], b""
            return
        del self._own[0]
        self._left = self._left[len(given) :]
        self._in_word |= any(byte in LETTERS for byte in given)

    def _covers(self, token: int) -> bool:
        return self._token_bytes(token).startswith(self._left)

    def _begins_with_letter(self, token: int) -> bool:
        return _LETTER.match(self._token_bytes(token)) is not None

    def _copy(self) -> "HealedText":
        return HealedText(self._own, self._token_bytes)


def heal(text: str, tokenizer: Tokenizer) -> HealedText:
    """Return the healed text of one generation. What the vocabulary cannot represent is not part of it."""
    # A lone surrogate is one character, and so is what replaces it.
    own = tokenizer.encode(text.encode("utf-8", "replace").decode("utf-8"))
    return HealedText(own, tokenizer.token_bytes)
