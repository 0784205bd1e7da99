"""Imports of Go: all files of a package in the same module, workspace, or replacement."""

import posixpath
import re
from collections.abc import Iterator

from aide_lsp.context.imports.statement import Import, stem
from aide_lsp.context.imports.tree import ProjectTree

# In a block or not: a string that is alone in its line but for a name. In an unfinished block, too.
_IMPORT = re.compile(
    r'^[ \t]*(?:import\b[ \t]*)?\(?(?:[\w.]+[ \t]+)?["`]([^"`\s]+)["`][ \t)]*(?:(?:;|//).*)?$', re.MULTILINE
)
_MODULE = re.compile(r'^module[ \t]+"?([^\s"]+)', re.MULTILINE)
_REPLACE = re.compile(r"^[ \t]*(?:replace[ \t]+)?(\S+)(?:[ \t]+v\S+)?[ \t]+=>[ \t]+(\.\S*)", re.MULTILINE)
_USE = re.compile(r'^[ \t]*(?:use[ \t]+)?\(?[ \t]*"?(\.[^\s"]*)', re.MULTILINE)
SOURCES = ("src", "vendor")
"""Folders in which packages are by their complete path."""


def named(text: str) -> Iterator[Import]:
    """Yield the packages that a text imports."""
    yield from map(Import, _IMPORT.findall(text))


def files(one: Import, tree: ProjectTree) -> Iterator[str]:
    """Yield the files of a package, without its tests: that with its name first."""
    modules: list[tuple[str, str]] = tree.once(("modules",), lambda: list(_modules(tree)))
    for prefix, folder in modules:
        if one.module == prefix or one.module.startswith(f"{prefix}/".lstrip("/")):
            package = posixpath.join(folder, one.module[len(prefix) :].lstrip("/")).rstrip("/")
            names = [
                name for name in tree.files(package) if name.endswith(".go") and not name.endswith("_test.go")
            ]
            names.sort(key=lambda name: (stem(name) != posixpath.basename(package), name))
            yield from (posixpath.join(package, name) for name in names)


def _modules(tree: ProjectTree) -> Iterator[tuple[str, str]]:
    """Yield the path and the folder of each module that can be imported from here."""
    for folder in tree.above():
        yield from _module(folder, tree)
        for name in ("go.mod", "go.work"):
            text = tree.text(posixpath.join(folder, name))
            for module, path in _REPLACE.findall(text):
                if (local := tree.inside(folder, path)) is not None:
                    yield module, local
            for path in _USE.findall(text) if name == "go.work" else ():
                if (local := tree.inside(folder, path)) is not None:
                    yield from _module(local, tree)
        if posixpath.basename(folder) in SOURCES:
            yield "", folder


def _module(folder: str, tree: ProjectTree) -> Iterator[tuple[str, str]]:
    yield from ((path, folder) for path in _MODULE.findall(tree.text(posixpath.join(folder, "go.mod"))))
