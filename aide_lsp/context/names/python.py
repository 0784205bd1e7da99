"""Names of Python's modules: what is defined or imported at the top level, and the modules of a package."""

import posixpath
import re
from collections.abc import Iterator
from functools import lru_cache

from aide_lsp.context.imports import python as imports
from aide_lsp.context.imports.statement import Import, stem
from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.names.module import KEPT, Cursor, FileNames, Wanted, after_dot, is_only
from aide_lsp.syntax.node import SyntaxNode

OF_EVERY_MODULE = (
    "__all__",
    "__dict__",
    "__doc__",
    "__file__",
    "__loader__",
    "__name__",
    "__path__",
    "__spec__",
)
_FROM = re.compile(
    r"(?:\A|\n)[ \t]*from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]*"
    r"(?:\((?:[^()]*[\s,])?|(?:[ \t]+\w+(?:[ \t]+as[ \t]+\w+)?[ \t]*,)*[ \t]+)(?<!\bas[ \t])(\w*)\Z"
)
_DOTTED = re.compile(r"(?<![\w.)\]}\"'])([^\W\d]\w*(?:\.\w+)*)\.(\w*)\Z")
_PLAIN = re.compile(r"([\w.]+)(?:[ \t]+as[ \t]+(\w+))?")
_NAME = re.compile(r"(\w+)(?:\s+as\s+(\w+))?")
_GLOBAL = re.compile(r"^[ \t]+global[ \t]+([\w, \t]+)", re.MULTILINE)
_ANYTHING = re.compile(r"\b__getattr__\b|\bglobals\(\)|\bsys\.modules\[|\bexec\(|\bsetattr\(")
_BLOCKS = frozenset((
    "block", "if_statement", "elif_clause", "else_clause", "try_statement", "except_clause", "finally_clause",
    "except_group_clause", "for_statement", "while_statement", "with_statement", "match_statement",
    "case_clause", "decorated_definition", "expression_statement",
))  # fmt: skip
_IMPORTS = frozenset(("import_statement", "import_from_statement", "future_import_statement"))
_MODULES = (".py", ".pyi", ".pyx", ".so", ".pyd")


def wanted(cursor: Cursor) -> Wanted | None:
    """Return the module after whose name and a dot the cursor is, or from which it imports."""
    if found := _FROM.search(cursor.near_before):
        return None if cursor.is_after_mark else Wanted(found[1], found[2])
    return after_dot(cursor, _DOTTED, _meaning, "#")


@lru_cache(KEPT)
def _meaning(receiver: str, text: str) -> str:
    """Return the module that a dotted name in a text can only mean; empty: that is not certain."""
    modules = set(_modules(receiver, text))
    first = receiver.partition(".")[0]
    return modules.pop() if len(modules) == 1 and is_only(first, imports.STATEMENT.sub("", text), "#") else ""


def _modules(receiver: str, text: str) -> Iterator[str]:
    """Yield which modules a dotted name may mean, as the imports of a text say."""
    first, _, rest = receiver.partition(".")
    for module, names, plain in imports.STATEMENT.findall(text):
        for name, alias in _NAME.findall(imports.COMMENT.sub("", names)) if module else ():
            if (alias or name) == first:
                yield _joined(module, name, rest)
        for name, alias in _PLAIN.findall(plain):
            if alias == first:
                yield _joined(name, rest)
            elif not alias and name.partition(".")[0] == first:
                yield receiver


def _joined(module: str, *names: str) -> str:
    for name in filter(None, names):
        module += name if module.endswith(".") else f".{name}"
    return module


def files(module: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the file of a module."""
    parts = list(filter(None, module.split(".")))
    for path in imports.files(Import(module), tree):
        whole = path.removesuffix(".pyi").removesuffix(".py").removesuffix("/__init__").split("/")
        if whole[-len(parts) :] == parts if parts else stem(path) == "__init__":
            # Inside a package, an absolute import means another module than the neighbor.
            if module.startswith(".") or "__init__.py" not in tree.files("/".join(whole[: -len(parts)])):
                yield path
            return


def inside(path: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the modules in a package, given its `__init__`."""
    if stem(path) == "__init__":
        folder = posixpath.dirname(path)
        yield from (stem(name) for name in tree.files(folder) if name.endswith(_MODULES))
        yield from tree.folders(folder)


def names(root: SyntaxNode, path: str) -> FileNames:
    """Return what a module defines."""
    if root.has_error or _ANYTHING.search(root.text):
        return FileNames(is_complete=False)
    own, imported, everything = set[str](), set(OF_EVERY_MODULE), list[str]()
    for node in _statements(root):
        if node.type not in _IMPORTS:
            own.update(_defined(node))
            continue
        module = node.part("module_name")
        # What a package imports of itself, it passes on.
        first = module.text.partition(".")[0] if module is not None else None
        passes_on = first is not None and stem(path) == "__init__" and first in ("", *path.split("/"))
        for name in _imported(node):
            (own if passes_on else imported).add(name)
        if module is not None and any(child.type == "wildcard_import" for child in node.children):
            everything.append(module.text)
    own.update(name.strip() for listed in _GLOBAL.findall(root.text) for name in listed.split(","))
    return FileNames(frozenset(own), frozenset(imported), tuple(everything))


def _statements(root: SyntaxNode) -> Iterator[SyntaxNode]:
    """Yield the statements at the top level, also those in a block that is no function or class."""
    left = [root]
    while left:
        for node in left.pop().named_children:
            yield node
            if node.type in _BLOCKS:
                left.append(node)


def _defined(node: SyntaxNode) -> Iterator[str]:
    if node.type in ("function_definition", "class_definition", "named_expression"):
        targets = [node.part("name")]
    elif node.type in ("assignment", "augmented_assignment", "for_statement", "type_alias_statement"):
        targets = [node.part("left")]
        right = node.part("right")
        if node.type == "assignment" and right is not None and right.type == "assignment":
            yield from _defined(right)
    elif node.type == "with_statement":
        targets = [node.named_children[0] if node.named_children else None]
    else:
        return
    waiting = [target for target in targets if target is not None]
    while waiting:
        target = waiting.pop()
        if target.type == "identifier":
            yield target.text
        elif target.type not in ("attribute", "subscript", "call"):
            waiting.extend(target.named_children)


def _imported(node: SyntaxNode) -> Iterator[str]:
    module = node.part("module_name")
    for child in node.named_children:
        if child.type == "aliased_import" and (alias := child.part("alias")) is not None:
            yield alias.text
        elif child.type == "dotted_name" and (module is None or child.start != module.start):
            yield child.text.partition(".")[0]
