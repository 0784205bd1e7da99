"""Names of modules of JavaScript and TypeScript: what they export."""

import re
from collections.abc import Iterator
from functools import lru_cache

from aide_lsp.context.imports import javascript as imports
from aide_lsp.context.imports.statement import Import
from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.names.module import KEPT, Cursor, FileNames, Wanted, after_dot, is_only
from aide_lsp.syntax.node import SyntaxNode

_BRACES = re.compile(r"(?:\A|\n)[ \t]*(?:import|export)\b[^{}'\"]*\{(?:[^{}'\"]*[\s,])?(?<!\bas[ \t])(\w*)\Z")
_FROM = re.compile(r"[^{}'\"]*\}\s*from\s*['\"]([^'\"]+)['\"]")
_DOTTED = re.compile(r"(?<![\w$.)\]}\"'`])([^\W\d]\w*)\.(\w*)\Z")
_WHOLE = re.compile(
    r"^import[ \t]+(?:type[ \t]+)?\*[ \t]+as[ \t]+(\w+)[ \t]+from[ \t]*['\"]([^'\"]+)['\"]", re.MULTILINE
)
_DECLARATORS = ("lexical_declaration", "variable_declaration")
_NO_NAMES = ("comment", "import_statement")
_NAMES = ("identifier", "type_identifier", "shorthand_property_identifier_pattern")


def wanted(cursor: Cursor) -> Wanted | None:
    """Return the module from which the cursor's line imports, or after whose name and a dot it is."""
    if (found := _BRACES.search(cursor.near_before)) and (module := _FROM.match(cursor.near_after)):
        return None if cursor.is_after_mark else Wanted(module[1], found[1])
    return after_dot(cursor, _DOTTED, _meaning, "//")


@lru_cache(KEPT)
def _meaning(receiver: str, text: str) -> str:
    """Return the module that a name in a text can only mean; empty: that is not certain."""
    modules = {module for name, module in _WHOLE.findall(text) if name == receiver}
    return modules.pop() if len(modules) == 1 and is_only(receiver, _WHOLE.sub("", text), "//") else ""


def files(module: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the file of a module, if it is named by its path."""
    if module.startswith("."):
        for path in imports.files(Import(module), tree):
            if path.endswith((".ts", ".tsx", ".mts", ".js", ".jsx", ".mjs")):
                yield path
            return


def names(root: SyntaxNode, path: str) -> FileNames:
    """Return what a module exports."""
    exports = [node for node in root.named_children if node.type == "export_statement"]
    # Without any, it may be one of CommonJS. `export =` exports an object.
    if root.has_error or not exports or any(child.type == "=" for node in exports for child in node.children):
        return FileNames(is_complete=False)
    # A declaration file may export all that it declares; what else an `export` may do, the grammar knows.
    if path.endswith(".d.ts") and len(exports) < sum(
        one.type not in _NO_NAMES for one in root.named_children
    ):
        return FileNames(is_complete=False)
    found, everything = set[str](), list[str]()
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
        if not is_default and declaration is not None:
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
    return FileNames(frozenset(found - {"default"}), passed_on=tuple(everything))


def _exported(node: SyntaxNode) -> SyntaxNode | None:
    return node.part("alias") or node.part("name")


def _declared(node: SyntaxNode) -> Iterator[str]:
    """Yield what a declaration declares."""
    if node.type == "ambient_declaration":
        for child in node.named_children:
            yield from _declared(child)
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
