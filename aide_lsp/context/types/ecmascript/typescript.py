"""Types of TypeScript: classes, interfaces, object types, and enums at the top level of a module."""

import re
from collections.abc import Iterator

from attrs import evolve

from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.names import javascript
from aide_lsp.context.types.chunks import ChunkRules
from aide_lsp.context.types.ecmascript.scopes import (
    CLASSES,
    OWN_THIS,
    asks,
    assigned_value,
    binds,
    declared,
    extended,
    object_of,
    this,
    united,
    value,
)
from aide_lsp.context.types.facts import PRIVATE, UNKNOWN_TYPE, FileTypes, TypeFacts, both
from aide_lsp.context.types.rules import TypeRules
from aide_lsp.context.types.scopes import ScopeRules, Scopes
from aide_lsp.syntax.node import SyntaxNode

MARKS = re.compile(
    r"(?P<open>`(?:\\.|[^`\\])*\Z|/\*(?!.*?\*/))|`(?:\\.|[^`\\])*+`|/\*.*?\*/|//[^\n]*"
    r'|"(?:\\.|[^"\\\n])*+"?|' + r"'(?:\\.|[^'\\\n])*+'?"
    r"|(?<=[(,=:[!&|?{};\n])[ \t]*/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n\[])+/[a-z]*",
    re.DOTALL,
)
NAMES = frozenset(("identifier", "type_identifier", "shorthand_property_identifier_pattern", "this"))
_OWN_THIS_BEFORE = re.compile(r"([\w\]\"']+)[ ]*\([^()]*\)[^=>{}]*\{|\b(function)\b")
_BLOCKS = ("if", "for", "while", "switch", "catch")
FUNCTIONS = OWN_THIS | {"arrow_function"}
_TYPES = frozenset(("interface_declaration", "type_alias_declaration", "function_signature", "function_type"))
SCOPES = FUNCTIONS | CLASSES | _TYPES | {
    "statement_block", "for_statement", "for_in_statement", "catch_clause", "switch_body",
    "method_signature", "abstract_method_signature", "call_signature", "construct_signature",
}  # fmt: skip
_MEMBER_NAMES = frozenset(("property_identifier", "private_property_identifier"))
_QUOTED = re.compile(r"\[?[\"'](\w+)[\"']\]?\Z")
_WORD = re.compile(r"\w+")
_OTHER_KEYS = frozenset(("index_signature", "call_signature", "construct_signature"))
_ERROR = "captureStackTrace cause message name prepareStackTrace stack stackTraceLimit"
_STANDARD = {"Error": _ERROR, "TypeError": _ERROR, "RangeError": _ERROR, "SyntaxError": _ERROR, "Object": ""}
OF_EVERY_TYPE = frozenset((
    "constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "toString",
    "valueOf",
))  # fmt: skip
OF_EVERY_CLASS = frozenset(("prototype", "name", "length", "call", "apply", "bind"))


def read(scopes: Scopes) -> Iterator[FileTypes]:
    """Yield what the statements of a module say."""
    for node in scopes.root.named_children:
        yield from _stated(node, scopes)


def _stated(node: SyntaxNode, scopes: Scopes) -> Iterator[FileTypes]:
    name = node.part("name")
    if node.type == "import_statement":
        yield FileTypes(imports=dict(_imported(node)))
    elif node.type == "export_statement":
        yield from _exported(node, scopes)
    elif node.type in ("ambient_declaration", "expression_statement"):
        for child in node.named_children:
            yield from _stated(child, scopes) if child.type != node.type else ()
    elif node.type in ("lexical_declaration", "variable_declaration"):
        for one in node.named_children:
            yield _variable(one, scopes)
    elif name is None:
        return
    elif node.type in ("function_declaration", "generator_function_declaration", "function_signature"):
        yield FileTypes(gives=_function(node, name.text, scopes))
    elif node.type in ("internal_module", "module"):
        # With a path for a name, it adds members to the types of another module.
        words = _WORD.findall(node.text) if name.type == "string" else ()
        yield FileTypes({name.text: UNKNOWN_TYPE}, given=frozenset(words))
    elif node.type == "enum_declaration":
        # It is an object; its values are of another type.
        of_enum = f"enum {name.text}"
        yield FileTypes({of_enum: type_of(node, scopes)}, {name.text: f"{of_enum}()"})
    elif node.type in CLASSES or node.type == "interface_declaration":
        yield FileTypes({name.text: type_of(node, scopes)})
    elif node.type == "type_alias_declaration" and (kind := node.part("value")) is not None:
        yield FileTypes({name.text: _alias(kind, scopes)})


