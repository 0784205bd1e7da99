"""What a text names of other files, and how that is found in one language."""

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
    entries: frozenset[str] = frozenset()
    "Stems of files that pass on what others define, as `__init__`: those others are found too."
