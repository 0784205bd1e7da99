"""What names and values are in Rust, as expressions: see `FileTypes.gives`."""

import re
from functools import partial

from aide_lsp.context.imports import rust as imports
from aide_lsp.context.types.facts import ASYNC
from aide_lsp.context.types.scopes import Binding, Scopes, unknown
from aide_lsp.syntax.node import SyntaxNode

NAMES = frozenset(("identifier", "type_identifier", "shorthand_field_identifier"))
FUNCTIONS = frozenset(("function_item", "function_signature_item"))
_TYPES = frozenset(("struct_item", "enum_item", "union_item", "type_item", "associated_type"))
_BRANCHES = {"if_expression": "consequence", "while_expression": "body", "match_arm": "value"}
SCOPES = FUNCTIONS | _TYPES | frozenset((
    *_BRANCHES, "closure_expression", "block", "for_expression", "impl_item", "trait_item", "mod_item",
    "macro_invocation", "macro_definition", "function_type", "higher_ranked_trait_bound",
))  # fmt: skip
_ITEMS = FUNCTIONS | _TYPES | {"trait_item", "mod_item", "const_item", "static_item", "macro_definition"}
_TYPE_PARAMETERS = frozenset((
    "type_parameters", "type_parameter", "constrained_type_parameter", "optional_type_parameter",
    "const_parameter",
))  # fmt: skip
_PLAIN_PATTERNS = frozenset(("mut_pattern", "ref_pattern", "reference_pattern", "match_pattern"))
_PATTERNS = _PLAIN_PATTERNS | {
    "tuple_pattern", "tuple_struct_pattern", "struct_pattern", "field_pattern", "or_pattern",
    "captured_pattern", "slice_pattern", "remaining_field_pattern",
}  # fmt: skip
_LEFT = {
    "let_declaration": "pattern", "let_condition": "pattern", "match_arm": "pattern",
    "for_expression": "pattern", "parameter": "pattern",
}  # fmt: skip
"""What binds names, and the part of it that they are in."""
_IN_USES = frozenset((
    "scoped_identifier", "use_as_clause", "use_list", "scoped_use_list", "use_wildcard",
))  # fmt: skip
"""What a name may be part of in a `use`."""
POINTERS = ("Box", "Arc", "Rc")
_HOLDERS = ("Result", "Option")
"""Ends of the names of types that hold a value of another type, or none."""
_PLAIN_BOUNDS = frozenset((
    "Send", "Sync", "Unpin", "UnwindSafe", "Clone", "Copy", "Debug", "Sized", "lifetime",
))  # fmt: skip
"""Besides another trait, those that give an object no other members than those of every type."""
_FAR = 200
"""Characters before something that may be blank."""
_EVERYTHING_OUTSIDE = re.compile(r"use\s+super::\*;")
_OWN_SELF = re.compile(r"\bfn\b[^{]*\bself\b")


def binds(node: SyntaxNode, scopes: Scopes) -> Binding | None:
    """Return what a name binds at a place."""
    top, above = node, node.parent
    while above is not None and above.type in _PATTERNS:
        if top in (above.part("type"), above.part("condition")):
            return None
        top, above = above, above.parent
    if above is None:
        return None
    scope = scopes.scope_of(node)
    if above.type in _LEFT and above.part(_LEFT[above.type]) == top:
        return _bound(node, top, above, scopes)
    if above.type in _ITEMS and above.part("name") == node:
        around = scopes.scope_of(above)
        # An associated type is a member.
        return None if around.type in ("impl_item", "trait_item") else Binding(around, unknown)
    if above.type == "token_tree":
        if top.next is not None and top.next.text in (".", "::"):
            return None
        macro = scope.part("macro")
        # Some bind names in the code around, such as let_assert!(Some(x) = y).
        is_outside = macro is not None and "let" in macro.text
        return Binding(scopes.scope_of(scope) if is_outside else scope, unknown, scope.start)
    if above.type == "closure_parameters" or (above.type in _TYPE_PARAMETERS and _is_declared(top, above)):
        return Binding(scope, unknown)
    while above is not None and above.type in _IN_USES:
        above = above.parent
    is_used = above is not None and above.type == "use_declaration"
    return _imported(node.text, above, scope, scopes) if above is not None and is_used else None


def _is_declared(top: SyntaxNode, parameter: SyntaxNode) -> bool:
    return top not in (parameter.part("bounds"), parameter.part("default_type"), parameter.part("type"))


