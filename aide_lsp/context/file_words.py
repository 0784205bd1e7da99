"""A text cut into chunks of 6 lines, with the words of each: names in code, and the parts of these.

The grid is fixed: a chunk's lines depend on the text alone, never on where the cursor is.
"""

import re
from collections import Counter
from functools import lru_cache

# Of 100 places that want a name of another file, 44 find it in a quarter of Num Context; 38 with 12 lines,
# which fill it with two chunks, and 40 with 4. Longer chunks are changed less often, but cost as much.
CHUNK_LINES = 6
LONGEST_CHUNK = 2000
"""Characters of a chunk that can be chosen: longer ones are data, and would fill the prompt."""
_WORD = re.compile(r"[^\W\d]\w*")
_PART = re.compile(r"[A-Z]+(?![^\W\d_A-Z])|[A-Z]?[^\W\d_A-Z]+")
_LONGEST_WORD = 100
"""Characters of a word that counts: longer ones are data."""


class FileWords:
    """The chunks of one text, and which words they have."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        if self._lines[-1] == "":
            self._lines.pop()
        self.lengths: list[int] = []
        """Words of each chunk; 0 if it cannot be chosen."""
        found: dict[str, list[int]] = {}
        for number, start in enumerate(range(0, len(self._lines), CHUNK_LINES)):
            counts = words_of("\n".join(self._lines[start : start + CHUNK_LINES]))
            self.lengths.append(sum(counts.values()))
            for word, count in counts.items():
                found.setdefault(word, []).extend((number, count))
        self.places = {word: tuple(places) for word, places in found.items()}
        """For each word the chunks that have it, each followed by how often it does."""

    def lines_of(self, chunk: int) -> tuple[int, str]:
        r"""Return the number of a chunk's first line, from 1, and its text, with \n line ends."""
        start = chunk * CHUNK_LINES
        return start + 1, "\n".join(self._lines[start : start + CHUNK_LINES]) + "\n"


def words_of(text: str) -> Counter[str]:
    """Count the words of a text and their parts; none if it is too long for a chunk."""
    counts: Counter[str] = Counter()
    if len(text) <= LONGEST_CHUNK:
        for word in _WORD.findall(text):
            counts.update(_forms(word))
    return counts


@lru_cache(maxsize=16384)
def _forms(word: str) -> frozenset[str]:
    """Return a word and its parts in lower case: `OrderBook` gives `OrderBook`, `order`, `book`."""
    if len(word) > _LONGEST_WORD:
        return frozenset()
    parts = _PART.findall(word)
    return frozenset((word, *(part.lower() for part in parts if len(part) > 1)))
