"""Imports of Python: relative and absolute, with source folders, namespace packages, and neighbors."""

import re
from collections.abc import Iterator

from aide_lsp.context.imports.statement import Import
from aide_lsp.context.imports.tree import ProjectTree

SOURCES = ("", "src", "lib", "python")
"""Folders in which the packages of a project are."""
SUFFIXES = (".py", ".pyi", "/__init__.py", "/__init__.pyi")
# Up to the bracket that closes it, or to the next import if that is not written yet.
_BRACKETS = r"\((?:[^()#\n]+|#[^\n]*|\n(?![ \t]*(?:from|import)\b))*"
STATEMENT = re.compile(
    r"(?:^|[;:])[ \t]*(?:from[ \t]++(?=[\w.])(\.*+(?:\w[\w.]*)?)[ \t\\]*+(?:\n[ \t]*+)?c?import\b[ \t]*"
    rf"({_BRACKETS}|(?:[^\n\\]|\\\n)*)"
    r"|c?import[ \t]+([\w.]+(?:[ \t]+as[ \t]+\w+)?(?:[ \t]*,[ \t]*[\w.]+(?:[ \t]+as[ \t]+\w+)?)*))",
    re.MULTILINE,
)
COMMENT = re.compile(r"#[^\n]*")
_NAME = re.compile(r"(\w+|\*)(?:\s+as\s+\w+)?")
_MODULE = re.compile(r"([\w.]+)(?:[ \t]+as[ \t]+(\w+))?")
_ATTRIBUTE = re.compile(r"\b(\w+)\.(\w+)")


def named(text: str) -> Iterator[Import]:
    """Yield what a text imports; for `import module` with the attributes of it that are used."""
    attributes: dict[str, dict[str, None]] = {}
    for name, attribute in _ATTRIBUTE.findall(text):
        attributes.setdefault(name, {})[attribute] = None
    for match in STATEMENT.finditer(text):
        module, names, modules = match.groups()
        if module:
            yield Import(module, tuple(_NAME.findall(COMMENT.sub("", names))))
        for plain, alias in _MODULE.findall(modules or ""):
            yield Import(plain, tuple(attributes.get(alias or plain.rpartition(".")[2], ())))


def files(one: Import, tree: ProjectTree) -> Iterator[str]:
    """Yield the modules that one import may mean."""
    path = one.module.lstrip(".").replace(".", "/")
    if dots := len(one.module) - len(one.module.lstrip(".")):
        folder = tree.inside(tree.folder, "../" * (dots - 1) or ".")
        bases = [] if folder is None else [folder]
    else:
        bases = list(_roots(path.partition("/")[0], tree))
    for base in bases:
        yield from _modules(f"{base}/{path}".strip("/"), one.names, tree)


def _roots(package: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the folders from which a package can be imported, without the package itself."""
    # An absolute import does not begin inside a package, but scripts import their neighbors.
    above = [folder for folder in tree.above() if folder == tree.folder or not _is_package(folder, tree)]
    near = [base for folder in above for base in _with(folder, package, tree)]
    if near:
        yield from near
    else:
        yield from (base for folder in tree.siblings() for base in _with(folder, package, tree))


def _with(folder: str, package: str, tree: ProjectTree) -> Iterator[str]:
    for source in SOURCES:
        base = f"{folder}/{source}".strip("/")
        path = f"{base}/{package}".strip("/")
        if tree.is_folder(path) or tree.first(path + suffix for suffix in SUFFIXES[:2]):
            yield base


def _is_package(folder: str, tree: ProjectTree) -> bool:
    return "__init__.py" in tree.files(folder)


def _modules(path: str, names: tuple[str, ...], tree: ProjectTree) -> Iterator[str]:
    """Yield the module, and those of its names that are modules; else the module that holds its last part."""
    found = [_module(f"{path}/{name}".strip("/"), tree) for name in names]
    found.append(_module(path, tree))
    if not any(found) and "/" in path:
        found.append(_module(path.rpartition("/")[0], tree))
    yield from filter(None, found)


def _module(path: str, tree: ProjectTree) -> str:
    # The root may be a package itself.
    return tree.first((path + suffix).lstrip("/") for suffix in SUFFIXES)
