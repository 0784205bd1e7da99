"""Imports of Java, Kotlin, Scala, and Groovy: in all source folders of the module, and of its neighbors."""

import posixpath
import re
from collections.abc import Iterable, Iterator

from aide_lsp.context.imports.by_name import types_in
from aide_lsp.context.imports.statement import Import, stem
from aide_lsp.context.imports.tree import ProjectTree

SUFFIXES = (".java", ".kt", ".scala", ".groovy")
SOURCES = ("src/*/java", "src/*/kotlin", "src/*/scala", "src/*/groovy", "src/*", "src", "app/src/*/*")
"""Folders of a module in which packages begin."""
_PACKAGE = re.compile(r"^[ \t]*package[ \t]+([\w.]+)", re.MULTILINE)
_IMPORT = re.compile(
    r"^[ \t]*import[ \t]+(?:static[ \t]+)?([\w.`$]+)(\*)?(?:\{((?:[^{}\n]|\n(?![ \t]*import\b))*))?",
    re.MULTILINE,
)
_WORD = re.compile(r"(\w+)(?:\s*(?:=>|as)\s*\w+)?")


def named(text: str) -> Iterator[Import]:
    """Yield what a text imports, and its own package, which other source folders may have too."""
    types = types_in(text)
    for path, star, selected in _IMPORT.findall(text):
        module = path.replace("`", "").strip(".")
        if star or module.endswith("._"):
            module = module.removesuffix("._")
            yield Import(f"{module}.*", types)
        elif selected:
            yield from (Import(f"{module}.{name}") for name in _WORD.findall(selected))
        else:
            yield Import(module)
    for package in _PACKAGE.findall(text)[:1]:
        yield Import(f"{package}.=", types)


def files(one: Import, tree: ProjectTree) -> Iterator[str]:
    """Yield the file of a class, or else those of the package that may have the name."""
    module, _, last = one.module.rpartition(".")
    parts = module.split(".") if last in ("*", "=") else one.module.split(".")
    for roots in (near_roots(tree), far_roots(tree)):
        # A source folder of Kotlin may leave out what all its packages begin with.
        for begin in range(max(1, len(parts) - 1)):
            begins = parts[begin : len(parts) - 1] or [""]
            places = [
                posixpath.join(root, *parts[begin:])
                for root in roots
                if not begins[0] or begins[0] in tree.folders(root)
            ]
            found = [path for place in places for path in _classes(place, last, len(parts) - begin, tree)]
            if not found and not begin:
                found = [path for place in places for path in _members(place, last, one.names, tree)]
            if found:
                yield from found
                return


def _classes(path: str, last: str, parts: int, tree: ProjectTree) -> Iterator[str]:
    """Yield the file of a class: what follows its name is a class or a member in it."""
    for _ in range(min(parts, 3)):
        if file := tree.first(path + suffix for suffix in SUFFIXES):
            yield file
            return
        if last in ("*", "="):
            return
        path = posixpath.dirname(path)


def _members(path: str, last: str, names: tuple[str, ...], tree: ProjectTree) -> Iterator[str]:
    """Yield the files of a package, those with one of the names first; of the own package, no others."""
    folder = path if last in ("*", "=") else posixpath.dirname(path)
    members = [name for name in sorted(tree.files(folder)) if name.endswith(SUFFIXES)]
    first = [name for name in members if stem(name) in names]
    rest = [name for name in members if last != "=" and name not in first]
    yield from (posixpath.join(folder, name) for name in first + rest)


def near_roots(tree: ProjectTree) -> list[str]:
    """Return the folders in which packages may begin: those above, and the source folders in them."""
    found: list[str] = tree.once(
        ("roots", tree.folder), lambda: list(dict.fromkeys([*tree.above(), *_sources(tree.above(), tree)]))
    )
    return found


def far_roots(tree: ProjectTree) -> list[str]:
    """Return those of neighboring modules."""
    found: list[str] = tree.once(
        ("far roots", tree.folder), lambda: list(dict.fromkeys(_sources(tree.siblings(), tree)))
    )
    return found


def _sources(folders: Iterable[str], tree: ProjectTree) -> Iterator[str]:
    for folder in folders:
        for glob in SOURCES:
            yield from tree.like(folder, glob)
