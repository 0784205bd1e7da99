"""What is wrong with settings, in words that say where, what, and what to do.

In: a place, a key as it was written, a fault. Out: a `Problem`. It does not know what makes a value wrong.
"""

import json
from collections.abc import Iterable
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from attrs import frozen

from aide_lsp.invisible import escaped

# Comparing takes the square of the length; no name of ours is longer than a third of this.
_LONGEST_NAME = 60


@frozen
class Problem:
    """A value that cannot be used, or that takes effect in another way than it was written."""

    source: str
    """Where it was read: a path, or a name such as `editor settings`."""
    key: str
    """The key as it was written; empty when it is about the whole file."""
    message: str
    """What was found, what is allowed, what stays in effect."""
    notice: bool = False
    """Nothing is wrong, but the user should know."""

    @staticmethod
    def of(key: str, source: str, wrong: str, notice: bool = False) -> "Problem":
        """Make a problem with a key."""
        return Problem(source, key, f"{key} in {source}: {wrong}.", notice)


def shown(value: Any) -> str:
    """Write a value for a message: short, on one line."""
    try:
        text = json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False, default=str)
    except (ValueError, TypeError, RecursionError):
        return "a number of thousands of digits" if isinstance(value, int) else "something very large"
    text = escaped(text)
    return text if len(text) <= 60 else text[:57] + "..."


def named(name: str) -> str:
    """Write a key for a message: as it is if it is plain, else quoted and cut."""
    plain = name.replace("_", "a").replace("-", "a").isalnum() and name.isascii() and len(name) <= 60
    return name if plain else shown(name)


def nearest(written: str, names: Iterable[str]) -> str:
    """Name the nearest of some names, as the end of a sentence; empty: none is near."""
    near = _nearest(written, tuple(names))
    return f'; the nearest is "{near}"' if near else ""


@lru_cache(maxsize=1024)
def _nearest(written: str, names: tuple[str, ...]) -> str | None:
    if len(written) > _LONGEST_NAME:
        return None
    return next(iter(get_close_matches(written, names, n=1)), None)
