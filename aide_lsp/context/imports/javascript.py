"""Imports of JavaScript and TypeScript, also in the scripts of Vue and Svelte components."""

import posixpath
import re
from collections.abc import Iterator
from itertools import chain

from aide_lsp.context.imports import node_packages
from aide_lsp.context.imports.statement import Import
from aide_lsp.context.imports.tree import ProjectTree

SUFFIXES = (
    ".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs", ".vue", ".svelte", ".astro", ".d.ts",
    ".d.mts", ".d.cts", ".json", ".css", ".scss", ".less",
)  # fmt: skip
"""What an import leaves out: sources before what is built from them."""
# A clause that is not finished yet hides no other: it may end at the next `from`.
_IMPORT = re.compile(
    r"""(?:\b(?:import|export)\b([^"'`;()=]{0,2000}?))?\bfrom\s*(["'])([^"'\n]+)\2"""
    r"""|\b(?:import|require|reference\s+path=)\s*\(?\s*(["'`])([^"'`\n$]+)\4"""
    r"""|(["'`])(\.{1,2}/[^"'`\n$]*|\.\.?)\6"""
)
_WORD = re.compile(r"[\w$]+|\*")
_KEYWORDS = frozenset(("type", "as", "import", "export", "typeof"))
_BUILT = re.compile(r"(?:\.d)?\.[cm]?[jt]sx?$")


def named(text: str) -> Iterator[Import]:
    """Yield what is imported, exported from elsewhere, or required, and whatever else is a relative path."""
    for match in _IMPORT.finditer(text):
        clause = match[1] or ""
        names = [name for name in _WORD.findall(clause) if name not in _KEYWORDS]
        if names and not clause.lstrip().startswith(("{", "*")):
            names.append("default")
        yield Import(match[3] or match[5] or match[7], tuple(names))


def files(one: Import, tree: ProjectTree) -> Iterator[str]:
    """Yield the modules that one import may mean."""
    # Bundlers write what to do with a file before or after its name.
    module = one.module.rpartition("!")[2].partition("?")[0]
    if module.startswith("."):
        path = tree.inside(tree.folder, module)
        paths = iter(()) if path is None else chain([path], node_packages.entry(path, "", tree))
    else:
        paths = node_packages.paths(module, tree)
    yield next(filter(None, (module_at(path, tree) for path in paths)), "")


def module_at(path: str, tree: ProjectTree) -> str:
    """Return the file that a path without ending may mean; empty if there is none."""
    stem, built = _BUILT.subn("", path)
    return tree.first(
        [
            # TypeScript imports by the name of what is built.
            *(stem + suffix for suffix in SUFFIXES[:4] if built and not path.endswith(".d.ts")),
            path,
            *(path + suffix for suffix in SUFFIXES),
            *(posixpath.join(path, "index" + suffix) for suffix in SUFFIXES),
            *([stem + ".d.ts"] if built else []),
        ]
    )
