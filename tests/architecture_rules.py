"""The rules that `test_architecture.py` applies: each takes modules and returns one line per violation.

`test_architecture_rules.py` breaks each rule in a small tree and reads the line. A line says where the
violation is, what the rule is, and what to do about it.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from tools.parsed_modules import Module, inner_imports, target_of

MOST_MODULES, MOST_LINES = 16, 400
NETWORK = frozenset(
    {
        "socket",
        "http",
        "urllib",
        "httpx",
        "httpx2",
        "httpcore2",
        "huggingface_hub",
        "requests",
        "aiohttp",
        "socketserver",
        "xmlrpc",
    }
)
SPECIAL_TOKEN = re.compile(
    r"<\|[^|]*\|>|<｜[^｜]*｜>|<fim_\w+>|<\[[^]]*\]>|▁<[A-Z]+>|\[(?:PREFIX|SUFFIX|MIDDLE)\]"
)


def relative_imports(modules: Iterable[Module]) -> list[str]:
    """Imports are written in full, so that a reader and `grep` find them."""
    return [
        f"{module.shown}:{one.line}: write the import in full, from the root package."
        for module in modules
        for one in module.imports
        if one.module.startswith(".")
    ]


# -- 1: who may import whom


def unlisted_packages(modules: Collection[Module], packages: Collection[str]) -> list[str]:
    """Every package is in the table, and the table has no others."""
    found = {module.package for module in modules} - {""}
    return [
        f"{name}: a package that PACKAGES does not list. Add it, with the packages that it may import."
        for name in sorted(found - set(packages))
    ] + [
        f"{name}: PACKAGES lists it, but there is no such package. Remove the entry."
        for name in sorted(set(packages) - found)
    ]


def forbidden_imports(
    modules: Collection[Module],
    packages: Mapping[str, Collection[str]],
    foundation: Collection[str],
    root: str = "aide_lsp",
) -> list[str]:
    """A package imports only what the table allows it to import."""
    found = []
    for module, one, target in inner_imports(modules, root):
        allowed = packages.get(module.package, ())
        package = target.package
        if package not in {"", module.package, *foundation, *allowed}:
            found.append(
                f"{module.shown}:{one.line}: `{module.package}` may not import `{package}`"
                f" (allowed: {', '.join(sorted(allowed)) or 'nothing'}). Move the code to where both may"
                " import it; if the new direction is right, add it to PACKAGES."
            )
    return found


def unused_permissions(
    modules: Collection[Module], packages: Mapping[str, Collection[str]], root: str = "aide_lsp"
) -> list[str]:
    """The table allows nothing that no module needs, so that it shows who imports whom."""
    used = {(module.package, target.package) for module, _, target in inner_imports(modules, root)}
    return [
        f"{package}: nothing in it imports `{allowed}` any more. Remove that from PACKAGES."
        for package in packages
        for allowed in sorted(packages[package])
        if (package, allowed) not in used
    ]


def forbidden_libraries(
    modules: Iterable[Module], libraries: Mapping[str, Collection[str]], foundation: Collection[str] = ()
) -> list[str]:
    """Some libraries are imported in few packages, so that the rest of Aide does not depend on them."""
    return [
        f"{module.shown}:{one.line}: only {', '.join(sorted(libraries[library]))} may import {library}."
        " Ask that package for what you need."
        for module in modules
        for one in module.imports
        if (library := one.module.partition(".")[0]) in libraries
        and module.package not in libraries[library]
        and module.name not in libraries[library]
    ]


# -- 2: cycles


def import_cycles(modules: Collection[Module], root: str = "aide_lsp") -> list[str]:
    """No module imports itself by way of others, be it late in a function or for types only."""
    graph: dict[str, set[str]] = defaultdict(set)
    for module, _, target in inner_imports(modules, root):
        if module.name != target.name:
            graph[module.name].add(target.name)
    return [
        f"{' <-> '.join(sorted(cycle))}: these modules import each other. Move what both need into a module"
        " that neither imports back, or pass it in as an argument."
        for cycle in _cycles(graph)
    ]


def _cycles(graph: Mapping[str, set[str]]) -> list[set[str]]:
    """Strongly connected components of more than one module (Tarjan 1972)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(graph.get(name, ())):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            component = set(stack[stack.index(name) :])
            del stack[stack.index(name) :]
            if len(component) > 1:
                found.append(component)

    for name in sorted(graph):
        if name not in index:
            visit(name)
    return found


