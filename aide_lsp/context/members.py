"""Reads the members that a type has, if all of them are known."""

import posixpath
from collections import defaultdict
from collections.abc import Iterator

from attrs import frozen

from aide_lsp.context.candidates import AllowedFiles
from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.known_names import OWN, KnownNames, NamesOf
from aide_lsp.context.module_names import (
    MOST_NAMES,
    FileReader,
    UnknownError,
    sorted_names,
)
from aide_lsp.context.types.code import code_of
from aide_lsp.context.types.facts import CLASS, FileTypes, TypeRules
from aide_lsp.context.types.table import rules_of

MOST_STEPS = 40
"""From one type or file to the next."""


def members_of(
    kind: str, own: FileTypes, document: str, language_id: str, allowed: AllowedFiles
) -> KnownNames | None:
    """Return the members of a type; None: there may be others.

    Args:
        kind: the type: see `Receiver`.
        own: what the document says.
        document: its path in the project.
        language_id: of the document.
        allowed: the files of the project.
    """
    rules = rules_of(language_id)
    types = _Types(rules, allowed, ProjectTree(allowed, document), document, own)
    try:
        place = types.find(kind.removeprefix(CLASS), document)
        if place is None:
            return None
        types.add(*place)
        if kind.startswith(CLASS):
            types.found[place[0]].update(rules.of_every_class)
        names = types.names(posixpath.dirname(document))
    except UnknownError:
        return None
    return names if names.files and sum(len(one.own) for one in names.files) <= MOST_NAMES else None


@frozen
class _Read:
    """Reads what a text says of types; equal ones do the same."""

    rules: TypeRules

    def __call__(self, text: str) -> FileTypes:
        code = code_of(text, self.rules.marks)
        return FileTypes() if code is None else self.rules.read(code)


class _Types:
    """Types, and the files in which they were looked for."""

    def __init__(
        self, rules: TypeRules, allowed: AllowedFiles, tree: ProjectTree, document: str, own: FileTypes
    ) -> None:
        self._rules, self._reader, self._tree = rules, FileReader(allowed), tree
        self._document = document
        self._read: dict[str, FileTypes] = {document: own}
        self._steps = 0
        self._added: set[tuple[str, str]] = set()
        self.found: dict[str, set[str]] = defaultdict(set)
        self.used: set[str] = set()

    def find(self, kind: str, path: str) -> tuple[str, str] | None:
        """Return the file and the name of the type that a file writes so; None: it is not known."""
        self._step()
        name = kind.removesuffix("()")
        is_call = name != kind
        first, _, rest = name.partition(".")
        if rest:
            module, inner = self._types(path).imports.get(first, ("", ""))
            if not module or "." in rest:
                return None
            module = f"{module}{'' if module.endswith('.') else '.'}{inner}" if inner else module
            return self._find_in(module, rest + "()" * is_call, path)
        for one in self._package(path):
            types = self._types(one)
            if (facts := types.types.get(name)) is not None and facts.is_declared:
                return one, name
            if is_call and name in types.results:
                return self.find(types.results[name], one)
        types = self._types(path)
        if name in types.imports:
            module, inner = types.imports[name]
            return self._find_in(module, inner + "()" * is_call, path) if inner else None
        for module in types.everything:
            if found := self._find_in(module, kind, path):
                return found
        return None

    def _find_in(self, module: str, kind: str, path: str) -> tuple[str, str] | None:
        for one in self._rules.files(module, self._tree.seen_from(path)):
            return self.find(kind, one)
        return None

    def add(self, path: str, name: str) -> None:
        """Add the members of a type.

        Raises:
            UnknownError: some of them are not known.
        """
        if (path, name) in self._added:
            return
        self._added.add((path, name))
        self.found[path].update(self._rules.of_every_type)
        for one in {path, self._document}:
            types = self._types(one)
            if types.gives_any:
                raise UnknownError
            self.found[one].update(types.given)
        for one in self._package(path):
            facts = self._types(one).types.get(name)
            if facts is None:
                continue
            if not facts.is_complete:
                raise UnknownError
            if facts.members:
                self.found[one].update(facts.members)
            self.used.update(facts.used)
            for base in facts.bases:
                self._add_base(base, one)

    def _add_base(self, base: str, path: str) -> None:
        place = self.find(base, path)
        if place is not None:
            self.add(*place)
            return
        first, _, rest = base.partition(".")
        module, inner = self._types(path).imports.get(first, ("", ""))
        name = (rest if not inner else "") if rest else inner or base
        known = self._rules.known(name, module) if not rest or module else None
        if known is None:
            raise UnknownError
        self.found[path].update(known)

    def names(self, folder: str) -> KnownNames:
        """Return all that was added; see `add`."""
        members = {name for names in self.found.values() for name in names}
        # A type without any is to get some, and code that uses others knows where they come from.
        if members <= self._rules.of_every_type | self._rules.of_every_class or not self.used <= members:
            raise UnknownError
        is_seen = self._rules.is_seen
        files = []
        for path in sorted(self.found):
            names = self.found[path]
            if posixpath.dirname(path) != folder:
                names = set(filter(is_seen, names))
            if names:
                files.append(NamesOf(OWN if path == self._document else path, sorted_names(names)))
        return KnownNames(tuple(files))

    def _package(self, path: str) -> Iterator[str]:
        """Yield the files that see the names of one: only those of the same package."""
        own = self._types(path).package
        for one in self._rules.package(path, self._tree.seen_from(path)):
            if self._types(one).package == own:
                yield one

    def _step(self) -> None:
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise UnknownError
        self._reader.check_time()

    def _types(self, path: str) -> FileTypes:
        if path not in self._read:
            self._read[path] = self._reader.derived(path, _Read(self._rules))
        return self._read[path]
