"""The table of packages on the architecture page: what each is for, and which others it imports.

Both are read from the code: the first sentence of its docstring, and its imports.
`tests/test_architecture.py` checks that the imports are allowed.
"""

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

from tools.parsed_modules import Module, inner_imports, read_modules

PACKAGE = Path(__file__).resolve().parents[2] / "aide_lsp"


@cache
def package_table() -> str:
    """Render every package and top-level module, those that import the most first."""
    modules = read_modules(PACKAGE)
    imports = imported_packages(modules)
    purposes = {module.name: _purpose(module) for module in modules if module.name in imports}
    order = sorted(imports, key=lambda name: (-len(_reachable(name, imports)), name))
    shared = _foundation(modules, imports)
    rows = ["| Package | | Imports, besides the foundation |", "|---|---|---|"]
    for name in order:
        if name not in shared:
            others = ", ".join(f"`{other}`" for other in order if other in imports[name] - shared)
            rows.append(f"| `{name}` | {purposes[name]} | {others} |")
    foundation = ", ".join(f"`{name}`" for name in sorted(shared))
    return "\n".join([*rows, "", f"The foundation, which every package may import: {foundation}."])


def _foundation(modules: list[Module], imports: dict[str, set[str]]) -> set[str]:
    """Top-level modules that import none but each other."""
    found = {module.name for module in modules if not module.is_package and "." not in module.name}
    # Again and again, because without one module others may no longer qualify.
    while outside := {name for name in found if imports[name] - found}:
        found -= outside
    return {name for name in found if not name.startswith("_")}


def imported_packages(modules: list[Module]) -> dict[str, set[str]]:
    """Package or top-level module -> the others that it imports."""
    found: dict[str, set[str]] = defaultdict(set)
    for module in modules:
        if module.package:
            found[module.package] |= set()
    for module, _, target in inner_imports(modules):
        if target.package not in ("", module.package):
            found[module.package].add(target.package)
    return found


def _reachable(name: str, imports: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        waiting += imports[new := waiting.pop()] - found
        found |= imports[new]
    return found


def _purpose(module: Module) -> str:
    text = " ".join((ast.get_docstring(module.tree) or "").split("\n\n")[0].split())
    return re.split(r"(?<=\.) (?=[A-Z])", text)[0]
