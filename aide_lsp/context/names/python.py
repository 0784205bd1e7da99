"""Names of Python's modules: what is defined or imported at the top level, and the modules of a package."""

import keyword
import posixpath
import re
import sys
from collections.abc import Iterator
from functools import lru_cache

from attrs import evolve

from aide_lsp.context.imports import python as imports
from aide_lsp.context.imports.statement import Import, stem
from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.names.module import KEPT, STRING, Cursor, FileNames, Marks, Wanted, after_dot, is_only
from aide_lsp.context.names.python_lazy import is_getattr, names_by_function
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
"""Meant only once they are begun."""
_FROM = re.compile(
    r"(?:\A|\n)[ \t]*from[ \t]+(\.*[\w.]*)[ \t]+import[ \t]*"
    r"(?:\((?:[^()]*[\s,])?|(?:[ \t]+\w+(?:[ \t]+as[ \t]+\w+)?[ \t]*,)*[ \t]+)(?<!\bas[ \t])\Z"
)
_FIRST = re.compile(r"\bimport[ \t]+\Z")
_DOTTED = re.compile(r"(?<![\w.)\]}\"'])([^\W\d]\w*(?:\.\w+)*)\.\Z")
_MARKS = Marks(
    rf"{STRING}|#[^\n]*",
    tuple((mark, rf"(?:\\.|(?!{mark}).)*+", mark) for mark in ('"{3}', "'{3}")),
)
PLAIN = re.compile(r"([\w.]+)(?:[ \t]+as[ \t]+(\w+))?")
NAME = re.compile(r"(\w+)(?:\s+as\s+(\w+))?")
GLOBAL = re.compile(
    r"(?:^|[;:])[ \t]*global[ \t]+(\w+(?:[ \t]*,(?:[ \t]|\\\r?\n)*+\w+)*)[ \t]*(?=[;#\r\n]|\Z)", re.MULTILINE
)
_ANYTHING = re.compile(
    r"\bglobal_enum\b|\bglobals\(\)|=[ \t]*globals\b|\bsys\.modules\[|\bmodules(?:\[|\.get\()__name__"
    r"|\bimport_module\(__name__"
)
_READS = re.compile(
    r"\bglobals\(\)(?:\.get\(|\[[^\]\n]*\](?![ \t]*(?:=(?!=)|[|+]=)))"
    r"|\b(?:in|set\(|sorted\()[ \t]*globals\(\)"
)
_ANYTHING_OUTSIDE = re.compile(r"\b(?:locals|vars)\(\)|(?<!\.)\bexec\(")
"""In a function, it concerns only that."""
_NAME_IN_LIST = re.compile(r"\w+")
_LISTED = re.compile(r"[\"'](\w+)[\"']")
_SCOPES = frozenset(("function_definition", "class_definition", "lambda"))
_DEFINITIONS = (*_SCOPES, "decorated_definition")
_BLOCKS = frozenset((
    "block", "if_statement", "elif_clause", "else_clause", "try_statement", "except_clause", "finally_clause",
    "except_group_clause", "for_statement", "while_statement", "with_statement", "match_statement",
    "case_clause", "decorated_definition", "expression_statement",
))  # fmt: skip
_IMPORTS = frozenset(("import_statement", "import_from_statement", "future_import_statement"))
_GIVES_OTHERS = ("__getattr__", "__path__")
_MODULES = (".py", ".pyi", ".pyx", ".so", ".pyd")


def wanted(cursor: Cursor) -> Wanted | None:
    """Return the module after whose name and a dot the cursor is, or from which it imports."""
    if found := _FROM.search(cursor.near_before):
        is_first = _FIRST.search(found[0]) is not None
        return Wanted(found[1], ("(", "*") if is_first else (), must_begin=cursor.is_after_mark)
    module = after_dot(cursor, _DOTTED, _meaning, _MARKS)
    return None if module is None else evolve(module, once_begun=OF_EVERY_MODULE)


@lru_cache(KEPT)
def _meaning(receiver: str, above: str, below: str) -> str:
    """Return the module that a dotted name can only mean; empty: that is not certain."""
    modules = set(_modules(receiver, above + below))
    first, parts = receiver.partition(".")[0], (imports.STATEMENT.sub("", one) for one in (above, below))
    return modules.pop() if len(modules) == 1 and all(is_only(first, one, _MARKS) for one in parts) else ""


def _modules(receiver: str, text: str) -> Iterator[str]:
    """Yield which modules a dotted name may mean, as the imports of a text say."""
    first, _, rest = receiver.partition(".")
    for module, names, plain in imports.STATEMENT.findall(text):
        for name, alias in NAME.findall(imports.COMMENT.sub("", names)) if module else ():
            if (alias or name) == first:
                yield _joined(module, name, rest)
        for name, alias in PLAIN.findall(plain):
            if alias == first:
                yield _joined(name, rest)
            elif not alias and name.partition(".")[0] == first:
                yield receiver


def _joined(module: str, *names: str) -> str:
    for name in filter(None, names):
        module += name if module.endswith(".") else f".{name}"
    return module


