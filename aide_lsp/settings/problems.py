"""Problems with settings, worded for people: where, what is invalid, what is expected, what applies."""

import json
from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from attrs import frozen

from aide_lsp.invisible import escaped

# Comparing takes time quadratic in the length. No name of ours is longer than a third of this.
_LONGEST_NAME = 60


@frozen
class Problem:
    """An invalid value, or one that takes effect in another way than it was written."""

    source: str
    """Where it was read: a path, or a name such as `editor settings`."""
    key: str
    """The key as it was written; empty if the problem concerns the whole file."""
    message: str
    """What was found, what was expected, what stays in effect."""
    notice: bool = False
    """Nothing is invalid, but the user should know."""
    of_key: bool = False
    """The key itself is invalid, whatever its value."""

    @staticmethod
    def of(key: str, source: str, error: str, notice: bool = False, of_key: bool = False) -> "Problem":
        """Make a problem with one key; `error` is the end of a sentence."""
        return Problem(source, key, f"{key} in {source}: {error}.", notice, of_key)


def shown(value: Any) -> str:
    """Write a value for a message: short, on one line."""
    try:
        text = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False, default=str)
    # Python prints no number with more than 4,300 digits, and what editors send may be nested without end.
    except (ValueError, TypeError, RecursionError):
        return "a number with thousands of digits" if isinstance(value, int) else "a very large value"
    text = escaped(text)
    return text if len(text) <= 60 else text[:57] + "..."


def named(name: str) -> str:
    """Write a key for a message: unchanged if it is plain, otherwise quoted and cut."""
    plain = name.replace("_", "a").replace("-", "a").isalnum() and name.isascii() and len(name) <= 60
    return name if plain else shown(name)


def nearest(written: str, names: Iterable[str]) -> str:
    """Suggest the closest of some names, as the end of a sentence; empty if none is close."""
    near = _nearest(written, tuple(names))
    return f'; the closest name is "{near}"' if near else ""


@lru_cache(maxsize=1024)
def _nearest(written: str, names: tuple[str, ...]) -> str | None:
    if len(written) > _LONGEST_NAME:
        return None
    return next(iter(get_close_matches(written, names, n=1)), None)
