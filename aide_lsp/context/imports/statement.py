"""What a text names of other files, and how that is found in one language."""

import posixpath
from collections.abc import Callable, Iterable

from attrs import frozen

from aide_lsp.context.imports.tree import ProjectTree


@frozen
class Import:
    """One file or module that a text names."""

    module: str
    "As the language writes it."
    names: tuple[str, ...] = ()
    "What is taken from it, or may be a file in it; `*`: everything."


@frozen
class ImportRules:
    """How a language names other files."""

    named: Callable[[str], Iterable[Import]]
    "What a text names, in its order."
    files: Callable[[Import, ProjectTree], Iterable[str]]
    "Files on the disk that one of them may mean, most likely first."
    passes_on: Callable[[str, ProjectTree], bool] = lambda path, tree: False
    "Whether a file is of those that pass on what others define, as `__init__.py`: the others are found too."


def entries(*stems: str) -> Callable[[str, ProjectTree], bool]:
    """Return the rule that files with such names pass on what others define."""
    return lambda path, tree: stem(path) in stems


def stem(path: str) -> str:
    """Return a file's name up to the first dot."""
    return posixpath.basename(path).partition(".")[0]
