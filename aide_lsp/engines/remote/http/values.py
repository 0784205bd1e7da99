"""Values in what a server answers, which may be missing, or of any type."""

from collections.abc import Mapping
from typing import Any

from aide_lsp.inference.tokenizer import replace_surrogates

LONGEST_NAME = 200
"""Characters of the name of a model or of a version."""
MOST_MODELS = 1000


def text_at(found: Any, *path: str | int) -> str:
    """Return the string at a path, without lone surrogates, which JSON can hold; empty if there is none."""
    value = value_at(found, *path)
    return replace_surrogates(value) if isinstance(value, str) else ""


def number_at(found: Any, *path: str | int) -> int:
    """Return the whole number at a path; 0 if there is none, or one below 0."""
    value = value_at(found, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**31 else 0


def float_at(found: Any, *path: str | int) -> float:
    """Return the number at a path; 0 if there is none."""
    value = value_at(found, *path)
    return float(value) if isinstance(value, int | float) and abs(value) < 1e12 else 0.0


def list_at(found: Any, *path: str | int) -> list[Any]:
    """Return the list at a path; empty if there is none."""
    value = value_at(found, *path)
    return value if isinstance(value, list) else []


def value_at(found: Any, *path: str | int) -> Any:
    """Return what is at a path of keys and indices; None if there is nothing."""
    for step in path:
        if isinstance(step, int):
            found = found[step] if isinstance(found, list) and -len(found) <= step < len(found) else None
        else:
            found = found.get(step) if isinstance(found, Mapping) else None
    return found


def name_in(value: Any) -> str:
    """Return a name as it can be shown in one line; empty if it is none."""
    if not isinstance(value, str):
        return ""
    return "".join(char for char in value[:LONGEST_NAME] if char.isprintable()).strip()


def names_in(entries: list[Any], key: str) -> tuple[str, ...]:
    """Return the names that entries of a list have under a key."""
    found = (name_in(value_at(entry, key)) for entry in entries[:MOST_MODELS])
    return tuple(dict.fromkeys(name for name in found if name))
