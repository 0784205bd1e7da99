"""Types that no import names: files are found by the names of the types that a text uses."""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from aide_lsp.context.imports.tree import MOST_BELOW, ProjectTree

MOST_TYPES = 300
"""Different names of types in a text."""
_TYPE = re.compile(r"\b[A-Z]\w+")
_NAME = re.compile(r"\w+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def types_in(text: str) -> tuple[str, ...]:
    """Return the capitalized names in a text, each once."""
    return tuple(islice(dict.fromkeys(_TYPE.findall(text)), MOST_TYPES))


def snake_case(name: str) -> str:
    """Return a name as `snake_case`; in a path, each of its parts."""
    return _HUMP.sub("_", name).lower()


def named_so(
    names: Iterable[str],
    folder: str,
    suffixes: tuple[str, ...],
    tree: ProjectTree,
    spelled: Callable[[str], str] = str,
) -> Iterator[str]:
    """Yield the files in and below a folder whose names begin with one of these, as such files spell it."""
    known: dict[str, list[str]] = tree.once(
        ("files", folder, *suffixes), lambda: _by_name(folder, suffixes, tree)
    )
    for name in names:
        yield from known.get(spelled(name), ())


def _by_name(folder: str, suffixes: tuple[str, ...], tree: ProjectTree) -> dict[str, list[str]]:
    """Group files by the word that their name begins with: also `Name.Part.cs` and `Name+Part.swift`."""
    found: dict[str, list[str]] = {}
    for below in tree.below(folder, MOST_BELOW):
        for name in sorted(tree.files(below)):
            if name.endswith(suffixes) and (word := _NAME.match(name)):
                found.setdefault(word[0], []).append(f"{below}/{name}".lstrip("/"))
    return found