# -- 3: sizes


def crowded_folders(modules: Iterable[Module], most: int = MOST_MODULES) -> list[str]:
    """A folder has few enough modules to be read at a glance."""
    folders: dict[str, int] = defaultdict(int)
    for module in modules:
        folders[module.shown.rpartition("/")[0]] += not module.is_package
    return [
        f"{folder}: {count} modules, more than {most}. Group those that belong together in a package."
        for folder, count in folders.items()
        if count > most
    ]


def long_modules(modules: Iterable[Module], most: int = MOST_LINES) -> list[str]:
    """Past 250 lines a module looks for its second noun; 400 is the end."""
    return [
        f"{module.shown}: {module.lines} lines, more than {most}. Move its second topic to another module."
        for module in modules
        if module.lines > most
    ]


def undocumented_modules(modules: Iterable[Module]) -> list[str]:
    """Every module says what it does."""
    return [
        f"{module.shown}: begin it with a docstring that says what the module does."
        for module in modules
        if not ast.get_docstring(module.tree)
    ]


# -- 4: names


def repeated_class_names(modules: Iterable[Module]) -> list[str]:
    """A public class has a name that no other has."""
    places: dict[str, list[str]] = defaultdict(list)
    for module in modules:
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(f"{module.shown}:{node.lineno}")
    return [
        f"{' and '.join(where)}: both define the class {name}. Name each after what it holds."
        for name, where in sorted(places.items())
        if len(where) > 1
    ]


# -- 5: the network


def network_outside(modules: Iterable[Module], allowed: Collection[str]) -> list[str]:
    """Only a few modules can reach a network; `urllib.parse` takes addresses apart and is free."""
    return [
        f"{module.shown}:{one.line}: imports {one.module}, and is not one of the modules that may use the"
        f" network ({', '.join(sorted(allowed))}). Use those; Aide sends nothing from anywhere else."
        for module in modules
        for one in module.imports
        if one.module.partition(".")[0] in NETWORK
        and f"{one.module}.{one.name}".rstrip(".") != "urllib.parse"
        and one.module != "urllib.parse"
        and module.name not in allowed
    ]


# -- 6: models and their tokens


def special_tokens_outside(modules: Iterable[Module], allowed: Collection[str]) -> list[str]:
    """Special tokens are in the table of formats and in model cards, nowhere else."""
    return [
        f"{module.shown}:{node.lineno}: the special token {match[0]}. Special tokens are only in"
        f" {', '.join(sorted(allowed))} and in model cards; look it up there."
        for module in modules
        if module.name not in allowed
        for node in _texts(module.tree)
        if (match := SPECIAL_TOKEN.search(node.value))
    ]


def model_names_outside(
    modules: Iterable[Module], families: Collection[str], allowed: Collection[str]
) -> list[str]:
    """No code is about one model: what a model needs is a field of its card."""
    names = "|".join(map(re.escape, sorted(families)))
    pattern = re.compile(rf"(?<![a-z])(?:{names})(?![a-z])", re.IGNORECASE)
    return [
        f"{module.shown}:{node.lineno}: names the model {match[0]!r}. Make what differs a field of the model"
        " card, so that the next model needs no code."
        for module in modules
        if module.name not in allowed
        for node in _texts(module.tree)
        if (match := pattern.search(node.value))
    ]


def _texts(tree: ast.Module) -> Iterator[ast.Constant]:
    """The strings that a module uses: constants, docstrings left out."""
    docstrings = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node


# -- 7: the repository


def paths_from_code(modules: Iterable[Module]) -> list[str]:
    """An installed package has no repository around it: data is in the package, and read as its resource."""
    return [
        f"{module.shown}:{node.lineno}: finds files by `__file__`. Put the data into the package, and read it"
        " with importlib.resources."
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Name) and node.id == "__file__"
    ]


# -- 10: re-exports


