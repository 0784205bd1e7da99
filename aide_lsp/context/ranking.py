"""Ranks chunks of files by how well they match some words: BM25, over the chunks at hand and no others."""

import heapq
import math
from collections.abc import Iterable, Sequence

from attrs import frozen

from aide_lsp.context.file_words import FileWords

K1, B = 1.2, 0.75
COMMON_SHARE = 0.2
"""Words in a larger share of the chunks say nothing, and take the most time."""
NEVER_COMMON = 20
"""Chunks in which a word may be, whatever its share: a small project has few, all about one thing."""
WEAK = 0.1
"""Share of the score that all words could give together. If even the best chunk has less, none is chosen: the
text around the cursor says more. In a project of at most `NEVER_COMMON` chunks, all may be chosen."""


@frozen
class Ranked:
    """A chunk that matches."""

    score: float
    file: int
    "Which of the files."
    chunk: int


def ranked(query: Iterable[str], files: Sequence[FileWords], most: int) -> list[Ranked]:
    """Return the chunks that match best, best first, at most `most`; equal ones in the order of the files.

    A chunk without any of the words is never among them. If all match weakly, none is.
    """
    count = sum(len(words.lengths) for words in files)
    total = sum(sum(words.lengths) for words in files)
    scores: dict[tuple[int, int], float] = {}
    possible = 0.0
    # Sorted, since sums depend on the order.
    for word in sorted(set(query)):
        places = [(number, found) for number, words in enumerate(files) if (found := words.places.get(word))]
        having = sum(len(found) for _, found in places) // 2
        if having > max(NEVER_COMMON, COMMON_SHARE * count):
            continue
        weight = math.log(1 + (count - having + 0.5) / (having + 0.5)) * (K1 + 1)
        possible += weight
        for number, found in places:
            lengths = files[number].lengths
            for chunk, times in zip(found[::2], found[1::2], strict=True):
                norm = K1 * (1 - B + B * lengths[chunk] * count / total)
                key = number, chunk
                scores[key] = scores.get(key, 0.0) + weight * times / (times + norm)
    best = heapq.nsmallest(most, scores.items(), key=lambda item: (-item[1], item[0]))
    if count > NEVER_COMMON and best and best[0][1] < WEAK * possible:
        return []
    return [Ranked(score, *place) for place, score in best]