def _imported(node: SyntaxNode) -> Iterator[tuple[str, tuple[str, str]]]:
    source = node.part("source")
    module = source.text[1:-1] if source is not None else ""
    for clause in node.named_children if module else ():
        for one in clause.named_children:
            if one.type == "identifier":
                yield one.text, (module, "default")
            elif one.type == "namespace_import":
                yield one.named_children[0].text, (module, "")
            yield from _renamed(one, module)


def _renamed(clause: SyntaxNode, module: str) -> Iterator[tuple[str, tuple[str, str]]]:
    for one in clause.named_children:
        if one.type in ("import_specifier", "export_specifier") and (name := one.part("name")) is not None:
            yield (one.part("alias") or name).text, (module, name.text)


def _exported(node: SyntaxNode, scopes: Scopes) -> Iterator[FileTypes]:
    source, declaration = node.part("source"), node.part("declaration") or node.part("value")
    is_default = any(one.type == "default" for one in node.children)
    if source is not None:
        if any(one.type == "*" for one in node.children):
            yield FileTypes(everything=(source.text[1:-1],))
        for clause in node.named_children:
            yield FileTypes(imports=dict(_renamed(clause, source.text[1:-1])))
    elif declaration is not None:
        yield from _stated(declaration, scopes)
        name = declaration.part("name") or declaration
        if is_default and name.type in NAMES:
            yield FileTypes(gives={"default": name.text})
    else:
        for clause in node.named_children:
            renamed = {alias: name for alias, (_, name) in _renamed(clause, "") if alias != name}
            yield FileTypes(gives=renamed)


def _variable(node: SyntaxNode, scopes: Scopes) -> FileTypes:
    """Return what a variable is: a class, or what it and its result are."""
    name, given = node.part("name"), node.part("value")
    if name is None or name.type != "identifier":
        return FileTypes()
    kind = given.type if given is not None and node.part("type") is None else ""
    if given is not None and kind in CLASSES:
        return FileTypes({name.text: evolve(type_of(given, scopes), merges=False)})
    if given is not None and kind in ("arrow_function", "function_expression"):
        return FileTypes(gives=_function(given, name.text, scopes))
    value = declared(node, scopes)
    return FileTypes(gives={} if value is None else {name.text: value})


def _function(node: SyntaxNode, name: str, scopes: Scopes) -> dict[str, str]:
    return {name: "", f"{name}()": object_of(node.part("return_type"), scopes)}


def _alias(node: SyntaxNode, scopes: Scopes) -> TypeFacts:
    """Return what an alias of a type says."""
    if node.type == "object_type":
        return _body(node, scopes, is_class=False)
    if node.type == "intersection_type":
        facts = TypeFacts(merges=True)
        for one in united(node):
            facts = facts.with_more(_alias(one, scopes))
        return facts
    base = object_of(node, scopes)
    return (
        TypeFacts(bases=(base[:-2],), merges=True) if base.endswith("()") and base[0] != " " else UNKNOWN_TYPE
    )


def type_of(node: SyntaxNode, scopes: Scopes) -> TypeFacts:
    """Return what the declaration of a class, interface, or enum says."""
    body, bases, is_complete = node.part("body"), list[str](), True
    if body is None:
        return UNKNOWN_TYPE
    for part in node.named_children:
        if part.type == "extends_type_clause":
            found = [object_of(one, scopes) for one in part.named_children]
            bases += (one[:-2] for one in found)
            is_complete &= all(found)
    if (superclass := extended(node)) is not None:
        bases.append(base := scopes.value(superclass))
        is_complete &= bool(base) and not base.endswith(")")
    facts = _body(body, scopes, is_class=node.type in CLASSES)
    return TypeFacts(
        facts.members,
        facts.gives,
        tuple(filter(None, bases)),
        is_complete=is_complete and facts.is_complete,
        merges=node.type != "enum_declaration",
    )


