"""Which module's names may come at a cursor, and which names a file has."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache

from attrs import field, frozen

from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.syntax.node import SyntaxNode
from aide_lsp.syntax.tree import root_of

LONGEST_IMPORT = 2000
"""Characters of an import before the cursor, and of its rest."""


@frozen
class Cursor:
    """A document, and the place in it."""

    before: str
    "The cursor's line up to the name that is begun at the cursor: while one is typed, that is the same."
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
        """Whether a bracket or comma is before the name: if none is begun, a blank or line end may come."""
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
    used: tuple[str, ...] = ()
    "What may come in any case, such as names that the document takes from it elsewhere: it is to have them."
    once_begun: tuple[str, ...] = ()
    "What else may come, but only once a name is begun."
    must_begin: bool = False
    "Whether anything may come until a name is begun."
    is_attribute: bool = False
    "Whether the module is reached as a name of the package around it, which may have given it to another."


@frozen
class FileNames:
    """What one file defines."""

    own: frozenset[str] = frozenset()
    "What it defines, or has from elsewhere."
    others: frozenset[str] = frozenset()
    "Those that it does not define: of its own modules, and those that it lists."
    passed_on: tuple[str, ...] = ()
    "Modules all of whose names this one has, too."
    private: frozenset[str] = frozenset()
    "Those that only what is inside the module sees."
    passed_inside: tuple[str, ...] = ()
    "Modules all of whose names only that sees here."
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
    is_inside: Callable[[str, str], bool] = lambda document, path: False
    "Whether a document is inside the module of a file."
    beyond: Callable[[str, ProjectTree], Iterable[str] | None] = lambda path, tree: ()
    "Files that may give a module other names, given one of its own; None: they are too many."
    given: Callable[[str], frozenset[str]] = lambda text: frozenset()
    "Those names, given the text of one; an empty name: there are others."
    outline: Callable[[str], str] = lambda text: text
    "A text that says the same if it parses, and takes less time to."


def outline_of(text: str, outline: Callable[[str], str], grammar: str) -> SyntaxNode | None:
    """Parse the outline of a text; None: it is the text itself, or does not parse."""
    short = outline(text)
    root = root_of(short, grammar) if short != text else None
    return None if root is None or root.has_error else root


KEPT = 16
"""Answers about names in a text that are kept: while a line is typed, the text is the same."""
LONGEST_LINE = 1000
"""Characters of a line that counts."""


STRING = r"""(?P<quote>["'`])(?:\\.|(?!(?P=quote))[^\\\n])*+(?P=quote)?"""
"""A string in one line, closed or not."""
COMMENT = (r"/\*", r"(?:(?!\*/).)*+", r"\*/")
"""One of several lines, in many languages."""


@frozen
class Marks:
    """Where a word is no use of a name: regular expressions."""

    words: str
    "In one line, such as strings, and a comment up to its end."
    long: tuple[tuple[str, str, str], ...]
    "In several lines: how it begins, goes on, and ends."


def after_dot(
    cursor: Cursor, dotted: re.Pattern[str], meaning: Callable[[str, str, str], str], marks: Marks
) -> Wanted | None:
    """Return the module after whose name and a dot a cursor is.

    Args:
        cursor: the place.
        dotted: matches a name and a dot at the end of a line.
        meaning: which module a name can only mean in the lines above and below; empty: that is not certain.
        marks: those of the language.
    """
    found = dotted.search(cursor.before)
    if found is None:
        return None
    receiver = found[1]
    module = meaning(receiver, cursor.above, cursor.below)
    if not module or not is_only(receiver.partition(".")[0], cursor.before + cursor.after, marks):
        return None
    return Wanted(module, _used(receiver, cursor.others, marks), is_attribute=True)


@lru_cache(KEPT)
def _used(receiver: str, text: str, marks: Marks) -> tuple[str, ...]:
    """Return the names that a text has after a module and a dot."""
    found = re.findall(rf"(?<![\w.]){re.escape(receiver)}\.(\w+)", _in_lines(marks).sub(" ", text))
    return tuple(sorted(set(found)))


def is_only(name: str, text: str, marks: Marks) -> bool:
    """Whether every use of a name in a text goes on as a module's does: else it may mean something else.

    Words in comments and strings are no uses, except in those of several lines if one of them has no end.
    """
    # Three dots before a name, or after one, are no part of a dotted name.
    use = rf"(?:(?<![\w.\"'`/-])|(?<=\.\.\.)){re.escape(name)}\b(?!\s*\.(?!\.))"
    if name not in text:
        return True
    code = code_of(text, marks)
    return re.search(use, _in_lines(marks).sub(" ", text) if code is None else code) is None


def code_of(text: str, marks: Marks) -> str | None:
    """Return a text without comments and strings; None: one of several lines has no end."""
    is_open = False

    def instead(found: re.Match[str]) -> str:
        nonlocal is_open
        is_open |= (found.lastgroup or "").startswith("open")
        return " "

    code = _in_text(marks).sub(instead, text)
    return None if is_open else code


@cache
def _in_lines(marks: Marks) -> re.Pattern[str]:
    return re.compile(marks.words, re.MULTILINE)


@cache
def _in_text(marks: Marks) -> re.Pattern[str]:
    # What has no end is matched, so that it is not tried again at each mark in it.
    long = (
        f"{begin}{goes_on}(?:{end}|(?P<open{number}>\\Z))"
        for number, (begin, goes_on, end) in enumerate(marks.long)
    )
    return re.compile("|".join((*long, marks.words)), re.DOTALL | re.MULTILINE)
