"""What names and values are in Python, as expressions: see `FileTypes.gives`."""

import re

from aide_lsp.context.types.scopes import Binding, Guards, Scopes, unknown
from aide_lsp.syntax.node import SyntaxNode

_FUNCTIONS = frozenset(("function_definition", "lambda"))
SCOPES = _FUNCTIONS | {
    "class_definition", "list_comprehension", "set_comprehension", "dictionary_comprehension",
    "generator_expression",
}  # fmt: skip
_PATTERNS = frozenset((
    "pattern_list", "tuple_pattern", "list_pattern", "list_splat_pattern", "tuple", "list", "list_splat",
    "parenthesized_expression", "as_pattern_target", "expression_list", "type",
))  # fmt: skip
TARGETS = {
    "assignment": "left", "augmented_assignment": "left", "for_statement": "left", "for_in_clause": "left",
    "as_pattern": "alias", "named_expression": "name", "type_alias_statement": "left",
}  # fmt: skip
_UNKNOWN = frozenset((
    "lambda_parameters", "default_parameter", "list_splat_pattern", "dictionary_splat_pattern",
    "global_statement", "nonlocal_statement", "delete_statement", "splat_pattern", "keyword_pattern",
    "class_pattern", "as_pattern", "case_pattern", "dict_pattern",
))  # fmt: skip
"""Parents of names that bind them to anything."""
_GUARDS = Guards(
    re.compile(
        r"(?:.*\.)?(?:isinstance|issubclass|hasattr|getattr|setattr|delattr|type|vars|id|callable|cast|(?:is|has)_\w+)"
    ),
    frozenset(("parenthesized_expression", "not_operator", "boolean_operator")),
    frozenset((
        "if_statement", "elif_clause", "if_clause", "while_statement", "assert_statement",
        "conditional_expression",
    )),
)  # fmt: skip
PLAIN_TYPE = re.compile(r"([^\W\d][\w.]*)(?:\[(?:[^\[\]]|\[[^\[\]]*\])*+\])?\Z")
_OPTIONAL = re.compile(r"(?:typing\.|t\.)?Optional\[(.*)\]\Z", re.DOTALL)
_NONE = re.compile(r"[ \t]*\|[ \t]*None\b|\bNone[ \t]*\|[ \t]*")
_SPECIAL = re.compile(r"(?:\w+\.)*[A-Z]\w*")


def binds(node: SyntaxNode, scopes: Scopes) -> Binding | None:
    """Return what a name binds at a place."""
    top, above = target_of(node)
    scope = scopes.scope_of(node)
    if above.type in TARGETS and above.part(TARGETS[above.type]) == top:
        if top != node and not (above.type == "as_pattern" and top.named_children == (node,)):
            return Binding(scope, unknown)
        return Binding(scope, lambda: assigned(above, scopes))
    if above.type in ("function_definition", "class_definition"):
        return Binding(scopes.scope_of(above), unknown) if above.part("name") == node else None
    if above.type == "dotted_name":
        return _dotted(node, above, scopes)
    if above.type == "aliased_import":
        return Binding(scope, lambda: node.text) if above.part("alias") == node else None
    if above.type == "parameters":
        return Binding(scope, lambda: _first_parameter(scope, node, scopes))
    if above.type in ("typed_parameter", "typed_default_parameter"):
        is_name = above.part("name") == node or above.named_children[0] == node
        return Binding(scope, lambda: _typed_parameter(above, node, scopes)) if is_name else None
    if above.type in ("type_parameter", "constrained_type"):
        owner = next(
            one for one in above.ancestors() if one.type not in ("type_parameter", "constrained_type", "type")
        )
        return Binding(owner, unknown, is_inherited=True) if owner.type in SCOPES else None
    if above.type == "default_parameter" and above.part("name") != node:
        return None
    is_outer = above.type == "nonlocal_statement"
    return Binding(scope, unknown, is_everywhere=is_outer) if above.type in _UNKNOWN else None


def target_of(node: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode]:
    """Return the list of targets or values that a node is in, or itself, and what that is in."""
    above = node.parent
    while above is not None and above.type in _PATTERNS and above.parent is not None:
        node, above = above, above.parent
    return node, above or node


