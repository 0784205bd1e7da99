"""Includes of C, C++, and Objective-C, the header of a source, and the source of a header."""

import posixpath
import re
from collections.abc import Iterator

from aide_lsp.context.imports.by_name import named_so
from aide_lsp.context.imports.statement import Import, stem
from aide_lsp.context.imports.tree import ProjectTree

HEADERS = (".h", ".hpp", ".hh", ".hxx", ".inl", ".ipp", ".cuh")
SOURCES = (".c", ".cc", ".cpp", ".cxx", ".m", ".mm", ".cu")
FOLDERS = ("include", "inc", "src", "source", "lib", "headers", "public", "private", "")
"""Folders of a project that compilers are told to search, and in which the other half of a file is."""
_INCLUDE = re.compile(r'^[ \t]*#[ \t]*(?:include|import|include_next)\b[ \t]*(["<][^">\n]+)', re.MULTILINE)
_OTHER_HALF = Import("=")


def named(text: str) -> Iterator[Import]:
    """Yield what a text includes, with the mark in front of it, and the other half of the text's file."""
    yield _OTHER_HALF
    yield from map(Import, _INCLUDE.findall(text))


def files(one: Import, tree: ProjectTree) -> Iterator[str]:
    """Yield the file that is included."""
    mark, path = one.module[0], one.module[1:].strip()
    if one == _OTHER_HALF:
        yield _other_half(tree)
    elif near := tree.first(_near(path, tree)):
        yield near
    elif mark == '"':
        # The build may have the compiler search any folder. Headers of the system are in angle brackets.
        wanted = f"/{posixpath.normpath(path)}".replace("/../", "/")
        found = named_so([stem(path)], "", (posixpath.splitext(path)[1],), tree)
        yield next((one for one in found if f"/{one}".endswith(wanted)), "")


def _near(path: str, tree: ProjectTree) -> Iterator[str]:
    for folder in tree.above():
        for base in ("", *FOLDERS[:-1]):
            inside = tree.inside(posixpath.join(folder, base), path)
            if inside:
                yield inside
    if "/" in path:
        # A neighboring library, by its name.
        for folder in tree.siblings():
            yield from (posixpath.join(folder, base, path) for base in ("include", "src", ""))


def _other_half(tree: ProjectTree) -> str:
    name, suffix = posixpath.splitext(posixpath.basename(tree.document))
    suffixes = SOURCES if suffix in HEADERS else HEADERS
    return tree.first(posixpath.join(folder, name + other) for folder in _mirrors(tree) for other in suffixes)


def _mirrors(tree: ProjectTree) -> Iterator[str]:
    """Yield where the other half may be: in `src/a` for `include/a` and for `include/project/a`."""
    for above in tree.above():
        yield above
        rest = tree.folder[len(above) :].strip("/").split("/")
        below = rest[1:] if rest[0] in FOLDERS else rest
        for base in FOLDERS:
            folder = posixpath.join(above, base)
            yield posixpath.join(folder, *below)
            yield posixpath.join(folder, *below[1:])
            yield from (posixpath.join(inner, *below) for inner in tree.like(folder, "*") if base)
