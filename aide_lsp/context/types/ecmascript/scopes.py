"""What names and values are in TypeScript and JavaScript, as expressions: see `FileTypes.gives`."""

import re
from collections.abc import Iterator

from aide_lsp.context.types.facts import ASYNC, ITSELF
from aide_lsp.context.types.scopes import Binding, Guards, Scopes, unknown
from aide_lsp.syntax.node import SyntaxNode

CLASSES = frozenset(("class_declaration", "abstract_class_declaration", "class"))
OWN_THIS = frozenset((
    "function_declaration", "function_expression", "generator_function", "generator_function_declaration",
    "method_definition", "class_static_block", "field_definition", "public_field_definition",
))  # fmt: skip
PATTERNS = frozenset((
    "object_pattern", "array_pattern", "pair_pattern", "rest_pattern", "assignment_pattern",
    "object_assignment_pattern",
))  # fmt: skip
_LEFT = {
    "variable_declarator": "name", "for_in_statement": "left", "catch_clause": "parameter",
    "arrow_function": "parameter", "required_parameter": "pattern", "optional_parameter": "pattern",
}  # fmt: skip
"""What binds names, and the part of it that they are in."""
_TYPE_PARAMETERS = frozenset(("type_parameter", "infer_type", "mapped_type_clause"))
_DECLARATIONS = CLASSES | {
    "function_declaration", "generator_function_declaration", "function_expression", "enum_declaration",
    "interface_declaration", "type_alias_declaration", "internal_module", "module", "function_signature",
}  # fmt: skip
_GUARDS = Guards(
    re.compile(r"(?:.*\.)?(?:(?:is|has|check|ensure)[A-Z]\w*|assert\w*)"),
    frozenset(("parenthesized_expression", "unary_expression", "binary_expression")),
    frozenset(("if_statement", "while_statement", "ternary_expression")),
)
_SAME_MEMBERS = ("Readonly", "Partial", "Required")
_THROUGH = frozenset(("parenthesized_expression", "non_null_expression", "satisfies_expression"))


def binds(node: SyntaxNode, scopes: Scopes) -> Binding | None:
    """Return what a name binds at a place."""
    if node.type == "this":
        return None
    top, above = node, node.parent
    while above is not None and above.type in PATTERNS:
        if above.part("right") == top:
            return None  # the default of another
        top, above = above, above.parent
    if above is None:
        return None
    scope = scopes.scope_of(node)
    if above.type in _DECLARATIONS and above.part("name") == node:
        return Binding(scopes.scope_of(above), unknown)
    if above.type in _TYPE_PARAMETERS and above.part("value") != node and above.part("constraint") != node:
        return Binding(scope, unknown)
    if above.type == "formal_parameters":
        return Binding(scope, unknown)
    if above.type in _LEFT and above.part(_LEFT[above.type]) == top:
        if top != node:
            return Binding(scope, unknown)
        return Binding(scope, lambda: declared(above, scopes))
    if above.type == "assignment_expression" and top != node:
        return Binding(scope, unknown)
    return None


def declared(node: SyntaxNode, scopes: Scopes) -> str | None:
    """Return an expression for what a declaration gives to its only name; None: nothing yet."""
    if (annotation := node.part("type")) is not None:
        return object_of(annotation, scopes)
    return assigned_value(node.part("value"), scopes) if node.type == "variable_declarator" else ""


def assigned_value(node: SyntaxNode | None, scopes: Scopes) -> str | None:
    """Return an expression for a value that is assigned, if any; None: it has no members."""
    return None if node is None or node.text in ("null", "undefined", "void 0") else scopes.value(node)


def object_of(node: SyntaxNode | None, scopes: Scopes) -> str:
    """Return an expression for a value of a type."""
    return "" if node is None else scopes.counted(lambda: _of_type(node, scopes)) or ""


