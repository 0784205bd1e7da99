"""What names and values are in Java, as expressions: see `FileTypes.gives`."""

import re

from aide_lsp.context.types.facts import INSIDE, SEEN_IN
from aide_lsp.context.types.scopes import Binding, Scopes, unknown
from aide_lsp.syntax.node import SyntaxNode

NAMES = frozenset(("identifier", "type_identifier"))
TYPES = frozenset((
    "class_declaration", "interface_declaration", "enum_declaration", "record_declaration",
    "annotation_type_declaration",
))  # fmt: skip
BODIES = frozenset(("class_body", "interface_body", "enum_body", "annotation_type_body"))
SCOPES = TYPES | BODIES | {
    "method_declaration", "constructor_declaration", "compact_constructor_declaration", "lambda_expression",
    "block", "constructor_body", "for_statement", "enhanced_for_statement", "try_with_resources_statement",
    "catch_clause", "switch_block", "switch_rule", "if_statement",
    "while_statement", "do_statement", "expression_statement", "return_statement", "ternary_expression",
}  # fmt: skip
ARRAY = "[]"
"""The type of all arrays."""
_PARAMETERS = frozenset(("formal_parameter", "catch_formal_parameter", "resource"))
_PATTERNS = frozenset(("type_pattern", "record_pattern_component"))
_TYPE_NAME = re.compile(r"\w+(?:\.\w+)*")


def binds(node: SyntaxNode, scopes: Scopes) -> Binding | None:
    """Return what a name binds at a place."""
    above = node.parent
    if above is None:
        return None
    scope, holder, is_name = scopes.scope_of(node), above.parent, above.part("name") == node
    if above.type == "variable_declarator" and is_name and holder is not None:
        if holder.type in ("field_declaration", "constant_declaration"):
            # What has a name of its own in a type with one is found as a member.
            return None if type_around(node) else Binding(scope, unknown)
        return Binding(scope, lambda: declared(holder, above, scopes), above.end)
    if above.type in _PARAMETERS and is_name:
        is_component = holder is not None and holder.parent is not None and holder.parent.type in TYPES
        return None if is_component else Binding(scope, lambda: declared(above, above, scopes), above.end)
    if above.type == "enhanced_for_statement" and is_name:
        return Binding(scope, lambda: object_of(above.part("type"), scopes), node.end)
    if above.type == "instanceof_expression" and is_name:
        return Binding(
            _seen_from(node, scope, scopes), lambda: object_of(above.part("right"), scopes), node.end
        )
    if above.type in _PATTERNS and node.type == "identifier":
        return Binding(
            _seen_from(node, scope, scopes), lambda: object_of(above.named_children[0], scopes), node.end
        )
    if (
        above.type == "inferred_parameters"
        or (above.type == "lambda_expression" and above.part("parameters") == node)
        or (above.type == "type_parameter" and above.named_children[0] == node)
    ):
        return Binding(scope, unknown)
    is_local = above.type in TYPES and is_name and above.parent is not None and not type_of(above)
    return Binding(scopes.scope_of(above), unknown) if is_local else None


def _seen_from(node: SyntaxNode, scope: SyntaxNode, scopes: Scopes) -> SyntaxNode:
    """Return the scope of a pattern's name: where a condition is negated, what follows sees it."""
    for one in node.ancestors():
        if one == scope:
            break
        if one.type == "unary_expression":
            return scopes.scope_of(scope)
    return scope


def declared(node: SyntaxNode, declarator: SyntaxNode, scopes: Scopes) -> str:
    """Return an expression for what a declaration gives to one of its names."""
    kind = node.part("type")
    if node.type == "spread_parameter" or declarator.part("dimensions") is not None:
        return f"{ARRAY}()"
    if kind is None:
        caught = [one for one in node.named_children if one.type == "catch_type"]
        types = caught[0].named_children if caught else ()
        return object_of(types[0], scopes) if len(types) == 1 else ""
    return scopes.value(declarator.part("value")) if kind.text == "var" else object_of(kind, scopes)


def object_of(node: SyntaxNode | None, scopes: Scopes) -> str:
    """Return an expression for an object of a type."""
    if node is None:
        return ""
    if node.type == "array_type":
        return f"{ARRAY}()"
    if node.type in ("generic_type", "annotated_type"):
        parts = node.named_children
        return object_of(parts[0 if node.type == "generic_type" else -1], scopes)
    name = node.text if node.type in ("type_identifier", "scoped_type_identifier") else ""
    if not _TYPE_NAME.fullmatch(name) or name == "var":
        return ""
    first, dot, rest = name.partition(".")
    meaning = scopes.meaning(first, node.start)
    return f"{meaning}{dot}{rest}()" if meaning else ""


def value(node: SyntaxNode, scopes: Scopes) -> str:
    """Return an expression for the value of a node."""
    if node.type in ("identifier", "this", "super"):
        return scopes.meaning(node.text, node.start)
    if node.type == "field_access":
        before, name = scopes.value(node.part("object")), node.part("field")
        return f"{before}.{name.text}" if before and name is not None else ""
    if node.type == "method_invocation" and (name := node.part("name")) is not None:
        if (owner := node.part("object")) is None:
            return scopes.meaning(f"{name.text}()", node.start)
        before = scopes.value(owner)
        return f"{before}.{name.text}()" if before else ""
    if node.type == "object_creation_expression":
        is_plain = node.children[0].type == "new" and node.children[-1].type == "argument_list"
        return object_of(node.part("type"), scopes) if is_plain else ""
    if node.type == "array_creation_expression":
        return f"{ARRAY}()"
    if node.type == "cast_expression":
        return object_of(node.part("type"), scopes) if len(node.named_children) == 2 else ""
    return scopes.value(node.named_children[0]) if node.type == "parenthesized_expression" else ""


def free(name: str, at: int, scopes: Scopes) -> str:
    """Return an expression for a name that code around a place does not bind: a member, or of the file."""
    is_direct = True
    node = scopes.root.smallest(at, at)
    for body in (node, *node.ancestors()):
        if body.type in BODIES:
            key = type_of(body.parent) if body.parent is not None else ""
            if key:
                if name in ("this", "super"):
                    return f"{key}()" + ".super" * (name == "super") if is_direct else ""
                # A class without a name may have inherited the method.
                return f"{key}{SEEN_IN}{name}" if is_direct or not name.endswith("()") else ""
            is_direct = False
    return name


def type_around(node: SyntaxNode) -> str:
    """Return the key of the type in whose body a node is; empty: it is no member of others."""
    body = next((one for one in node.ancestors() if one.type in BODIES), None)
    return type_of(body.parent) if body is not None and body.parent is not None else ""


def type_of(node: SyntaxNode) -> str:
    """Return the key of a declared type: the names of those around it, and its own; empty: it has none."""
    names = list[str]()
    above: SyntaxNode | None = node
    while above is not None and above.type in TYPES and (name := above.part("name")) is not None:
        names.append(name.text)
        body = above.parent
        if body is not None and body.type == "enum_body_declarations":
            body = body.parent
        if body is None or body.parent is None:
            return INSIDE.join(reversed(names))
        above = body.parent if body.type in BODIES else None
    return ""
