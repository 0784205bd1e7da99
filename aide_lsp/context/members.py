"""Reads the members that a type has, if all of them are known."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from enum import Enum

from attrs import evolve, frozen

from aide_lsp.context.candidates import AllowedFiles
from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.known_names import OWN, KnownNames, NamesOf
from aide_lsp.context.module_names import (
    MOST_NAMES,
    MOST_SEARCHED,
    MOST_SEARCHED_CHARACTERS,
    FileReader,
    UnknownError,
    sorted_names,
)
from aide_lsp.context.types.document import FileTypesOf
from aide_lsp.context.types.facts import ASYNC, INSIDE, ITSELF, SEEN_IN, FileTypes, TypeFacts, seen
from aide_lsp.context.types.rules import TypeRules
from aide_lsp.context.types.table import rules_of

MOST_STEPS = 100
"""From one expression, type, or file to the next."""
_TEST = re.compile(r"(?:^|/)(?:tests?[/.]|test_|conftest\.)|_tests?\.\w+\Z")
_HELD = re.compile(rf"{ASYNC}(?:{ASYNC})*[^()]+\(\)")
_LAST_STEP = re.compile(r"(?:(.+)\.)?([^.()]+)(\(\))?", re.DOTALL)


def members_of(
    expression: str, own: FileTypes, document: str, language_id: str, allowed: AllowedFiles
) -> KnownNames | None:
    """Return the members of a value; None: there may be others.

    Args:
        expression: for the value: see `FileTypes.gives`.
        own: what the document says.
        document: its path in the project.
        language_id: of the document.
        allowed: the files of the project.
    """
    rules = rules_of(language_id)
    types = _Types(rules, allowed, ProjectTree(allowed, document), document, own)
    try:
        value = types.value(expression, document)
        if value is None or value.kind not in (_Kind.TYPE, _Kind.OBJECT):
            return None
        types.add(value)
        types.add_extensions(document, value)
        if value.kind is _Kind.TYPE:
            types.found[value.path].update(rules.of_every_class)
        names = types.names()
    except UnknownError:
        return None
    return names if names.files and sum(len(one.own) for one in names.files) <= MOST_NAMES else None


class _Kind(Enum):
    TYPE = "type"
    OBJECT = "object"
    MODULE = "module"
    ASYNC = "async"


@frozen
class _Value:
    """What an expression stands for."""

    kind: _Kind
    path: str
    "The file that says so."
    name: str
    "Of the type or module; of what is awaited, an expression."


class _UnknownBaseError(UnknownError):
    """A type that another is derived from is of a library."""


def _only(values: set[_Value | None]) -> _Value | None:
    """Return the only one of some values, if any.

    Raises:
        UnknownError: there are several.
    """
    if len(values) > 1:
        raise UnknownError
    return next(iter(values), None)


class _Types:
    """Types, and the files in which they were looked for."""

    def __init__(
        self, rules: TypeRules, allowed: AllowedFiles, tree: ProjectTree, document: str, own: FileTypes
    ) -> None:
        self._rules, self._reader, self._tree = rules, FileReader(allowed), tree
        self._document, self._steps = document, 0
        self._read: dict[str, FileTypes] = {document: own}
        self._searched = FileReader(allowed, MOST_SEARCHED, MOST_SEARCHED_CHARACTERS)
        self._added: set[tuple[str, str]] = set()
        self._extended_in: dict[str, frozenset[str]] = {}
        self._declared_in: dict[str, frozenset[str]] = {}
        self._extensions: set[str] = set()
        self.found: dict[str, set[str]] = defaultdict(set)
        self.used: set[str] = set()

    def value(self, expression: str, path: str) -> _Value | None:
        """Return what an expression of a file stands for; None: the file does not say.

        Raises:
            UnknownError: it says so, but that is not known.
        """
        self._step()
        if _HELD.fullmatch(expression):
            return _Value(_Kind.ASYNC, path, expression.removeprefix(ASYNC))
        step = _LAST_STEP.fullmatch(expression)
        if step is None:
            return None
        before, name, call = step[1], step[2], step[3] or ""
        if before is None:
            return self._named(name, call, path)
        owner = self.value(before, path)
        if owner is None:
            return None
        if owner.kind is _Kind.MODULE:
            return self._of_module(owner.name, name, call, owner.path)
        if owner.kind is _Kind.ASYNC:
            if name in self._rules.keeps:
                return owner
            return self.value(owner.name, owner.path) if name in self._rules.unwraps else None
        return self._member(owner, name, call)

    def _named(self, name: str, call: str, path: str) -> _Value | None:
        """Return what a name of a file is, or what calling it returns."""
        self._step()
        around, _, name = name.rpartition(SEEN_IN)
        if around and (found := self._seen_in(around, name, call, path)) is not None:
            return found
        for one in self._package(path, name):
            types = self._types(one)
            if (facts := types.types.get(name)) is not None and facts.is_declared:
                return _Value(_Kind.OBJECT if call else _Kind.TYPE, one, name)
            if name in types.gives or name + call in types.gives:
                return self._given(types, name, call, one)
        types = self._types(path)
        if name in types.imports:
            module, inner = types.imports[name]
            return self._of_module(module, inner, call, path)
        modules = {module.replace("*", name) for module in types.everything}
        return _only({self._of_module(module, name, call, path) for module in modules} - {None})

    def _seen_in(self, around: str, name: str, call: str, path: str) -> _Value | None:
        """Return what a name is in the code of a type, if it is a member of that or of one around it."""
        while around:
            try:
                found = self._member(_Value(_Kind.OBJECT, path, around), name, call)
            except _UnknownBaseError:
                if not name[0].isupper():
                    raise
                found = None  # a type of a library is not expected to have a type of that name inside
            if found is not None:
                return found
            around = around.rpartition(INSIDE)[0]
        return None

    def _given(self, types: FileTypes | TypeFacts, name: str, call: str, path: str) -> _Value | None:
        """Return what some name is, or what calling it returns: of a file, or of a type."""
        is_said = name + call in types.gives
        expression = types.gives[name + call if is_said else name]
        value = self.value(expression, path) if expression else None
        facts = self._types(value.path).types.get(value.name) if value is not None else None
        if call and facts is not None and facts.is_abstract and _TEST.search(self._document):
            raise UnknownError  # tests know which derived object they get, and look inside
        if is_said and value is not None:
            return value
        if is_said or value is None or value.kind is not _Kind.TYPE:
            raise UnknownError
        return _Value(_Kind.OBJECT, value.path, value.name)

    def _of_module(self, module: str, name: str, call: str, path: str) -> _Value | None:
        """Return what a name of a module is, or the module if there is no name."""
        tree = self._tree.seen_from(path)
        if not name:
            return None if call else _Value(_Kind.MODULE, path, module)
        for one in self._rules.files(module, tree):
            if found := self.value(name + call, one):
                return found
        inner = f"{module}{'' if module.endswith('.') else '.'}{name}"
        is_module = not call and any(self._rules.files(inner, tree))
        return _Value(_Kind.MODULE, path, inner) if is_module else None

    def _member(self, owner: _Value, name: str, call: str, itself: _Value | None = None) -> _Value | None:
        """Return what a member is, or what calling it returns; `itself`: the object, if of a derived type."""
        self._step()
        if any(name in self._types(one).given for one in (owner.path, self._document)):
            raise UnknownError  # it may be given another value
        inherited = set[_Value | None]()
        for one, facts in self._parts(owner):
            if itself is not None and facts.is_private(name) and not self._inherits_private(one):
                continue
            if name in facts.gives or name + call in facts.gives:
                if facts.gives.get(name + call) == ITSELF:
                    return itself or owner
                value = self._not_descriptor(self._given(facts, name, call, one))
                if call and value is not None and self._rules.overloads:
                    self._check_inherited(facts, one, value, name + call)
                return value
            if facts.declares(name) or not facts.is_complete:
                raise UnknownError
            for base in facts.bases:
                if (place := self._base(base, one)) is not None:
                    base_value = _Value(owner.kind, place.path, place.name)
                    inherited.add(self._member(base_value, name, call, itself or owner))
        return _only(inherited - {None})

    def _inherits_private(self, path: str) -> bool:
        return self._rules.inherits_private and self._rules.is_inside(self._document, path)

    def _check_inherited(self, facts: TypeFacts, path: str, value: _Value, name: str) -> None:
        """Raise `UnknownError` if what the bases of a type give is no base of what it gives itself."""
        for base in facts.bases:
            try:
                place = self._base(base, path)
                other = self._member(place, name.removesuffix("()"), "()") if place is not None else None
            except UnknownError:
                continue
            if other is not None and not self._is_derived(value, other):
                raise UnknownError

    def _is_derived(self, value: _Value, other: _Value) -> bool:
        """Whether a value's type is that of another one, or derived from it."""
        self._step()
        if value == other:
            return True
        found = [self._base(base, one) for one, facts in self._parts(value) for base in facts.bases]
        return any(
            self._is_derived(evolve(place, kind=value.kind), other) for place in found if place is not None
        )

    def _not_descriptor(self, value: _Value | None) -> _Value | None:
        if value is not None and value.kind is _Kind.OBJECT and self._rules.descriptor:
            self._member(value, self._rules.descriptor, "")  # raises where there is one
        return value

    def _base(self, base: str, path: str) -> _Value | None:
        """Return a type that another is derived from; None: its members are known, but no file says them."""
        place = self.value(base, path)
        if place is None and self._known(base, path) is None:
            raise _UnknownBaseError
        return place

    def add(self, value: _Value) -> None:
        """Add the members of a type.

        Raises:
            UnknownError: some of them are not known.
        """
        path, name, is_static = value.path, value.name, value.kind is _Kind.TYPE
        if (path, name) in self._added:
            return
        self._added.add((path, name))
        self.found[path].update(self._rules.of_every_type)
        for one in {path, self._document}:
            types = self._types(one)
            if types.gives_any:
                raise UnknownError
            self.found[one].update(types.given)
        for one, facts in self._parts(value):
            if not facts.is_complete:
                raise UnknownError
            self._show(facts.members, one, is_static)
            self.used.update(facts.used)
            for base in facts.bases:
                if (place := self._base(base, one)) is not None:
                    self.add(evolve(place, kind=value.kind))
                else:
                    self._show(self._known(base, one) or (), one, is_static)

    def _show(self, members: Iterable[str], path: str, is_static: bool) -> None:
        is_inside = self._rules.is_inside(self._document, path)
        if names := seen(members, is_static=is_static, is_inside=is_inside):
            self.found[path].update(names)

    def _parts(self, value: _Value) -> Iterator[tuple[str, TypeFacts]]:
        """Yield what files say of a type, and which."""
        path, name = value.path, value.name
        for one in self._package(path, name):
            if (facts := self._types(one).types.get(name)) is not None:
                yield one, facts
        for one in dict.fromkeys((path, *self._extending(path, name))):
            if (facts := self._types(one).types.get(f"impl {name}")) is not None:
                yield one, facts if one == path or self._is(value, one) else evolve(facts, gives={})

    def _extending(self, path: str, name: str) -> Iterator[str]:
        """Yield the files that may add members to a type of a file."""
        crate = self._rules.crate(path, self._tree)
        if crate is None:
            raise UnknownError
        for one in crate:
            is_far = not self._rules.is_inside(one, path) or _TEST.search(one)
            # In a file that is too large, other modules are taken to have no more than traits for the type.
            otherwise = frozenset[str]() if is_far and not _TEST.search(self._document) else None
            if one not in self._extended_in:
                self._extended_in[one] = self._searched.derived(one, self._rules.extended, otherwise)
            if one == self._document or name in self._extended_in[one]:
                yield one

    def _is(self, value: _Value, path: str) -> bool:
        """Whether a file means a type by its name."""
        try:
            return self._named(value.name, "", path) == evolve(value, kind=_Kind.TYPE)
        except UnknownError:
            return False

    def add_extensions(self, path: str, value: _Value) -> None:
        """Add the members that any type may have where the code of a file is, such as those of Rust's traits.

        Raises:
            UnknownError: some of them are not known.
        """
        types, is_static = self._types(path), value.kind is _Kind.TYPE
        if path in self._extensions:
            return
        self._extensions.add(path)
        for module, name in sorted(types.extensions):
            self._steps = 0
            files = list(self._rules.files(module, self._tree.seen_from(path)))
            known = self._rules.known(name, module)
            if name == "*" and files:
                for one in files:
                    self._show(self._types(one).given, one, is_static)
                    self.add_extensions(one, value)
            elif known is not None:
                self._show(known, path, is_static)
            elif name == "*":
                raise UnknownError
            else:
                self._extend(module, name, path, is_static)

    def _extend(self, module: str, name: str, path: str, is_static: bool) -> None:
        try:
            place = self._of_module(module, name, "", path)
        except UnknownError:
            place = None
        facts = self._types(place.path).types.get(f"trait {place.name}") if place is not None else None
        if place is not None and facts is not None:
            self._show(facts.members, place.path, is_static)
        elif place is None and name not in self._types(path).mentions:
            raise UnknownError

    def _known(self, base: str, path: str) -> frozenset[str] | None:
        """Return the members of a type of the standard library that a file names so."""
        types, mark = self._types(path), "@" * base.startswith("@")
        first, _, rest = base.removeprefix(mark).rpartition(SEEN_IN)[2].partition(".")
        module, inner = types.imports.get(first, ("", ""))
        if rest and inner:
            module = f"{module}.{inner}"
        name = rest or inner or first
        is_other = first in types.gives or (rest and not module and not self._rules.has_paths)
        return self._rules.known(mark + name, module) if name and not is_other else None

    def names(self) -> KnownNames:
        """Return all that was added; see `add`."""
        members = {name for names in self.found.values() for name in names}
        # A type without any is to get some, and code that uses others knows where they come from.
        if members <= self._rules.of_every_type | self._rules.of_every_class or not self.used <= members:
            raise UnknownError
        files = (
            NamesOf(OWN if path == self._document else path, sorted_names(names))
            for path, names in sorted(self.found.items())
            if names
        )
        return KnownNames(tuple(files))

    def _package(self, path: str, name: str) -> Iterator[str]:
        """Yield the files of the same package that may declare a name."""
        own = self._types(path).package
        for one in self._rules.package(path, self._tree):
            if self._may_declare(one, name) and self._types(one).package == own:
                yield one

    def _may_declare(self, path: str, name: str) -> bool:
        if path not in self._declared_in and path not in self._read:
            self._declared_in[path] = self._searched.derived(path, self._rules.declared)
        return path in self._read or name in self._declared_in[path]

    def _step(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise UnknownError
        self._reader.check_time()

    def _types(self, path: str) -> FileTypes:
        if path not in self._read:
            self._read[path] = self._reader.derived(path, FileTypesOf(path, self._rules))
        return self._read[path]
