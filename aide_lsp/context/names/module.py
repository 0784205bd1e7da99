"""Which module's names may come at a cursor, and which names a file has."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache

from attrs import field, frozen

from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.syntax.node import SyntaxNode

LONGEST_IMPORT = 2000
"""Characters of an import before the cursor, and of its rest."""


@frozen
class Cursor:
    """A document, and the place in it."""

    before: str
    "The cursor's line up to the cursor."
    after: str
    "The rest of that line."
    above: str = field(repr=False)
    "The lines above."
    below: str = field(repr=False)
    "From the end of that line on."

    @property
    def others(self) -> str:
        """The text without the cursor's line."""
        return self.above + self.below

    @property
    def is_after_mark(self) -> bool:
        """Whether a bracket or comma is right before the cursor: a blank or a line end may come next."""
        return self.before.endswith(("(", "{", ","))

    @property
    def near_before(self) -> str:
        """The text before the cursor, as far as an import may reach."""
        return self.above[-LONGEST_IMPORT:] + self.before

    @property
    def near_after(self) -> str:
        """The text after the cursor, likewise."""
        return self.after + self.below[:LONGEST_IMPORT]


@frozen
class Wanted:
    """A module, one of whose names comes at the cursor."""

    module: str
    "As an import names it."
    begun: str
    "The beginning of the name that is left of the cursor."
    used: tuple[str, ...] = ()
    "Names that the document takes from it elsewhere: it has them, or is to have them."
    is_attribute: bool = False
    "Whether the module is reached as a name of the package around it, which may have given it to another."


@frozen
class FileNames:
    """What one file defines."""

    own: frozenset[str] = frozenset()
    others: frozenset[str] = frozenset()
    "Names it has besides: see `NamesOf`."
    modules: frozenset[str] = frozenset()
    "Those of its own modules that it names."
    passed_on: tuple[str, ...] = ()
    "Modules all of whose names this one has, too."
    is_complete: bool = True
    "Whether it has no other names; otherwise nothing is known."


@frozen
class NameRules:
    """How a language names what another file of the project has."""

    wanted: Callable[[Cursor], Wanted | None]
    "Which module's names come at a cursor, if only these may."
    files: Callable[[str, ProjectTree], Iterable[str]]
    "The files that are a module, and nothing else; none if that is not certain."
    names: Callable[[SyntaxNode, str], FileNames]
    "What a file defines, given its tree and path."
    inside: Callable[[str, ProjectTree], Iterator[str]] = lambda path, tree: iter(())
    "Names that a module has because of other files, given one of its own."
    around: Callable[[str, ProjectTree], Iterator[tuple[str, str]]] = lambda module, tree: iter(())
    "Files of the packages around a module, each with the name that may be something else there."


KEPT = 16
"""Answers about names in a text that are kept: while a line is typed, the text is the same."""
LONGEST_LINE = 1000
"""Characters of a line that counts."""


_STRING = r"""(["'`])(?:\\.|(?!\1)[^\\\n])*+\1?"""
"In one line, closed or not."


def after_dot(
    cursor: Cursor, dotted: re.Pattern[str], meaning: Callable[[str, str], str], comment: str
) -> Wanted | None:
    """Return the module after whose name and a dot a cursor is.

    Args:
        cursor: the place.
        dotted: matches a name, a dot, and the beginning of another name at the end of a line.
        meaning: which module a name in a text can only mean; empty: that is not certain.
        comment: what begins one.
    """
    found = dotted.search(cursor.before)
    if found is None:
        return None
    receiver, begun = found.groups()
    module = meaning(receiver, cursor.others)
    if not module or not is_only(receiver.partition(".")[0], cursor.before + cursor.after, comment):
        return None
    return Wanted(module, begun, _used(receiver, cursor.others, comment), is_attribute=True)


@lru_cache(KEPT)
def _used(receiver: str, text: str, comment: str) -> tuple[str, ...]:
    """Return the names that a text has after a module and a dot."""
    found = re.findall(rf"(?<![\w.]){re.escape(receiver)}\.(\w+)", _not_code(comment).sub(" ", text))
    return tuple(sorted(set(found)))


def is_only(name: str, text: str, comment: str) -> bool:
    """Whether every use of a name in a text goes on as a module's does: else it may mean something else.

    `comment`: what begins a comment up to the end of its line. Words in longer ones, and in strings of
    several lines, may count as uses.
    """
    # Three dots before a name, or after one, are no part of a dotted name.
    use = rf"(?:(?<![\w.\"'`/-])|(?<=\.\.\.)){re.escape(name)}\b(?!\s*\.(?!\.))"
    return name not in text or re.search(use, _not_code(comment).sub(" ", text)) is None


@cache
def _not_code(comment: str) -> re.Pattern[str]:
    return re.compile(rf"{_STRING}|{comment}[^\n]*")
