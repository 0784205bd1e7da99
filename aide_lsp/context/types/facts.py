"""What a file says of its types."""

from collections.abc import Iterable, Mapping

from attrs import evolve, field, frozen

ASYNC = "async "
"""Before an expression: what awaiting a value gives."""
ITSELF = "Self()"
"""An expression for the object whose member it is."""
SEEN_IN = "/"
"""Between a type and a name: a member that its code sees without a dot, or else what the file says."""
INSIDE = ":"
"""Between a type and one inside it."""
ADDS = "impl "
"""Before a type: what adds members to it from outside."""
PRIVATE, OF_OBJECTS, OF_TYPES = "-", ".", ":"
"""Before a member, in order: only code inside sees it; only objects have it; only the type itself has."""


def name_of(member: str) -> str:
    """Return the name of a member without its marks."""
    return member.lstrip(PRIVATE + OF_OBJECTS + OF_TYPES)


def seen(members: Iterable[str], *, is_static: bool, is_inside: bool) -> set[str]:
    """Return the names of members that are seen after a type, or else an object, from inside or elsewhere."""
    other = OF_OBJECTS if is_static else OF_TYPES
    named = ((member, name_of(member)) for member in members)
    marked = ((member.removesuffix(name), name) for member, name in named)
    return {name for marks, name in marked if other not in marks and (is_inside or PRIVATE not in marks)}


@frozen
class TypeFacts:
    """What one place says of a type."""

    members: frozenset[str] = frozenset()
    "With marks: see `PRIVATE`. One that has several declarations may be here several times."
    gives: Mapping[str, str] = field(factory=dict)
    "Expressions for some members: see `FileTypes.gives`."
    bases: tuple[str, ...] = ()
    "Expressions for types whose members it has, too; with `@` before it, what decorates it."
    used: frozenset[str] = frozenset()
    "Members that its own code uses. One that it does not have comes from elsewhere: then nothing is known."
    is_declared: bool = True
    "Whether the type is declared here; otherwise only members are."
    is_complete: bool = True
    "Whether it has no other members; otherwise they are not known."
    merges: bool = False
    "Whether another declaration adds to it; otherwise it is another type."
    is_abstract: bool = False
    "Whether objects are of derived types: code that knows which may use more of what it got as this."

    def declares(self, name: str) -> bool:
        """Whether it has a member of its own with a name."""
        return any(name_of(member) == name for member in self.members)

    def is_private(self, name: str) -> bool:
        """Whether only code inside sees it."""
        declared = [member for member in self.members if name_of(member) == name]
        return bool(declared) and all(member.startswith(PRIVATE) for member in declared)

    def with_more(self, other: "TypeFacts") -> "TypeFacts":
        """Return what two places say together."""
        if UNKNOWN_TYPE in (self, other):
            return UNKNOWN_TYPE
        if self.is_declared and other.is_declared and not (self.merges and other.merges):
            return self if self == other else UNKNOWN_TYPE
        return TypeFacts(
            self.members | other.members,
            both(self.gives, other.gives),
            tuple(dict.fromkeys((*self.bases, *other.bases))),
            self.used | other.used,
            self.is_declared or other.is_declared,
            self.is_complete and other.is_complete,
            self.merges or other.merges,
        )


UNKNOWN_TYPE = TypeFacts(is_complete=False)


@frozen
class FileTypes:
    """What one file says of types at its top level."""

    types: Mapping[str, TypeFacts] = field(factory=dict)
    gives: Mapping[str, str] = field(factory=dict)
    """Expressions for other names: what `name` is, or what calling it (`name()`) returns; empty: unknown.

    An expression is a name of the file, then `.name`, `()`, and `.await` in any order. A type stands for
    itself, and its call for an object of it, also in languages that write that otherwise. With `SEEN_IN` in
    front, the name is one in the code of a type."""
    imports: Mapping[str, tuple[str, str]] = field(factory=dict)
    "What a name is that is imported: a module, and a name in it; without one, the module."
    everything: tuple[str, ...] = ()
    "Modules all of whose names it has, too; `*`: the name, where each is in a module of its own."
    given: frozenset[str] = frozenset()
    "Members that it gives to objects or types from outside: any of them may have these."
    gives_any: bool = False
    "Whether it may give others to them: then nothing is known."
    package: str = ""
    "The name of the package, where all files of one see each other."
    extensions: frozenset[tuple[str, str]] = frozenset()
    "What it imports that may give all types members: a module, and a name in it; `*`: any of its names."
    mentions: frozenset[str] = frozenset()
    "Names that it uses otherwise: those are no such extensions."


def both(one: Mapping[str, str], other: Mapping[str, str]) -> dict[str, str]:
    """Return expressions of two places together; where they differ, nothing is known."""
    together = dict(one)
    add_to(together, other)
    return together


def add_to(expressions: dict[str, str], more: Mapping[str, str]) -> None:
    """Add expressions of another place to some; where they differ, nothing is known."""
    for key, value in more.items():
        expressions[key] = value if expressions.get(key, value) == value else ""


def merged(parts: Iterable[FileTypes]) -> FileTypes:
    """Return what the parts of a file say together."""
    types, gives, imports = dict[str, TypeFacts](), dict[str, str](), dict[str, tuple[str, str]]()
    everything, given, gives_any, package = list[str](), set[str](), False, ""
    extensions, mentions = set[tuple[str, str]](), set[str]()
    for part in parts:
        for name, facts in part.types.items():
            types[name] = types[name].with_more(facts) if name in types else facts
        for name, origin in part.imports.items():
            imports[name] = origin if imports.get(name, origin) == origin else ("", "")
        gives = both(gives, part.gives) if part.gives else gives
        everything += part.everything
        given |= part.given
        gives_any |= part.gives_any
        package = package or part.package
        extensions |= part.extensions
        mentions |= part.mentions
    for key in [one for one in types if one.startswith(ADDS)]:
        # What is added to another name of a type is added to the type.
        name = key.removeprefix(ADDS)
        inner = imports.get(name, ("", ""))[1]
        other = types[name].bases if name in types and not types[name].members else ()
        for one in sorted({ADDS + base.rpartition(".")[2] for base in (inner, *other)} - {key, ADDS}):
            more = evolve(types[key], gives={})
            types[one] = types[one].with_more(more) if one in types else more
    for name in [*types, *imports]:
        if (name in types) + (name in imports) + (name in gives) > 1 or imports.get(name) == ("", ""):
            # It means several things.
            imports.pop(name, None)
            types.pop(name, None)
            gives[name] = gives[f"{name}()"] = ""
    return FileTypes(
        types, gives, imports, tuple(everything), frozenset(given), gives_any, package,
        frozenset(extensions), frozenset(mentions),
    )  # fmt: skip
