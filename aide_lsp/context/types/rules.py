"""How a language writes types."""

from collections.abc import Callable, Iterable, Iterator

from attrs import frozen

from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.types.chunks import ChunkRules
from aide_lsp.context.types.facts import FileTypes
from aide_lsp.context.types.scopes import ScopeRules, Scopes


def _alone(path: str, tree: ProjectTree) -> Iterable[str]:
    return (path,)


@frozen
class TypeRules:
    """How a language writes types."""

    chunks: ChunkRules
    scopes: ScopeRules
    read: Callable[[Scopes], Iterator[FileTypes]]
    "What some code says, in parts."
    files: Callable[[str, ProjectTree], Iterable[str]]
    "The files that are a module, and nothing else; none if that is not certain."
    package: Callable[[str, ProjectTree], Iterable[str]] = _alone
    "The files whose names a file sees without importing them, and it itself."
    known: Callable[[str, str], frozenset[str] | None] = lambda name, module: None
    "The members of a type of the standard library, by its name and the module that it is imported from."
    of_every_type: frozenset[str] = frozenset()
    of_every_class: frozenset[str] = frozenset()
    "What a class itself has besides."
    descriptor: str = ""
    "A member of objects that give another value where they are a member of a class."
    is_seen: Callable[[str], bool] = lambda name: True
    "Whether another package sees a member."
    is_open: Callable[[str, str], bool] = lambda name, before: False
    """Whether anything may come after a name, as what is before it in its line says: a member may be defined
    there, or the name may mean something else."""
