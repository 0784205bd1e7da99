"""How a language writes types."""

from collections.abc import Callable, Collection, Iterable, Iterator
from posixpath import dirname

from attrs import frozen

from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.types.chunks import ChunkRules
from aide_lsp.context.types.facts import FileTypes
from aide_lsp.context.types.scopes import ScopeRules, Scopes


def _alone(path: str, tree: ProjectTree) -> Iterable[str]:
    return (path,)


@frozen(eq=False)
class TypeRules:
    """How a language writes types. Compared by identity, since it is part of many keys."""

    chunks: ChunkRules
    scopes: ScopeRules
    read: Callable[[Scopes], Iterator[FileTypes]]
    "What some code says, in parts."
    files: Callable[[str, ProjectTree], Iterable[str]]
    "The files that are a module, and nothing else; none if that is not certain."
    outline: Callable[[str], str] = lambda text: text
    "A text that says the same if it parses, and takes less time to."
    package: Callable[[str, ProjectTree], Iterable[str]] = _alone
    "The files whose names a file sees without importing them, and it itself."
    declared: Callable[[str], frozenset[str]] = lambda text: frozenset()
    "Names that the text of one of these may declare, or give members to: all of them, and others."
    known: Callable[[str, str], frozenset[str] | None] = lambda name, module: None
    "The members of a type of the standard library, by its name and the module that it is imported from."
    of_every_type: frozenset[str] = frozenset()
    of_every_class: frozenset[str] = frozenset()
    "What a class itself has besides."
    descriptor: str = ""
    "A member of objects that give another value where they are a member of a class."
    is_inside: Callable[[str, str], bool] = lambda document, path: dirname(document) == dirname(path)
    "Whether a document sees the private members in a file."
    inherits_private: bool = True
    "Whether derived types have them, too, where they are seen."
    has_paths: bool = False
    "Whether `::` comes after types, and `?` takes a value out of another, as `await` does."
    crate: Callable[[str, ProjectTree], Iterable[str] | None] = lambda path, tree: ()
    "The files that may add members to the types of a file; None: they are too many."
    extended: Callable[[str], frozenset[str]] = lambda text: frozenset()
    "The types to which the text of a file may add members: its types with `impl` before these names."
    unwraps: Collection[str] = ("await",)
    "Members of what is awaited, or of what else holds a value, that give the value."
    keeps: Collection[str] = ()
    "Those that give another that holds the same value."
    overloads: bool = False
    "Whether a type may have several methods of one name."
    is_open: Callable[[str, str], bool] = lambda name, before: False
    """Whether anything may come after a name, as what is before it in its line says: a member may be defined
    there, or the name may mean something else."""
