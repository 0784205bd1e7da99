"""Names of Go's packages: what is exported at the top level of their files."""

import posixpath
import re
from collections.abc import Iterator
from functools import lru_cache

from aide_lsp.context.imports import go as imports
from aide_lsp.context.imports.statement import Import
from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.names.module import (
    COMMENT,
    KEPT,
    STRING,
    Cursor,
    FileNames,
    Marks,
    Wanted,
    after_dot,
    is_only,
)
from aide_lsp.syntax.node import SyntaxNode

_DOTTED = re.compile(r"(?<![\w.)\"'`])([^\W\d]\w*)\.\Z")
IMPORT = re.compile(r'^[ \t]*(?:import\b[ \t]*)?\(?(?:([\w.]+)[ \t]+)?["`]([^"`\s]+)["`]', re.MULTILINE)
VERSION = re.compile(r"/v\d+\Z")
# The package of the file, and keys, are none either.
_MARKS = Marks(
    rf"{STRING}|//[^\n]*|^package[ \t]+\w+|(?<![\w.])\w+[ \t]*:(?!=)", (("`", "[^`]*+", "`"), COMMENT)
)
_BODY = re.compile(r"^(func\b.*\{)\n(?:(?!\}).*\n)*+(?=\})", re.MULTILINE)
_DECLARATIONS = ("function_declaration", "type_declaration", "var_declaration", "const_declaration")
_SPECS = ("type_spec", "type_alias", "var_spec", "var_spec_list", "const_spec")


def wanted(cursor: Cursor) -> Wanted | None:
    """Return the package after whose name and a dot the cursor is."""
    return after_dot(cursor, _DOTTED, _meaning, _MARKS)


@lru_cache(KEPT)
def _meaning(receiver: str, above: str, below: str) -> str:
    """Return the package that a name can only mean; empty: that is not certain."""
    paths = {
        path
        for alias, path in IMPORT.findall(above + below)
        if receiver == (alias or VERSION.sub("", path).rpartition("/")[2])
    }
    parts = (IMPORT.sub("", one) for one in (above, below))
    return paths.pop() if len(paths) == 1 and all(is_only(receiver, one, _MARKS) for one in parts) else ""


def files(module: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the files of a package; for tests of it in a package of their own, its tests too."""
    paths = list(imports.files(Import(module), tree))
    yield from paths
    if tree.document.endswith("_test.go") and tree.folder in map(posixpath.dirname, paths):
        tests = (name for name in tree.files(tree.folder) if name.endswith("_test.go"))
        found = (posixpath.join(tree.folder, name) for name in tests)
        yield from (path for path in found if path != tree.document)


def outline(text: str) -> str:
    """Return a text without what is in its functions, where its lines are indented.

    Where that cuts in the middle of a string, the rest is code outside of functions: it does not parse.
    """
    return _BODY.sub(r"\1\n", text)


def names(root: SyntaxNode, path: str) -> FileNames:
    """Return what a file exports."""
    if root.has_error:
        return FileNames(is_complete=False)
    if any(node.type == "package_clause" and node.text.endswith("_test") for node in root.named_children):
        return FileNames()
    found = {
        name.text
        for node in root.named_children
        if node.type in _DECLARATIONS
        for one in _specs(node)
        for name in one.children
        if name.type in ("identifier", "type_identifier") and name.text[:1].isupper()
    }
    return FileNames(frozenset(found))


def _specs(node: SyntaxNode) -> Iterator[SyntaxNode]:
    """Yield a declaration, and what it declares in brackets: each has the names as its parts."""
    yield node
    for child in node.named_children:
        if child.type in _SPECS:
            yield from _specs(child)