def files(module: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the file of a module, and its stub."""
    parts = list(filter(None, module.split(".")))
    for path in imports.files(Import(module), tree):
        whole = path.removesuffix(".pyi").removesuffix(".py").removesuffix("/__init__").split("/")
        if whole[-len(parts) :] == parts if parts else stem(path) == "__init__":
            if module.startswith(".") or _is_certain(parts, "/".join(whole[: -len(parts)]), tree):
                # A package comes before a module of its name.
                package = posixpath.join(*whole, "__init__.py")
                path = package if parts and tree.is_file(package) else path
                yield path
                yield from [path + "i"] if tree.is_file(path + "i") else ()
            return


def _is_certain(parts: list[str], folder: str, tree: ProjectTree) -> bool:
    """Whether an absolute import means what is in a folder."""
    if parts[0] in sys.stdlib_module_names:
        return False
    # Inside a package, it means another module than the neighbor.
    if "__init__.py" in tree.files(folder):
        return False
    # A neighboring project need not be installed here, but a package of that name says more than a module.
    above = (posixpath.join(one, source).rstrip("/") for one in tree.above() for source in imports.SOURCES)
    return len(parts) > 1 or folder in above


def around(module: str, tree: ProjectTree) -> Iterator[tuple[str, str]]:
    """Yield the packages around a module, with the name by which each has what is in it."""
    parts = list(filter(None, module.split(".")))
    for path in files(module, tree):
        folder = posixpath.dirname(path)
        if stem(path) == "__init__":
            folder = posixpath.dirname(folder)
        for name in reversed(parts if module.startswith(".") else parts[1:]):
            for stub in ("__init__.py", "__init__.pyi"):
                if tree.is_file(holder := posixpath.join(folder, stub)):
                    yield holder, name
            folder = posixpath.dirname(folder)


def inside(path: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the modules in a package, given its `__init__`."""
    if stem(path) == "__init__":
        folder = posixpath.dirname(path)
        found = [
            *(stem(name) for name in tree.files(folder) if name.endswith(_MODULES)),
            *tree.folders(folder),
        ]
        names = (name for name in found if name.isidentifier() and not keyword.iskeyword(name))
        yield from (name for name in names if name != "__init__")


def names(root: SyntaxNode, path: str) -> FileNames:
    """Return what a module defines."""
    by_function = names_by_function(root)
    if root.has_error or by_function is None or _may_have_any(root):
        return FileNames(is_complete=False)
    own, others = set(by_function.own), set(by_function.others)
    everything = list[str]()
    package = posixpath.dirname(path).split("/") if stem(path) == "__init__" else []
    for node in statements(root):
        if node.type not in _IMPORTS:
            own.update(() if is_getattr(node) else defined(node))
            others.update(_listed(node))
            continue
        module = node.part("module_name")
        origin = module.text.split(".") if module is not None else [" "]
        is_itself = bool(package) and (origin == ["", ""] or package[-len(origin) :] == origin)
        for name, source in imported(node):
            (others if is_itself and name == source else own).add(name)
        if module is not None and any(child.type == "wildcard_import" for child in node.children):
            everything.append(module.text)
    own.update(name for listed in GLOBAL.findall(root.text) for name in _NAME_IN_LIST.findall(listed))
    return FileNames(
        frozenset(own), frozenset(others), tuple(everything), is_complete=own.isdisjoint(_GIVES_OTHERS)
    )


def _may_have_any(root: SyntaxNode) -> bool:
    """Whether a module may have names that nothing in it defines."""
    outside = (node.text for node in root.named_children if node.type not in _DEFINITIONS)
    return any(map(_ANYTHING_OUTSIDE.search, outside)) or any(
        _ANYTHING.search(_READS.sub("", node.text)) for node in root.named_children if not is_getattr(node)
    )


def statements(root: SyntaxNode) -> Iterator[SyntaxNode]:
    """Yield the statements at the top level, also those in a block that is no function or class."""
    left, has_walrus = [root], ":=" in root.text
    while left:
        for node in left.pop().named_children:
            yield node
            if node.type in _BLOCKS or (has_walrus and node.type not in _SCOPES):
                left.append(node)


def defined(node: SyntaxNode) -> Iterator[str]:
    """Yield the names that a statement defines."""
    if node.type in ("function_definition", "class_definition", "named_expression"):
        targets = [node.part("name")]
    elif node.type in ("assignment", "augmented_assignment", "for_statement", "type_alias_statement"):
        targets = [node.part("left")]
        right = node.part("right")
        while right is not None and right.type == "assignment":
            targets.append(right.part("left"))
            right = right.part("right")
    elif node.type == "with_statement":
        targets = [node.named_children[0] if node.named_children else None]
    elif node.type == "case_clause":
        targets = [child for child in node.named_children if child.type == "case_pattern"]
    else:
        return
    waiting = [target for target in targets if target is not None]
    while waiting:
        target = waiting.pop()
        if target.type == "identifier":
            yield target.text
        elif target.type not in ("attribute", "subscript", "call"):
            waiting.extend(target.named_children)


def _listed(node: SyntaxNode) -> Iterator[str]:
    """Yield what a statement adds to `__all__`."""
    target = node.part("left") or node.part("function")
    if target is not None and target.text.partition(".")[0] == "__all__":
        yield from _LISTED.findall(node.text)


def imported(node: SyntaxNode) -> Iterator[tuple[str, str]]:
    """Yield what a statement imports: the name it gets, and what it is."""
    module = node.part("module_name")
    for child in node.named_children:
        if child.type == "aliased_import" and (alias := child.part("alias")) is not None:
            name = child.part("name")
            yield alias.text, name.text if name is not None else ""
        elif child.type == "dotted_name" and (module is None or child.start != module.start):
            yield child.text.partition(".")[0], child.text
