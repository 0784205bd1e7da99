"""Token healing: generation must begin with a given text, in the tokens that the model prefers.

The text was cut off the end of a prompt so that the prompt does not end halfway through a token. A token that
begins with all of it (` return` for ` ret`) takes its place if the model foresees one. If it foresees none,
the text is generated in its own tokens, those that the tokenizer splits it into: any other token would turn
what was typed into a word that no one expects. Blanks and signs may be tokens of their own; then the same
applies to the word after them.

Within such a word, and right after any word, the model's best token decides rather than chance: if it begins
with the rest of the word, it replaces the own tokens; and after the word, letters are drawn only if it begins
with one.

Where the text must begin with one of several names (`NameChoice`), only tokens that may still become one of
them come, until what follows ends the name. If the model foresees none, the likeliest first token of one is
taken.
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from aide_lsp.inference.tokenizer import Tokenizer

FORESEEN = 50
"""How many of its most likely tokens a model foresees, whatever the parameters leave of them."""
LETTERS = frozenset((*b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", *range(0x80, 0x100)))
"""Bytes of letters in UTF-8, and of a few signs that are not ASCII."""
NAME = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
"""Bytes that names consist of."""
_LETTER = re.compile(rb"[A-Za-z]")
"""In scripts without blanks between words, none of which are in ASCII, more letters always follow."""


class NameChoice:
    """What a text may begin with: one of some names, and nothing that would go on with it.

    A value: `after` returns what is left when a token has come.
    """

    def __init__(self, names: Sequence[bytes], said: bytes = b"") -> None:
        """Take the names, sorted, and what was generated so far."""
        self._names, self._said = names, said

    def allows(self, given: bytes) -> bool:
        """Whether a token's bytes may come next; none: whether the text may end here."""
        said = self._said + given
        if not given:
            return self._has(said)
        first = bisect_left(self._names, said)
        if first < len(self._names) and self._names[first].startswith(said):
            return True
        return any(
            said[end] not in NAME and self._has(said[:end]) for end in range(len(self._said), len(said))
        )

    def after(self, given: bytes) -> "NameChoice | None":
        """Return what is left after a token that may come; None: a name has ended."""
        said = self._said + given
        first = bisect_left(self._names, said)
        is_begun = first < len(self._names) and self._names[first].startswith(said)
        return NameChoice(self._names, said) if is_begun else None

    def rests(self) -> list[bytes]:
        """Return what is left of each name that has begun."""
        start = bisect_left(self._names, self._said)
        begun = takewhile(lambda name: name.startswith(self._said), self._names[start:])
        return [name[len(self._said) :] for name in begun if name != self._said]

    def _has(self, said: bytes) -> bool:
        place = bisect_left(self._names, said)
        return place < len(self._names) and self._names[place] == said


class HealedText:
    """What is left of the text that one generation must begin with.

    Only tokens that begin with all of it are drawn. If there is none, `own_token` has to come, and once a
    word is begun in its own tokens, no others may come until it is complete, except the model's best one.
    """

    def __init__(
        self,
        own: Sequence[int],
        token_bytes: Callable[[int], bytes],
        names: NameChoice | None = None,
        first_token: Callable[[bytes], int] | None = None,
    ) -> None:
        """Take the text as its own tokens.

        Args:
            own: the tokens of the text.
            token_bytes: what a token stands for.
            names: what text and output together must begin with.
            first_token: the token that the tokenizer splits off some bytes first; needed with names.
        """
        self._own, self._token_bytes = list(own), token_bytes
        self._names, self._first_token = names, first_token
        self._left = b"".join(map(token_bytes, own))
        self._in_word = False  # its beginning was generated in own tokens
        self._ends_word = False  # it is complete, its end is that of a token, and nothing has followed
        self.length = len(self._left.decode("utf-8", "replace"))
        """Its characters."""

    @property
    def is_complete(self) -> bool:
        """Whether all of it was generated, and no name is left to choose."""
        return not self._own and self._names is None

    def own_tokens(self) -> list[int]:
        """Return the tokens of which one comes next if the model foresees none."""
        if self._own:
            return self._own[:1]
        assert self._names is not None
        assert self._first_token is not None
        first = map(self._first_token, self._names.rests())
        # A vocabulary may put a blank before a text that it splits.
        return sorted({token for token in first if self._token_bytes(token) and self._covers(token)})

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
        if self._in_word and self._own:
            allowed = ids == (best if self._covers(best) else self._own[0])
            return np.asarray(allowed, dtype=bool)
        return np.array([self._covers(int(token)) for token in ids], dtype=bool)

    def fits(self, tokens: Sequence[int]) -> int:
        """Return how many of some tokens, from the first on, may come next in this order."""
        rest = self._copy()
        for count, token in enumerate(tokens):
            if rest.is_complete:
                break
            if not rest._covers(token) and token not in rest._own[:1]:
                return count
            rest.push(token)
        return len(tokens)

    def drop_names(self) -> None:
        """Let anything come: no token leads to one of the names."""
        self._names = None

    def push(self, token: int) -> None:
        """Record a generated token: one that may come next, or an own one."""
        given, self._ends_word = self._token_bytes(token), False
        if self._names is not None:
            self._names = self._names.after(given)
        elif self._own:
            self._ends_word = given == self._left and _LETTER.match(given[-1:]) is not None
        if given.startswith(self._left):
            self._own, self._left = [], b""
        elif self._own:
            del self._own[0]
            self._left = self._left[len(given) :]
            self._in_word |= any(byte in LETTERS for byte in given)

    def _covers(self, token: int) -> bool:
        given = self._token_bytes(token)
        return given.startswith(self._left) and (self._names is None or self._names.allows(given))

    def _begins_with_letter(self, token: int) -> bool:
        return _LETTER.match(self._token_bytes(token)) is not None

    def _copy(self) -> "HealedText":
        return HealedText(self._own, self._token_bytes, self._names, self._first_token)


def heal(text: str, tokenizer: Tokenizer, names: Sequence[str] = ()) -> HealedText:
    """Return the healed text of one generation. What the vocabulary cannot represent is not part of it.

    `names`: what text and output together must begin with, each in ASCII and with the text as its beginning.
    """
    # A lone surrogate is one character, and so is what replaces it.
    own = tokenizer.encode(text.encode("utf-8", "replace").decode("utf-8"))
    if not names:
        return HealedText(own, tokenizer.token_bytes)

    def first_token(rest: bytes) -> int:
        return tokenizer.encode(rest.decode("ascii"))[0]

    chosen = NameChoice(sorted(name.encode("ascii") for name in names))
    return HealedText(own, tokenizer.token_bytes, chosen, first_token)