def _of_type(node: SyntaxNode, scopes: Scopes) -> str:
    parts = node.named_children
    if node.type == "type_identifier":
        meaning = scopes.meaning(node.text, node.start)
        return f"{meaning}()" if meaning == node.text else ""
    if node.type == "nested_type_identifier":
        module, name = node.part("module"), node.part("name")
        is_plain = (
            module is not None and name is not None and scopes.meaning(module.text, node.start) == module.text
        )
        return f"{node.text}()" if is_plain else ""
    if node.type == "generic_type":
        name, arguments = node.part("name"), node.part("type_arguments")
        inner = arguments.named_children[0] if arguments is not None and arguments.named_children else None
        if name is not None and name.text == "Promise":
            value = object_of(inner, scopes)
            return ASYNC + value if value else ""
        return object_of(inner if name is not None and name.text in _SAME_MEMBERS else name, scopes)
    if node.type == "union_type":
        kept = [one for one in united(node) if one.text not in ("undefined", "null")]
        return object_of(kept[0], scopes) if len(kept) == 1 else ""
    if node.type == "this_type":
        return ITSELF
    through = node.type in ("type_annotation", "parenthesized_type") and len(parts) == 1
    return object_of(parts[0], scopes) if through else ""


def united(node: SyntaxNode) -> Iterator[SyntaxNode]:
    """Yield the types that a union or intersection joins."""
    left = [node]
    while left:
        for child in left.pop().named_children:
            if child.type == node.type:
                left.append(child)
            else:
                yield child


def value(node: SyntaxNode, scopes: Scopes) -> str:
    """Return an expression for the value of a node."""
    if node.type == "identifier":
        return scopes.meaning(node.text, node.start)
    if node.type == "this":
        return scopes.meaning("this", node.start)
    if node.type == "member_expression":
        before, name = scopes.value(node.part("object")), node.part("property")
        return f"{before}.{name.text}" if before and name is not None else ""
    if node.type in ("call_expression", "new_expression"):
        before = scopes.value(node.part("function") or node.part("constructor"))
        return f"{before}()" if before else ""
    if node.type == "await_expression":
        before = scopes.value(node.named_children[0])
        return f"{before}.await" if before else ""
    if node.type == "as_expression":
        return object_of(node.named_children[-1], scopes) if len(node.named_children) == 2 else ""
    return scopes.value(node.named_children[0]) if node.type in _THROUGH else ""


def this(name: str, at: int, scopes: Scopes) -> str | None:
    """Return an expression for what `this` or `super` is at a place; None: the name is another."""
    if name not in ("this", "super"):
        return None
    around = next((one for one in scopes.around(at) if one.type in OWN_THIS), None)
    body = around.parent if around is not None else None
    of_class = body.parent if body is not None and body.type == "class_body" else None
    if around is None or of_class is None:
        return ""
    parameters = around.part("parameters")
    patterns = [one.part("pattern") for one in parameters.named_children] if parameters is not None else []
    is_given = any(one is not None and one.type == "this" for one in patterns)
    is_static = around.type == "class_static_block" or any(one.type == "static" for one in around.children)
    kind = scopes.value(extended(of_class)) if name == "super" else title(of_class, scopes)
    return kind + "()" * (not is_static) if kind and not (is_given or kind.endswith(")")) else ""


def title(of_class: SyntaxNode, scopes: Scopes) -> str:
    """Return the name of a class at the top level; empty: it has none, or is not there."""
    above = of_class.parent
    if above is None or scopes.scope_of(of_class) != scopes.root:
        return ""
    name = (above if above.type == "variable_declarator" else of_class).part("name")
    return name.text if name is not None else ""


def extended(of_class: SyntaxNode) -> SyntaxNode | None:
    """Return the expression that a class extends, if any."""
    for part in of_class.named_children:
        for clause in part.named_children if part.type == "class_heritage" else ():
            if clause.type not in ("implements_clause", "comment"):
                return clause.part("value") if clause.type == "extends_clause" else clause
    return None


def asks(node: SyntaxNode) -> bool:
    """Whether code asks for the type of a node's value."""
    above = node.parent
    while above is not None and above.type in _THROUGH:
        node, above = above, above.parent
    if above is None:
        return False
    if above.type == "arguments":
        return _GUARDS.include(above.parent)
    if above.type == "binary_expression":
        operator = above.part("operator")
        side = {"instanceof": "left", "in": "right"}.get(operator.text if operator is not None else "")
        return side is not None and above.part(side) == node
    return False
