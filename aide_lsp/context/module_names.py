"""Reads the names that a module of the project has, if all of them are known."""

import time
from collections.abc import Callable, Collection, Iterator
from typing import TypeVar

from attrs import frozen

from aide_lsp.context.candidates import AllowedFiles
from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.known_names import KnownNames, NamesOf
from aide_lsp.context.names.module import FileNames, NameRules, Wanted, outline_of
from aide_lsp.context.names.table import LANGUAGES
from aide_lsp.syntax.languages import language_of
from aide_lsp.syntax.tree import root_of

_T = TypeVar("_T")
MOST_FILES, MOST_CHARACTERS = 200, 2_000_000
"""Of a module, with those whose names it passes on."""
MOST_SEARCHED, MOST_SEARCHED_CHARACTERS = 600, 12_000_000
"""Files that are searched for what they add to a module or type, and their characters."""
MOST_SECONDS = 3.0
"""Of the thread's own time, as for one parse: only files made for it take so long."""
MOST_NAMES = 4_000
LONGEST_NAME = 100


def known_names(wanted: Wanted, document: str, language_id: str, allowed: AllowedFiles) -> KnownNames | None:
    """Return the names of a module; None: there may be others.

    Args:
        wanted: the module; neither the name that is begun nor those that are used matter.
        document: path of the document in the project.
        language_id: of the document.
        allowed: the files of the project.
    """
    rules, tree = LANGUAGES[language_id], ProjectTree(allowed, document)
    module_files = _ModuleFiles(rules, allowed, document)
    try:
        module_files.add(wanted.module, tree)
        packages = _ModuleFiles(rules, allowed, document)
        for path, name in rules.around(wanted.module, tree) if wanted.is_attribute else ():
            packages.add_file(path, tree)
            if any(name in one.own for one in packages.found.values()):
                return None
        found = [module_files.names_of(path, tree) for path in sorted(module_files.found)]
    except UnknownError:
        return None
    names = KnownNames(tuple(one for one in found if one.own) or tuple(found[:1]))
    return names if sum(len(one.own) for one in names.files) <= MOST_NAMES else None


class UnknownError(Exception):
    """Not all names of a module or type are known."""


class FileReader:
    """Reads files of the project, within the limits for one place."""

    def __init__(
        self, allowed: AllowedFiles, most_files: int = MOST_FILES, most_characters: int = MOST_CHARACTERS
    ) -> None:
        """Take the files; the time counts from now."""
        self._allowed, self._most_files, self._most_characters = allowed, most_files, most_characters
        self._files, self._characters, self._end = 0, 0, time.thread_time() + MOST_SECONDS

    def derived(self, path: str, derive: Callable[[str], _T], otherwise: _T | None = None) -> _T:
        """Return what follows from the text of a file: see `Look.derived`.

        Raises:
            UnknownError: it must not or cannot be read, and there is no `otherwise`, or a limit is reached.
        """
        look = None if self._allowed.reason(path) else self._allowed.view.read(path)
        if otherwise is not None and (look is None or look.text is None):
            return otherwise
        if look is None or look.text is None or self._files >= self._most_files:
            raise UnknownError
        self._files += 1
        self._characters += len(look.text)
        if self._characters > self._most_characters:
            raise UnknownError
        self.check_time()
        return look.derived(derive)

    def check_time(self) -> None:
        """Raise `UnknownError` if it has taken too long."""
        if time.thread_time() > self._end:
            raise UnknownError


class _ModuleFiles:
    """The files of a module, and of those whose names it passes on."""

    def __init__(self, rules: NameRules, allowed: AllowedFiles, document: str) -> None:
        self._rules, self._reader, self._document = rules, FileReader(allowed), document
        self._searched = FileReader(allowed, MOST_SEARCHED, MOST_SEARCHED_CHARACTERS)
        self.found: dict[str, FileNames] = {}

    def add(self, module: str, tree: ProjectTree) -> None:
        """Add those of a module.

        Raises:
            UnknownError: some of its names are not known.
        """
        paths = list(self._rules.files(module, tree))
        if not paths:
            raise UnknownError
        for path in paths:
            # The document is being written: what its file has is not what it will have.
            if path == self._document:
                raise UnknownError
            self.add_file(path, tree)

    def add_file(self, path: str, tree: ProjectTree) -> None:
        """Add one file; see `add`."""
        if path not in self.found:
            names = self.found[path] = self._names(path)
            inside = names.passed_inside if self._rules.is_inside(self._document, path) else ()
            for other in (*names.passed_on, *inside):
                self.add(other, tree.seen_from(path))

    def names_of(self, path: str, tree: ProjectTree) -> NamesOf:
        """Return the names of a file that was added; see `add`."""
        names = self.found[path]
        private = names.private if self._rules.is_inside(self._document, path) else ()
        more = (*private, *self._rules.inside(path, tree), *self._given(path, tree))
        return NamesOf(path, sorted_names(names.own.union(names.others, more)))

    def _given(self, path: str, tree: ProjectTree) -> Iterator[str]:
        """Yield the names that other files give a module; those that are too large are taken to give none."""
        others = self._rules.beyond(path, tree)
        if others is None:
            raise UnknownError
        for one in others:
            yield from self._searched.derived(one, self._rules.given, frozenset[str]())

    def _names(self, path: str) -> FileNames:
        names = self._reader.derived(path, _Read(self._rules, path))
        if not names.is_complete:
            raise UnknownError
        return names


@frozen
class _Read:
    """Reads the names of a file; equal ones do the same."""

    rules: NameRules
    path: str

    def __call__(self, text: str) -> FileNames:
        grammar = language_of("", self.path).grammar
        root = outline_of(text, self.rules.outline, grammar) or root_of(text, grammar)
        return FileNames(is_complete=False) if root is None else self.rules.names(root, self.path)


def sorted_names(names: Collection[str]) -> tuple[str, ...]:
    """Return names sorted; see `UnknownError`."""
    # Others could not be compared with what the model generates, and so could never come.
    if not all(one.isascii() and 0 < len(one) <= LONGEST_NAME for one in names):
        raise UnknownError
    return tuple(sorted(names))