def _imported(name: str, used: SyntaxNode, scope: SyntaxNode, scopes: Scopes) -> Binding | None:
    """Return what a `use` inside of something binds; its path is that of the module around."""
    inner = sum(one.type == "mod_item" for one in used.ancestors())
    for path, alias in imports.leaves(used.text.partition("use ")[2]):
        if alias == name:
            outside = path[:inner] == ("super",) * inner and path[-1] != "super"
            if path[0] == "crate" or (outside and inner):
                return Binding(scope, partial(".".join, path if path[0] == "crate" else path[inner:]))
            return Binding(scope, unknown)
    return None


def _bound(node: SyntaxNode, top: SyntaxNode, above: SyntaxNode, scopes: Scopes) -> Binding:
    """Return what a pattern binds."""
    if above.type == "let_condition":
        around = next((one for one in above.ancestors() if one.type in _BRANCHES), None)
        body = around.part(_BRANCHES[around.type]) if around is not None else None
        if around is None or body is None:
            return Binding(scopes.scope_of(above), unknown)
        return Binding(around, lambda: _matched(node, above, scopes), above.end, body.end)
    scope = above if above.type in SCOPES else scopes.scope_of(above)
    if above.type != "let_declaration":
        return Binding(scope, lambda: _matched(node, above, scopes), scope.start)
    # With an attribute such as `#[cfg(unix)]`, another one may bind it.
    is_certain = not scopes.text[max(above.start - _FAR, 0) : above.start].rstrip().endswith("]")
    return Binding(scope, lambda: _matched(node, above, scopes) if is_certain else "", above.end)


def _matched(node: SyntaxNode, binding: SyntaxNode, scopes: Scopes) -> str:
    """Return an expression for what a name in the pattern of something gets."""
    top, above = _plain(node)
    if above == binding:
        return _subject(binding, scopes)
    kind = above.part("type")
    if above.type == "field_pattern":
        name, above = above.part("name"), above.parent or above
        kind = above.part("type")
        return field_of(kind, name.text, scopes) if kind is not None and name is not None else ""
    if above.type != "tuple_struct_pattern" or kind is None:
        return ""
    if kind.text in ("Some", "Ok"):
        subject = _subject(binding, scopes) if _plain(above)[1] == binding else ""
        return f"{subject}.await" if subject else ""
    parts = [one for one in above.named_children if one != kind]
    if any(one.type == "remaining_field_pattern" for one in parts):
        return ""
    return field_of(kind, str(parts.index(top)), scopes)


def _plain(node: SyntaxNode) -> tuple[SyntaxNode, SyntaxNode]:
    """Return a pattern with all around that matches the same, and what that is in."""
    top, above = node, node.parent
    while above is not None and above.type in _PLAIN_PATTERNS and above.parent is not None:
        top, above = above, above.parent
    return top, above or top


def field_of(kind: SyntaxNode, name: str, scopes: Scopes) -> str:
    """Return an expression for a field of a struct, or of a variant of an enum."""
    variant, path = kind.part("name"), kind.part("path")
    if variant is None or path is None:
        before = scopes.value(kind)
        return f"{before}.{name}" if before else ""
    before = scopes.value(path)
    return f"{before}.{variant.text} {name}" if before else ""


def _subject(binding: SyntaxNode, scopes: Scopes) -> str:
    """Return an expression for the value that is matched with a pattern."""
    if binding.type == "for_expression":
        return ""
    if binding.type == "match_arm":
        whole = next((one for one in binding.ancestors() if one.type == "match_expression"), None)
        return scopes.value(whole.part("value")) if whole is not None else ""
    annotation = binding.part("type")
    return scopes.value(binding.part("value")) if annotation is None else object_of(annotation, scopes)


def object_of(node: SyntaxNode | None, scopes: Scopes) -> str:
    """Return an expression for a value of a type."""
    return "" if node is None else scopes.counted(lambda: _of_type(node, scopes)) or ""


def _of_type(node: SyntaxNode, scopes: Scopes) -> str:
    if node.type in ("type_identifier", "scoped_type_identifier"):
        kind = type_of(node, scopes)
        return f"{kind}()" if kind else ""
    if node.type == "generic_type":
        name, arguments = node.part("type"), node.part("type_arguments")
        found = arguments.named_children if arguments is not None else ()
        inner = next((one for one in found if one.type != "lifetime"), None)
        if name is not None and name.text in POINTERS:
            return object_of(inner, scopes)
        if name is not None and name.text.endswith(_HOLDERS):
            value = object_of(inner, scopes)
            return ASYNC + value if value else ""
        return object_of(name, scopes)
    if node.type == "reference_type":
        return object_of(node.part("type"), scopes)
    if node.type in ("dynamic_type", "abstract_type"):
        return object_of(node.part("trait"), scopes)
    if node.type == "bounded_type":
        first, *others = node.named_children
        is_plain = all(one.type in _PLAIN_BOUNDS or one.text in _PLAIN_BOUNDS for one in others)
        return object_of(first, scopes) if is_plain else ""
    parts = node.named_children
    return object_of(parts[0], scopes) if node.type == "parenthesized_type" and len(parts) == 1 else ""


