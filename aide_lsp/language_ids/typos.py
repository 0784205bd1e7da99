"""Recognizes misspelled ids of languages. Extensions of editors define any others, which are none of ours."""

from collections.abc import Iterable
from functools import lru_cache
from itertools import takewhile

from aide_lsp.language_ids.table import KNOWN_IDS, SUFFIXES

_SHORTEST = 5
"""Characters of an id that others may be misspellings of; shorter ids are similar to too many others."""


@lru_cache(maxsize=1024)
def intended_id(written: str) -> str | None:
    """Return the known id that is very likely meant by a name that no editor uses; None if there is none.

    The name is an extension such as `py`, or has one typo: a letter too many, too few, or wrong, or two that
    are swapped. Names with digits are versions (`python2`), and those that begin differently are other
    languages (`eelixir`).
    """
    name = written.lower()
    if name in KNOWN_IDS:
        return None
    if f".{name}" in SUFFIXES:
        return SUFFIXES[f".{name}"]
    if any(character.isdigit() for character in name):
        return None
    return next((known for known in sorted(KNOWN_IDS) if _is_typo(name, known)), None)


def _is_typo(written: str, known: str) -> bool:
    if len(known) < _SHORTEST or abs(len(written) - len(known)) > 1:
        return False
    end = _same(reversed(written), reversed(known))
    written, known = written[: len(written) - end], known[: len(known) - end]
    start = _same(written, known)
    wrong, right = written[start:], known[start:]
    is_swapped = len(right) == 2 and wrong == right[::-1]
    return start > 0 and (is_swapped or max(len(wrong), len(right)) == 1)


def _same(one: Iterable[str], other: Iterable[str]) -> int:
    """Count the first characters that are the same."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))