def _body(body: SyntaxNode, scopes: Scopes, *, is_class: bool) -> TypeFacts:
    """Return what the members of a type say."""
    members, gives, is_complete = set[str](), dict[str, str](), True
    for one in body.named_children:
        name = one.part("name") or one.part("property") if one.type not in _MEMBER_NAMES else one
        if one.type in _OTHER_KEYS and not (is_class and one.type != "index_signature"):
            is_complete = False
        elif name is not None and name.type in _MEMBER_NAMES:
            members.add(PRIVATE * (name.text[0] == "#") + name.text)
            gives = both(gives, _member(one, name.text, scopes))
        elif name is not None and (quoted := _QUOTED.match(name.text)):
            members.add(quoted[1])
        if one.type == "method_definition" and name is not None and name.text == "constructor":
            for parameter, kind in _parameter_members(one, scopes):
                members.add(parameter)
                gives = both(gives, {parameter: kind})
        predicate = one.part("return_type")
        if predicate is not None and predicate.text.lstrip(": ").startswith(("this is", "asserts this")):
            is_complete = False  # what it narrows is an object of another type
    return TypeFacts(frozenset(members), gives, is_complete=is_complete)


def _member(node: SyntaxNode, name: str, scopes: Scopes) -> dict[str, str]:
    """Return what a member gives."""
    if node.type in ("public_field_definition", "property_signature"):
        if (annotation := node.part("type")) is not None:
            return {name: object_of(annotation, scopes)}
        given = node.part("value")
        if given is not None and given.type == "arrow_function":
            return _function(given, name, scopes)
        return {name: scopes.value(given)}
    if node.type == "field_definition":
        assigned = assigned_value(node.part("value"), scopes)
        return {} if assigned is None else {name: assigned}
    if node.type not in ("method_definition", "method_signature", "abstract_method_signature"):
        return {name: ""}
    result = object_of(node.part("return_type"), scopes)
    marks = {one.type for one in node.children}
    if "get" in marks:
        return {name: result}
    return {} if "set" in marks else {name: "", f"{name}()": result}


def _parameter_members(method: SyntaxNode, scopes: Scopes) -> Iterator[tuple[str, str]]:
    """Yield the parameters of a constructor that are members."""
    parameters = method.part("parameters")
    for one in parameters.named_children if parameters is not None else ():
        pattern = one.part("pattern")
        is_member = any(
            child.type in ("accessibility_modifier", "readonly", "override_modifier")
            for child in one.children
        )
        if is_member and pattern is not None:
            yield pattern.text, object_of(one.part("type"), scopes)


def known(name: str, module: str) -> frozenset[str] | None:
    """Return the members of an error class."""
    return frozenset(_STANDARD[name].split()) if name in _STANDARD and not module else None


def is_open(name: str, before: str) -> bool:
    """Whether the line before `this` or `super` begins a function that may have one of its own."""
    is_own = name.partition(".")[0] in ("this", "super")
    return is_own and any(found[1] not in _BLOCKS for found in _OWN_THIS_BEFORE.finditer(before))


def files(module: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the file of a module, where it says all of its types: what JavaScript assigns is not declared."""
    yield from (path for path in javascript.files(module, tree) if not path.endswith(("js", "jsx")))


RULES = TypeRules(
    ChunkRules(MARKS, fill="x;", block="if (x) {", function="() => ", others=("x = ",)),
    ScopeRules(NAMES, SCOPES, binds, value, asks, this),
    read,
    files,
    known=known,
    of_every_type=OF_EVERY_TYPE,
    of_every_class=OF_EVERY_CLASS,
    is_open=is_open,
)
