"""Names of modules of JavaScript and TypeScript: what they export."""

import re
from collections.abc import Iterator
from functools import lru_cache

from aide_lsp.context.imports import javascript as imports
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

_BRACES = re.compile(r"(?:\A|\n)[ \t]*(?:import|export)\b[^{}'\"]*\{(?:[^{}'\"]*[\s,])?(?<!\bas[ \t])\Z")
_TYPE = re.compile(r"\btype\s*\{|\btype\s+\Z")
_FROM = re.compile(r"[^{}'\"]*\}\s*from\s*['\"]([^'\"]+)['\"]")
_DOTTED = re.compile(r"(?<![\w$.)\]}\"'`])([^\W\d]\w*)\.\Z")
_WHOLE = re.compile(
    r"^import[ \t]+(?:type[ \t]+)?\*[ \t]+as[ \t]+(\w+)[ \t]+from[ \t]*['\"]([^'\"]+)['\"]", re.MULTILINE
)
_MARKS = Marks(rf"{STRING}|//[^\n]*", (COMMENT,))
_TYPES = {"ts": "ts", "tsx": "ts", "mts": "mts", "js": "ts", "jsx": "ts", "mjs": "mts"}
"""Suffixes of modules, and of what declares their types."""
_DECLARATORS = ("lexical_declaration", "variable_declaration")
_AMBIENT = ("ambient_declaration", "interface_declaration", "type_alias_declaration")
_NO_NAMES = ("comment", "import_statement", "export_statement")
_NAMES = ("identifier", "type_identifier", "shorthand_property_identifier_pattern")


def wanted(cursor: Cursor, *, has_types: bool = False) -> Wanted | None:
    """Return the module from which the cursor's line imports, or after whose name and a dot it is.

    `has_types`: whether a name in an import may have `type` before it.
    """
    if (found := _BRACES.search(cursor.near_before)) and (module := _FROM.match(cursor.near_after)):
        used = ("type",) if has_types and not _TYPE.search(found[0]) else ()
        return Wanted(module[1], used, must_begin=cursor.is_after_mark)
    return after_dot(cursor, _DOTTED, _meaning, _MARKS)


@lru_cache(KEPT)
def _meaning(receiver: str, above: str, below: str) -> str:
    """Return the module that a name can only mean; empty: that is not certain."""
    modules = {module for name, module in _WHOLE.findall(above + below) if name == receiver}
    parts = (_WHOLE.sub("", one) for one in (above, below))
    return modules.pop() if len(modules) == 1 and all(is_only(receiver, one, _MARKS) for one in parts) else ""


def files(module: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the file of a module, if it is named by its path, and that which declares its types."""
    if module.startswith("."):
        for path in imports.files(Import(module), tree):
            stem, _, suffix = path.rpartition(".")
            if suffix in _TYPES:
                yield path
                declared = f"{stem}.d.{_TYPES[suffix]}"
                yield from [declared] if tree.is_file(declared) else ()
            return


def names(root: SyntaxNode, path: str) -> FileNames:
    """Return what a module exports."""
    exports = [node for node in root.named_children if node.type == "export_statement"]
    # Without any, it may be one of CommonJS. `export =` exports an object.
    if root.has_error or not exports or any(child.type == "=" for node in exports for child in node.children):
        return FileNames(is_complete=False)
    found, everything = set[str](), list[str]()
    # A declaration file may export all that it declares.
    for node in root.named_children if path.endswith((".d.ts", ".d.mts")) else ():
        if node.type in _AMBIENT:
            found.update(_declared(node))
        elif node.type not in _NO_NAMES:
            return FileNames(is_complete=False)
    for node in exports:
        source = node.part("source")
        if source is not None and any(child.type == "*" for child in node.children):
            everything.append(source.text[1:-1])
        is_default = any(child.type == "default" for child in node.children)
        declaration = node.part("declaration")
        if not (is_default or declaration or source) and all(
            child.type != "export_clause" for child in node.named_children
        ):
            return FileNames(is_complete=False)
        if is_default:
            found.add("default")
        elif declaration is not None:
            found.update(_declared(declaration))
        for child in node.named_children:
            if child.type == "export_clause":
                found.update(
                    name.text
                    for one in child.named_children
                    if (name := _exported(one)) is not None and name.type != "string"
                )
            elif child.type == "namespace_export":
                found.update(one.text for one in child.named_children)
    return FileNames(frozenset(found), passed_on=tuple(everything))


def _exported(node: SyntaxNode) -> SyntaxNode | None:
    return node.part("alias") or node.part("name")


def _declared(node: SyntaxNode) -> Iterator[str]:
    """Yield what a declaration declares."""
    if node.type == "ambient_declaration":
        for child in node.named_children:
            yield from _declared(child) if child.type != node.type else ()
        return
    waiting = (
        [one.part("name") for one in node.named_children]
        if node.type in _DECLARATORS
        else [*node.named_children[:1]]
        if node.type == "import_alias"
        else [node.part("name")]
    )
    while waiting:
        name = waiting.pop()
        if name is not None and name.type in _NAMES:
            yield name.text
        elif name is not None:
            waiting.extend(name.named_children)