def type_of(node: SyntaxNode, scopes: Scopes) -> str:
    """Return an expression for a type, module, or trait that a path names."""
    if node.type == "crate":
        return "crate"
    if node.type == "super":
        return "" if any(one.type == "mod_item" for one in node.ancestors()) else "super"
    if node.type in ("identifier", "type_identifier"):
        return scopes.meaning(node.text, node.start)
    if node.type == "generic_type" and (inner := node.part("type")) is not None:
        return scopes.counted(lambda: type_of(inner, scopes)) or ""
    path, name = node.part("path"), node.part("name")
    if node.type not in ("scoped_identifier", "scoped_type_identifier") or path is None or name is None:
        return ""
    before = scopes.counted(lambda: type_of(path, scopes))
    return f"{before}.{name.text}" if before else ""


def value(node: SyntaxNode, scopes: Scopes) -> str:
    """Return an expression for the value of a node."""
    parts = node.named_children
    if node.type in ("identifier", "type_identifier", "self"):
        return scopes.meaning(node.text, node.start)
    if node.type in ("scoped_identifier", "scoped_type_identifier"):
        return type_of(node, scopes)
    if node.type == "field_expression":
        before, name = scopes.value(node.part("value")), node.part("field")
        return f"{before}.{name.text}" if before and name is not None else ""
    if node.type == "call_expression":
        before = scopes.value(node.part("function"))
        return f"{before}()" if before else ""
    if node.type == "struct_expression":
        return object_of(node.part("name"), scopes)
    if node.type in ("await_expression", "try_expression") and parts:
        before = scopes.value(parts[0])
        return f"{before}.await" if before else ""
    if node.type == "reference_expression" or (node.type == "unary_expression" and node.text[0] == "*"):
        return scopes.value(parts[-1]) if parts else ""
    if node.type in ("generic_function", "type_cast_expression"):
        is_cast = node.type == "type_cast_expression"
        return object_of(node.part("type"), scopes) if is_cast else scopes.value(node.part("function"))
    return scopes.value(parts[0]) if node.type == "parenthesized_expression" and len(parts) == 1 else ""


def this(name: str, at: int, scopes: Scopes) -> str | None:
    """Return an expression for what `self` or `Self` means at a place; None: the name is another."""
    if name not in ("self", "Self"):
        return None
    function: SyntaxNode | None = None
    for one in scopes.around(at):
        if one.type == "macro_invocation" and _OWN_SELF.search(one.text):
            return ""
        if one.type in FUNCTIONS and function is None:
            function = one
        elif one.type in ("impl_item", "trait_item", "struct_item", "enum_item"):
            kind = _self_type(one, scopes)
            if name == "Self" or not kind:
                return kind
            return _receiver(function, kind, scopes) if function is not None else ""
    return None


def _self_type(node: SyntaxNode, scopes: Scopes) -> str:
    if node.type == "impl_item":
        return object_of(node.part("type"), scopes)[:-2]
    title = node.part("name")
    if title is None or scopes.meaning(title.text, title.start) != title.text:
        return ""
    return title.text


def _receiver(function: SyntaxNode, kind: str, scopes: Scopes) -> str:
    """Return an expression for the object whose method a function is."""
    parameters = function.part("parameters")
    first = next(iter(parameters.named_children), None) if parameters is not None else None
    if first is not None and first.type == "self_parameter":
        return f"{kind}()"
    pattern = first.part("pattern") if first is not None else None
    is_self = pattern is not None and pattern.text == "self"
    return object_of(first.part("type"), scopes) if first is not None and is_self else ""


def free(name: str, at: int, scopes: Scopes) -> str:
    """Return what a name means at a place that the code does not bind: that of the file, if it is seen."""
    return "" if any(_is_sealed(one, name) for one in scopes.around(at)) else name


def _is_sealed(scope: SyntaxNode, name: str) -> bool:
    """Whether a name around a scope is not seen in it: only what it imports is, or that may hide the name."""
    body = scope.part("body") if scope.type == "mod_item" else scope
    if body is None or not (body.type == "declaration_list" or (body.type == "block" and name[:1].isupper())):
        return False
    used = [one.text for one in body.named_children if one.type == "use_declaration" and "*" in one.text]
    if scope.type == "mod_item":
        return not any(map(_EVERYTHING_OUTSIDE.fullmatch, used))
    return bool(used)
