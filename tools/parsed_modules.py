"""The Python modules of a folder, parsed, with what each imports."""

import ast
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from attrs import field, frozen


@frozen
class Import:
    """One name that a module imports; `name` is empty for `import module`."""

    line: int
    module: str
    name: str
    alias: str | None


@frozen
class Module:
    """One module, parsed."""

    name: str
    """Dotted, without the root: `lsp.rpc.inbox`; for `__init__.py`, the package's name."""
    shown: str
    """Path from the folder that holds the root package."""
    is_package: bool
    lines: int
    tree: ast.Module = field(repr=False)
    imports: tuple[Import, ...] = field(repr=False)

    @property
    def package(self) -> str:
        """The package it belongs to; for a top-level module, its own name."""
        return self.name if self.is_package else self.name.rpartition(".")[0] or self.name


def read_modules(root: Path) -> list[Module]:
    """Parse every module under a folder; names are relative to it."""
    return [_read_module(root, path) for path in sorted(root.rglob("*.py"))]


def _read_module(root: Path, path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    parts = path.relative_to(root).with_suffix("").parts
    is_package = parts[-1] == "__init__"
    return Module(
        name=".".join(parts[:-1] if is_package else parts),
        shown=path.relative_to(root.parent).as_posix(),
        is_package=is_package,
        lines=len(text.splitlines()),
        tree=tree,
        imports=tuple(_imports(tree)),
    )


def _imports(tree: ast.Module) -> Iterator[Import]:
    """Every import, also in functions and under TYPE_CHECKING."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(node.lineno, alias.name, "", alias.asname) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield from (Import(node.lineno, module, alias.name, alias.asname) for alias in node.names)


def inner_imports(
    modules: Collection[Module], root: str = "aide_lsp"
) -> Iterator[tuple[Module, Import, Module]]:
    """Every import of one of these modules by another: importer, import, imported."""
    by_name = {module.name: module for module in modules}
    for module in modules:
        for one in module.imports:
            if (target := target_of(one, by_name, root)) is not None:
                yield module, one, target


def target_of(one: Import, by_name: Mapping[str, Module], root: str) -> Module | None:
    """The module that an import is about; None: it is not one of these."""
    head, _, inner = one.module.partition(".")
    if head != root:
        return None
    # `from a.b import c` imports the module `a.b.c` or a name of `a.b`.
    return by_name.get(f"{inner}.{one.name}".strip(".")) or by_name.get(inner)
