"""SentencePiece vocabularies: text to tokens by scores, as llama.cpp does it.

A text is split into characters. Of all neighbors that are a token together, those of the highest score become
one, the leftmost first, until no two are left. What is no token then is written as bytes. Lists of merges, as
the library `tokenizers` has them, cannot represent this: with them, two ways to merge to the same token have
different ranks, so that runs of one character come out in other pieces.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from heapq import heapify, heappop, heappush

from aide_lsp.errors import ModelFilesError
from aide_lsp.inference.vocabulary.token_bytes import byte_token

BLANK = "\N{LOWER ONE EIGHTH BLOCK}"
"""How the names of tokens write a blank."""
REMEMBERED_WORDS = 32_768
LONGEST_WORD = 64
"""A longer word is not remembered."""
_BYTE = re.compile(r"<0x[0-9A-F]{2}>")
_WORD = re.compile(f"{BLANK}*[^{BLANK}]+|{BLANK}+")
_BLANK_INSIDE = re.compile(f"[^{BLANK}]{BLANK}")


class SentencePiece:
    """The part of a SentencePiece vocabulary that encodes text."""

    def __init__(self, vocabulary: Mapping[str, int], scores: Sequence[float]) -> None:
        """Take the tokens that stand for text or a byte, with all 256 bytes, and the scores of all ids.

        Raises:
            ModelFilesError: there is no score for a token.
        """
        if max(vocabulary.values()) >= len(scores):
            raise ModelFilesError("This tokenizer has fewer scores than tokens.")
        names = {name: number for name, number in vocabulary.items() if not _BYTE.fullmatch(name)}
        self._numbers = names
        # The best score is the lowest rank, as the queue needs it.
        self._ranks = {name: -scores[number] for name, number in names.items()}
        self._byte_tokens = [byte_token(vocabulary, byte) or 0 for byte in range(256)]
        # Unless there is a token with a blank inside, nothing merges across the end of a word: words can be
        # merged one by one, and remembered.
        self._has_words = not any(_BLANK_INSIDE.search(name) for name in names)
        self._remembered = lru_cache(maxsize=REMEMBERED_WORDS)(lambda word: tuple(self._merge(word)))

    def encode(self, text: str) -> list[int]:
        """Return the token ids of a text."""
        escaped = text.replace(" ", BLANK)
        words = _WORD.findall(escaped) if self._has_words else [escaped]
        return [
            token
            for word in words
            for token in (self._remembered(word) if len(word) <= LONGEST_WORD else self._merge(word))
        ]

    def _merge(self, word: str) -> Iterator[int]:
        """Yield the tokens of a text without blanks."""
        pieces, ranks = list(word), self._ranks
        after, before = [*range(1, len(word)), -1], [*range(-1, len(word) - 1)]
        # Rank, place and end of a pair that may become one.
        queue = [
            (ranks[pair], left, left + 1, 2)
            for left in range(len(word) - 1)
            if (pair := word[left : left + 2]) in ranks
        ]
        heapify(queue)
        while queue:
            _, left, right, length = heappop(queue)
            # Either may have become part of another piece meanwhile, or longer.
            if not pieces[left] or not pieces[right] or len(pieces[left]) + len(pieces[right]) != length:
                continue
            pieces[left], pieces[right] = pieces[left] + pieces[right], ""
            after[left] = after[right]
            if after[right] >= 0:
                before[after[right]] = left
            for first, second in ((before[left], left), (left, after[left])):
                if first >= 0 and second >= 0 and (pair := pieces[first] + pieces[second]) in ranks:
                    heappush(queue, (ranks[pair], first, second, len(pair)))
        for piece in filter(None, pieces):
            if piece in self._numbers:
                yield self._numbers[piece]
            else:
                yield from (self._byte_tokens[byte] for byte in piece.encode("utf-8"))
