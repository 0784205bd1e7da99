"""What a file says of its types, and how a language says it."""

import re
from collections.abc import Callable, Iterable, Mapping

from attrs import field, frozen

from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.names.module import Cursor

CLASS = "class "
"""Before a type: the class itself rather than an object of it."""


@frozen
class Receiver:
    """A name before a dot whose type is certain: one of its members comes at the cursor."""

    type: str
    "As the document writes it; with `()` after it, what calling it returns; with `CLASS` before it, itself."
    begun: str
    "The beginning of the member that is left of the cursor."
    code: str = field(repr=False)
    "Of the document, without the cursor's line: see `code_of`."
    used: tuple[str, ...] = ()
    "Members that the document uses elsewhere: the type has them, or is to have them."

    @property
    def first_name(self) -> str:
        """The first part of the type's name: the type itself, or the module that it is in."""
        return self.type.removeprefix(CLASS).removesuffix("()").partition(".")[0]


@frozen
class TypeFacts:
    """What one file says of a type."""

    members: frozenset[str] = frozenset()
    bases: tuple[str, ...] = ()
    "Types whose members it has, too, as the file writes them."
    used: frozenset[str] = frozenset()
    "Members that its own code uses. One that it does not have comes from elsewhere: then nothing is known."
    is_declared: bool = True
    "Whether the type is declared here; otherwise only members are."
    is_complete: bool = True
    "Whether it has no other members; otherwise nothing is known."

    def with_more(self, other: "TypeFacts") -> "TypeFacts":
        """Return what two places say together."""
        return TypeFacts(
            self.members | other.members,
            tuple(dict.fromkeys((*self.bases, *other.bases))),
            self.used | other.used,
            self.is_declared or other.is_declared,
            self.is_complete and other.is_complete,
        )


@frozen
class FileTypes:
    """What one file says of types at its top level."""

    types: Mapping[str, TypeFacts] = field(factory=dict)
    imports: Mapping[str, tuple[str, str]] = field(factory=dict)
    "What a name is that is imported: a module, and a name in it; without one, the module."
    results: Mapping[str, str] = field(factory=dict)
    "The type that a function says it returns."
    everything: tuple[str, ...] = ()
    "Modules all of whose names it has, too."
    given: frozenset[str] = frozenset()
    "Members that it gives to objects or types from outside: any of them may have these."
    gives_any: bool = False
    "Whether it may give others to them: then nothing is known."
    package: str = ""
    "The name of the package, where all files of one see each other."


def _alone(path: str, tree: ProjectTree) -> Iterable[str]:
    return (path,)


@frozen
class TypeRules:
    """How a language writes types."""

    receiver: Callable[[Cursor], Receiver | None]
    "The name before the cursor and a dot, if its type is certain."
    marks: re.Pattern[str]
    "Its comments and strings: see `code_of`."
    read: Callable[[str], FileTypes]
    "What some code says."
    files: Callable[[str, ProjectTree], Iterable[str]]
    "The files that are a module, and nothing else; none if that is not certain."
    package: Callable[[str, ProjectTree], Iterable[str]] = _alone
    "The files whose names a file sees without importing them, and it itself."
    known: Callable[[str, str], frozenset[str] | None] = lambda name, module: None
    "The members of a type of the standard library, by its name and the module that it is imported from."
    of_every_type: frozenset[str] = frozenset()
    of_every_class: frozenset[str] = frozenset()
    "What a class itself has besides."
    is_seen: Callable[[str], bool] = lambda name: True
    "Whether another package sees a member."
