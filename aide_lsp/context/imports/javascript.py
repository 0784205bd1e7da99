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
LONGEST_CLAUSE = 2000
"""Characters between `import` and `from`."""
_IMPORT = re.compile(
    r"""(?<!\.)\b(from|import|require|reference\s+path=)\s*+(?:\(\s*+)?(["'`])((?:[^"'`\n$]|\$(?!{))+)\2"""
    r"""|(["'`])(\.{1,2}/[^"'`\n$]*|\.\.?)\4"""
)
_CLAUSE = re.compile(r"\b(?:import|export)\b((?:(?!\b(?:import|export)\b).)*)\Z", re.DOTALL)
# What is not finished yet may be in front of it.
_CLAUSE = re.compile(r"(?:import|export)\b([\w\s{},*$]*)\Z")
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_WORD = re.compile(r"[\w$]+|\*")
_KEYWORDS = frozenset(("type", "as", "import", "export", "typeof"))
_BUILT = re.compile(r"(?:\.d)?\.[cm]?[jt]sx?$")


def named(text: str) -> Iterator[Import]:
    """Yield what is imported, exported from elsewhere, or required, and whatever else is a relative path."""
    end = 0
    for match in _IMPORT.finditer(text):
        before = text[max(end, match.start() - LONGEST_CLAUSE) : match.start()]
        yield Import(match[3] or match[5], _names(before) if match[1] == "from" else ())
        end = match.end()


def _names(before: str) -> tuple[str, ...]:
    """Return what is imported, from the text before `from`."""
    begin = max(before.rfind("import"), before.rfind("export"))
    match = _CLAUSE.match(_COMMENT.sub("", before[begin:])) if begin >= 0 else None
    clause = match[1] if match else ""
    names = tuple(name for name in _WORD.findall(clause) if name not in _KEYWORDS)
    return (*names, "default") if names and not clause.lstrip().startswith(("{", "*")) else names


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
