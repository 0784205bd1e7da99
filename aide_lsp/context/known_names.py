"""The names that a module or type of the project has, where one of them must come at the cursor."""

import re
from collections.abc import Iterable
from functools import lru_cache

from attrs import evolve, field, frozen

from aide_lsp.context.excerpt import Excerpt

_BEGUN = re.compile(r"(?:(?<=\.)#)?\w*\Z")
OWN = ""
"""The path of the document itself: what it says of its types."""


@frozen
class NamesOf:
    """The names of one file."""

    path: str
    "Of the file, relative to the project's root, with `/` on every system; `OWN`: the document itself."
    own: tuple[str, ...] = field(repr=False)
    "Those that it defines, imports, or passes on, sorted."

    def as_excerpt(self) -> Excerpt:
        """Return them as the ledger keeps what is read of other files: as lines from number 0 on."""
        return Excerpt(self.path, 0, "\n".join(("", *self.own)), 0.0)

    @staticmethod
    def from_excerpt(excerpt: Excerpt) -> "NamesOf":
        """Return what `as_excerpt` has written."""
        return NamesOf(excerpt.path, tuple(excerpt.text.split()))


@frozen
class KnownNames:
    """All names of a module or type, of which one comes at the cursor."""

    files: tuple[NamesOf, ...]
    "Where they are from, in the order of paths."
    begun: str = ""
    "The beginning of the name that is left of the cursor."

    @property
    def names(self) -> tuple[str, ...]:
        """Those that begin as the text does, sorted."""
        return _names(self.files, self.begun)

    def with_used(self, used: Iterable[str]) -> "KnownNames":
        """Return them with those that a document uses anyway."""
        first = self.files[0]
        more = {name for name in used if name.isascii()}.union(first.own)
        return KnownNames((evolve(first, own=tuple(sorted(more))), *self.files[1:]), self.begun)

    @staticmethod
    def at(files: tuple[NamesOf, ...], before: str) -> "KnownNames | None":
        """Return the names of some files, at the end of a text; None: there are no files."""
        return KnownNames(files, begun_in(before)) if files else None

    def following(self, healed: str) -> tuple[str, ...]:
        """Return what a text must begin with whose beginning is `healed`, which ends at the cursor."""
        if not healed.isascii():
            return ()
        if len(healed) >= len(self.begun):
            before = healed[: len(healed) - len(self.begun)]
            return tuple(before + name for name in self.names)
        return tuple(name[len(self.begun) - len(healed) :] for name in self.names)


def begun_in(before: str) -> str:
    """Return the beginning of a name at the end of a text; empty: none is begun."""
    found = _BEGUN.search(before)
    return found.group() if found else ""


@lru_cache(16)  # asked for some times for each key
def _names(files: tuple[NamesOf, ...], begun: str) -> tuple[str, ...]:
    return tuple(sorted({one for file in files for one in file.own if one.startswith(begun)}))
