"""Names of PHP: classes by the prefixes of composer.json, and files that are required."""

import posixpath
import re
from collections.abc import Iterator

from aide_lsp.context.imports.statement import Import
from aide_lsp.context.imports.tree import ProjectTree

SOURCES = ("", "src", "app", "lib", "tests")
"""Folders in which classes are, whatever composer.json says."""
_NAME = re.compile(
    r"^[ \t]*use[ \t]+(?:function[ \t]+|const[ \t]+)?\\?([\w\\]+)(?:\{((?:[^{};\n]|\n(?![ \t]*use\b))*))?"
    r"|\b(?:require|include)(?:_once)?\b[^;'\"\n]{0,200}['\"]/?([^'\"\n]+)"
    r"|(?<![\w\\])\\?([A-Z]\w*(?:\\[A-Z]\w*)+)",
    re.MULTILINE,
)
_WORD = re.compile(r"([\w\\]+)(?:\s+as\s+\w+)?")


def named(text: str) -> Iterator[Import]:
    """Yield the classes that a text uses by their complete name, and the files that it requires."""
    for used, several, file, written in _NAME.findall(text):
        if several:
            yield from (Import(used + name) for name in _WORD.findall(several))
        else:
            yield Import(used or file or written)


def files(one: Import, tree: ProjectTree) -> Iterator[str]:
    """Yield the file of a class, or the one that is required."""
    if "\\" in one.module or "/" not in one.module:
        yield tree.first([*_mapped(one.module, tree), *_elsewhere(one.module.strip("\\").split("\\"), tree)])
    yield tree.first(path for folder in tree.above() if (path := tree.inside(folder, one.module)))


def _mapped(name: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the files that a class is in by the prefixes of the project."""
    manifest = tree.nearest("composer.json")
    content, folder = tree.json(manifest), posixpath.dirname(manifest)
    for key in ("autoload", "autoload-dev"):
        table = content.get(key)
        prefixes = table.get("psr-4") if isinstance(table, dict) else None
        for prefix, targets in prefixes.items() if isinstance(prefixes, dict) else ():
            if name.startswith(prefix):
                rest = name[len(prefix) :].replace("\\", "/")
                for target in targets if isinstance(targets, list) else [targets]:
                    base = tree.inside(folder, str(target))
                    if base is not None:
                        yield posixpath.join(base, rest) + ".php"


def _elsewhere(parts: list[str], tree: ProjectTree) -> Iterator[str]:
    for begin in range(len(parts)):
        path = "/".join(parts[begin:]) + ".php"
        yield from (posixpath.join(folder, base, path) for folder in tree.above() for base in SOURCES)