def _dotted(node: SyntaxNode, dotted: SyntaxNode, scopes: Scopes) -> Binding | None:
    """Return what a name in an import binds, or in a pattern."""
    above = dotted.parent
    if above is None or above.type in ("relative_import", "aliased_import") or dotted.start != node.start:
        return None
    if above.part("module_name") == dotted:
        return None
    is_import = above.type.startswith("import")
    return Binding(scopes.scope_of(node), (lambda: node.text) if is_import else unknown)


def _first_parameter(function: SyntaxNode, node: SyntaxNode, scopes: Scopes) -> str:
    """Return the class or object that the first parameter of a method is."""
    parameters, of_class = function.part("parameters"), _class_around(function, scopes)
    if parameters is None or of_class is None or parameters.named_children[0] != node:
        return ""
    decorators = decorators_of(function)
    if any("static" in one for one in decorators) or node.text not in ("self", "cls"):
        return ""
    name = of_class.part("name")
    is_class = node.text == "cls" or "classmethod" in decorators
    return "" if name is None else name.text + "()" * (not is_class)


def _class_around(function: SyntaxNode, scopes: Scopes) -> SyntaxNode | None:
    """Return the class at the top level that a function is a method of."""
    around = scopes.scope_of(function)
    is_method = around.type == "class_definition" and scopes.scope_of(around) == scopes.root
    return around if is_method else None


def decorators_of(node: SyntaxNode) -> list[str]:
    above = node.parent
    if above is None or above.type != "decorated_definition":
        return []
    return [one.text[1:].partition("(")[0].strip() for one in above.named_children if one.type == "decorator"]


def _typed_parameter(parameter: SyntaxNode, node: SyntaxNode, scopes: Scopes) -> str:
    return "" if node.text == "self" else object_of(parameter.part("type"), scopes)


def object_of(annotation: SyntaxNode | None, scopes: Scopes) -> str:
    """Return an expression for an object of the type that an annotation names."""
    text = "" if annotation is None else annotation.text.strip().strip("\"'")
    if found := _OPTIONAL.match(text):
        text = found[1].strip()
    found = PLAIN_TYPE.match(_NONE.sub("", text).strip("\"'"))
    if found is None or annotation is None:
        return ""
    first, dot, rest = found[1].partition(".")
    meaning = scopes.meaning(first, annotation.start)
    return f"{meaning}{dot}{rest}()" if meaning else ""


def assigned(node: SyntaxNode, scopes: Scopes, *, narrows: bool = True) -> str | None:
    """Return an expression for what a statement assigns to its only target."""
    if node.type == "as_pattern":
        above = node.parent
        value = scopes.value(node.named_children[0])
        return f"{value}()" if value and above is not None and above.type == "except_clause" else ""
    right = node.part("right") or node.part("value")
    if (annotation := node.part("type")) is not None:
        kind = object_of(annotation, scopes)
        special = _SPECIAL.match(right.text) if right is not None and narrows else None
        # An object of a derived class keeps that type.
        return "" if special and special.group() not in (kind[:-2], "None") else kind
    if node.type not in ("assignment", "named_expression") or right is None:
        return ""
    above = node.parent
    if right.type == "assignment" or (above is not None and above.type == "assignment"):
        return ""
    return None if right.type == "none" else scopes.value(right)


def value(node: SyntaxNode, scopes: Scopes) -> str:
    """Return an expression for the value of a node."""
    if node.type == "identifier":
        return scopes.meaning(node.text, node.start)
    if node.type == "attribute":
        before, name = scopes.value(node.part("object")), node.part("attribute")
        return f"{before}.{name.text}" if before and name is not None else ""
    if node.type == "call":
        function = node.part("function")
        before = scopes.value(function)
        return f"{before}()" if before and function is not None and function.text != "super" else ""
    if node.type == "await":
        before = scopes.value(node.named_children[0])
        return f"{before}.await" if before else ""
    return scopes.value(node.named_children[0]) if node.type == "parenthesized_expression" else ""


def asks(node: SyntaxNode) -> bool:
    """Whether code asks for the type of a node's value, or gives it another."""
    above = node.parent
    if above is None:
        return False
    if above.type == "argument_list":
        return _GUARDS.include(above.parent)
    if above.type == "attribute":
        name = above.part("attribute")
        return name is not None and name.text == "__class__"
    top, above = target_of(node)
    if above.type in ("match_statement", "delete_statement"):
        return True
    owner = node.part("object")
    is_assigned = above.type in TARGETS and above.part(TARGETS[above.type]) == top
    return is_assigned and owner is not None and owner.text not in ("self", "cls")