def re_exports(modules: Iterable[Module], defining: Collection[Module], root: str = "aide_lsp") -> list[str]:
    """A name is imported from the module that defines it, so that there is one place to look."""
    by_name = {module.name: module for module in defining}
    defined = {module.name: _defined(module.tree) for module in defining}
    found = []
    for module in modules:
        for one in module.imports:
            if one.name and one.alias == one.name:
                found.append(
                    f"{module.shown}:{one.line}: re-exports {one.name}. Import it where it is used, from"
                    f" {one.module}."
                )
            target = target_of(one, by_name, root) if one.name else None
            inner = one.module.partition(".")[2]
            if target is not None and target.name == inner and one.name not in defined[inner]:
                found.append(
                    f"{module.shown}:{one.line}: {one.module} does not define {one.name}. Import it from the"
                    " module that does."
                )
    return found


def _defined(tree: ast.Module) -> set[str]:
    """Names that a module defines itself, also under `if` and `try`."""
    names: set[str] = set()
    waiting: list[ast.stmt] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.If | ast.Try | ast.With | ast.For):
            targets = [getattr(node, "target", None), *getattr(node, "items", [])]
            names |= {name.id for one in targets if one for name in ast.walk(one) if _is_stored(name)}
            for part in ("body", "orelse", "finalbody"):
                waiting += getattr(node, part, [])
            waiting += [line for handler in getattr(node, "handlers", []) for line in handler.body]
        elif not isinstance(node, ast.Import | ast.ImportFrom):
            names |= {name.id for name in ast.walk(node) if _is_stored(name)}
    return names


def _is_stored(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)


# -- 11: the private names of libraries


def unknown_private_names(
    modules: Iterable[Module],
    library: str,
    listed: Collection[str],
    classes: Callable[[str, str], list[ast.ClassDef]],
) -> list[str]:
    """The private names that our classes share with a library's are listed, and the library has them.

    `classes` gives the library's class and its parents, by module and name.
    """
    found = []
    available: set[str] = set()
    for module, ours, theirs in _subclasses(modules, library, classes):
        where = f"{module.shown}:{ours.lineno}: {ours.name}"
        used, defined = _private_names(ours)
        known = set().union(*(_private_names(one)[1] for one in theirs))
        available |= known
        found += [
            f"{where} uses {name}, which it does not define. If it is a private name of {library}, list it."
            for name in sorted(used - defined - set(listed))
        ]
        found += [
            f"{where} defines {name}, a private name of {library}. List it if it replaces that; or rename it."
            for name in sorted(defined & known - set(listed))
        ]
    return found + [
        f"{library} no longer has {name}, on which Aide relies. Read this version's source, and adapt the"
        " class that uses the name, or pin the version before."
        for name in sorted(set(listed) - available)
    ]


def _subclasses(
    modules: Iterable[Module], library: str, classes: Callable[[str, str], list[ast.ClassDef]]
) -> Iterator[tuple[Module, ast.ClassDef, list[ast.ClassDef]]]:
    for module in modules:
        theirs = {
            one.alias or one.name: one for one in module.imports if one.module.partition(".")[0] == library
        }
        for node in module.tree.body:
            bases = [base.id for base in getattr(node, "bases", []) if isinstance(base, ast.Name)]
            for base in bases:
                if base in theirs and isinstance(node, ast.ClassDef):
                    yield module, node, classes(theirs[base].module, theirs[base].name)


def _private_names(owner: ast.ClassDef) -> tuple[set[str], set[str]]:
    """Private names of `self` that a class reads, and those that it defines."""
    used, defined = set(), set()
    for node in ast.walk(owner):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
            (defined if isinstance(node.ctx, ast.Store) else used).add(node.attr)
    for line in owner.body:
        if isinstance(line, ast.FunctionDef | ast.AsyncFunctionDef):
            defined.add(line.name)
        elif isinstance(line, ast.Assign | ast.AnnAssign):
            defined |= {name.id for name in ast.walk(line) if _is_stored(name)}
    return _private(used), _private(defined)


def _private(names: Iterable[str]) -> set[str]:
    return {name for name in names if name.startswith("_") and not name.startswith("__")}
