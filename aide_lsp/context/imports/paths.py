"""Rules for languages in which an import is a path, or files have the names of types."""

import posixpath
import re
from collections.abc import Callable, Iterator
from itertools import chain

from aide_lsp.context.imports.by_name import named_so, types_in
from aide_lsp.context.imports.statement import Import, ImportRules
from aide_lsp.context.imports.tree import ProjectTree

_TYPES = "*"
"""The import that stands for the types that a text uses."""


def by_path(
    pattern: str,
    suffixes: tuple[str, ...] = ("",),
    bases: tuple[str, ...] = ("",),
    separator: str = "/",
    spelled: Callable[[str], str] = str,
    shorter: int = 0,
) -> ImportRules:
    """Return the rules of a language in which an import is a path.

    Args:
        pattern: finds an import in a text; its first group that matches is the name.
        suffixes: what may follow the name in a path, likely ones first; with `_` in front, the file's name
            begins with `_`.
        bases: folders in which a path begins, in the document's folder and in each above it; with globs as in
            `ProjectTree.like`.
        separator: what is between the parts of a name.
        spelled: how a name is spelled in a path.
        shorter: how many parts at the end may name something in the file.
    """
    compiled = re.compile(pattern, re.MULTILINE)

    def named(text: str) -> Iterator[Import]:
        for match in compiled.finditer(text):
            yield Import(next(filter(None, match.groups()), ""))

    def files(one: Import, tree: ProjectTree) -> Iterator[str]:
        parts = spelled(one.module.replace(separator, "/")).split("/")
        for end in range(len(parts), max(0, len(parts) - shorter - 1), -1):
            if found := tree.first(_candidates("/".join(parts[:end]), suffixes, bases, tree)):
                yield found
                return

    return ImportRules(named, files)


def by_type(
    suffixes: tuple[str, ...],
    projects: tuple[str, ...],
    folders: tuple[str, ...] = ("",),
    spelled: Callable[[str], str] = str,
) -> ImportRules:
    """Return the rules of a language in which files have the names of types, and types need no import.

    Args:
        suffixes: of the files.
        projects: globs of files that mark the folder of a project.
        folders: those of a project that are searched.
        spelled: how a type's name is spelled in the name of a file.
    """

    def named(text: str) -> Iterator[Import]:
        yield Import(_TYPES, types_in(text))

    def files(one: Import, tree: ProjectTree) -> Iterator[str]:
        project = posixpath.dirname(tree.nearest(*projects))
        near = posixpath.dirname(tree.folder)
        for folder in dict.fromkeys(
            [near, *(posixpath.join(project, inner).rstrip("/") for inner in folders)]
        ):
            yield from named_so(one.names, folder, suffixes, tree, spelled)

    return ImportRules(named, files)


def either(paths: ImportRules, types: ImportRules) -> ImportRules:
    """Return the rules of a language that has imports, and types that need none."""

    def files(one: Import, tree: ProjectTree) -> Iterator[str]:
        yield from (types if one.module == _TYPES else paths).files(one, tree)

    return ImportRules(lambda text: chain(paths.named(text), types.named(text)), files, paths.passes_on)


def _candidates(
    path: str, suffixes: tuple[str, ...], bases: tuple[str, ...], tree: ProjectTree
) -> Iterator[str]:
    for folder in tree.above():
        for base in bases:
            for start in tree.like(folder, base):
                if inside := tree.inside(start, path):
                    yield from (_with(inside, suffix) for suffix in suffixes)


def _with(path: str, suffix: str) -> str:
    folder, name = posixpath.split(path)
    return posixpath.join(folder, "_" + name + suffix[1:]) if suffix.startswith("_") else path + suffix
