"""Types of Go: structs, interfaces, and others, at the top level of a package."""

import posixpath
import re
from collections.abc import Iterable, Iterator

from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.names import go as modules
from aide_lsp.context.types.chunks import ChunkRules
from aide_lsp.context.types.facts import PRIVATE, UNKNOWN_TYPE, FileTypes, TypeFacts
from aide_lsp.context.types.rules import TypeRules
from aide_lsp.context.types.scopes import Binding, ScopeRules, Scopes, unknown
from aide_lsp.syntax.node import SyntaxNode

MARKS = re.compile(
    r'(?P<open>`[^`]*\Z|/\*(?!.*?\*/))|`[^`]*`|/\*.*?\*/|"(?:\\.|[^"\\\n])*+"?|'
    r"'(?:\\[^\n]{1,10}?|[^'\\\n])'|//[^\n]*",
    re.DOTALL,
)
_WORD = re.compile(r"\w+")
_FUNCTION = re.compile(r"func\b\s*(?:\(([^()]*)\)\s*(\w*)|(\w+)|([^\n]*))")
_SPECIFIED = re.compile(
    # In brackets up to the next line at the left margin that closes some, whatever they are.
    r"\b(?:type|var|const)\s*(?:\((?:[^\n]*\n(?!\)))*+[^\n]*|\w+(?:\s*,\s*\w+)*)"
)
_NAMES = frozenset(("identifier", "type_identifier", "package_identifier"))
_FUNCTIONS = frozenset(("function_declaration", "method_declaration", "func_literal"))
_SCOPES = _FUNCTIONS | {
    "block", "if_statement", "for_statement", "expression_switch_statement", "type_switch_statement",
    "expression_case", "type_case", "default_case", "communication_case", "type_spec",
}  # fmt: skip
_SPECS = frozenset(("type_spec", "type_alias", "var_spec", "const_spec"))
_UNKNOWN = frozenset((
    "variadic_parameter_declaration", "type_parameter_declaration", "type_switch_statement",
    "receive_statement", "range_clause", "const_spec",
))  # fmt: skip
"""Nodes that bind the names on their left to anything."""
_PLAIN = frozenset((
    "any", "bool", "byte", "complex64", "complex128", "float32", "float64", "int", "int8", "int16", "int32",
    "int64", "rune", "string", "uint", "uint8", "uint16", "uint32", "uint64", "uintptr",
))  # fmt: skip
_OF_NO_MEMBERS = frozenset((
    "slice_type", "array_type", "map_type", "channel_type", "function_type", "implicit_length_array_type",
))  # fmt: skip
_STANDARD = {
    "error": "Error", "sync.Mutex": "Lock TryLock Unlock", "sync.Locker": "Lock Unlock",
    "sync.RWMutex": "Lock RLock RLocker RUnlock TryLock TryRLock Unlock", "fmt.Stringer": "String",
    "context.Context": "Deadline Done Err Value", "io.Reader": "Read", "io.Writer": "Write",
    "io.Closer": "Close",
    "io.ReadCloser": "Close Read", "io.WriteCloser": "Close Write", "io.ReadWriter": "Read Write",
}  # fmt: skip


def binds(node: SyntaxNode, scopes: Scopes) -> Binding | None:
    """Return what a name binds at a place."""
    top, above = node, node.parent
    if above is not None and above.type == "expression_list":
        top, above = above, above.parent
    if above is None:
        return None
    scope = scopes.scope_of(node)
    is_left = above.part("left") == top or above.part("alias") == top
    if above.type == "short_var_declaration" and is_left:
        return Binding(scope, lambda: _value_for(node, top, above.part("right"), scopes), above.end)
    if above.type in _SPECS:
        names = [one for one in above.children if one.type in _NAMES and one != above.part("type")]
        if node not in names:
            return None
        if above.type != "var_spec":
            return Binding(scopes.scope_of(above), unknown)
        return Binding(scope, lambda: _declared(node, above, names, scopes), above.end)
    if above.type == "parameter_declaration" and above.part("type") != node:
        around = above.parent.parent if above.parent is not None else None
        if around is None or around.is_error:
            return Binding(scope, unknown)
        if around.type not in _FUNCTIONS:
            return None
        return Binding(around, lambda: _annotated(above.part("type"), scopes))
    if above.type == "type_elem" and (receiver := _receiver_around(node)) is not None:
        return Binding(receiver, unknown)
    if above.type in _UNKNOWN and (is_left or node in above.children) and above.part("type") != node:
        return Binding(scope, unknown)
    return None


def _receiver_around(node: SyntaxNode) -> SyntaxNode | None:
    """Return the method in whose receiver a type argument is: there it declares the name."""
    method = next((one for one in node.ancestors() if one.type in _FUNCTIONS), None)
    receiver = method.part("receiver") if method is not None else None
    return method if receiver is not None and receiver.start <= node.start < receiver.end else None


def _value_for(node: SyntaxNode, left: SyntaxNode, right: SyntaxNode | None, scopes: Scopes) -> str:
    """Return an expression for what one of several names gets; a call gives the first its first result."""
    names = left.named_children if left != node else (node,)
    values = right.named_children if right is not None else ()
    number = names.index(node)
    return scopes.value(values[number]) if len(values) == len(names) or (number == 0 and values) else ""


def _declared(node: SyntaxNode, spec: SyntaxNode, names: list[SyntaxNode], scopes: Scopes) -> str:
    if (annotation := spec.part("type")) is not None:
        return _annotated(annotation, scopes)
    value = spec.part("value")
    values = value.named_children if value is not None else ()
    number = names.index(node)
    return scopes.value(values[number]) if len(values) == len(names) or (number == 0 and values) else ""


def _annotated(node: SyntaxNode | None, scopes: Scopes) -> str:
    """Return an expression for an object of a type."""
    return "" if node is None else scopes.counted(lambda: _of_type(node, scopes)) or ""


def _of_type(node: SyntaxNode, scopes: Scopes) -> str:
    if node.type == "type_identifier":
        meaning = scopes.meaning(node.text, node.start)
        return f"{meaning}()" if meaning == node.text else ""
    if node.type == "qualified_type":
        package, name = node.part("package"), node.part("name")
        meaning = scopes.meaning(package.text, node.start) if package is not None else ""
        return f"{meaning}.{name.text}()" if name is not None and package and meaning == package.text else ""
    if node.type == "generic_type":
        return _annotated(node.part("type"), scopes)
    return (
        _annotated(node.named_children[0], scopes)
        if node.type in ("pointer_type", "parenthesized_type")
        else ""
    )


def value(node: SyntaxNode, scopes: Scopes) -> str:
    """Return an expression for the value of a node."""
    if node.type in _NAMES:
        return scopes.meaning(node.text, node.start)
    if node.type == "selector_expression":
        before, name = scopes.value(node.part("operand")), node.part("field")
        return f"{before}.{name.text}" if before and name is not None else ""
    if node.type == "call_expression":
        function, arguments = node.part("function"), node.part("arguments")
        if function is not None and function.text in ("new", "make") and arguments is not None:
            return _annotated(arguments.named_children[0], scopes) if arguments.named_children else ""
        before = scopes.value(function)
        return f"{before}()" if before else ""
    if node.type in ("composite_literal", "type_assertion_expression"):
        return _annotated(node.part("type"), scopes)
    if node.type == "unary_expression":
        return scopes.value(node.part("operand")) if node.text[0] in "&*" else ""
    return scopes.value(node.named_children[0]) if node.type == "parenthesized_expression" else ""


def read(scopes: Scopes) -> Iterator[FileTypes]:
    """Yield what the declarations of a file say."""
    for node in scopes.root.named_children:
        if node.type == "package_clause":
            yield FileTypes(package=node.named_children[0].text)
        elif node.type == "import_declaration":
            found = modules.IMPORT.findall(node.text)
            names = {alias or modules.VERSION.sub("", path).rpartition("/")[2]: path for alias, path in found}
            yield FileTypes(
                imports={name: (path, "") for name, path in names.items() if name != "."},
                everything=tuple(path for alias, path in found if alias == "."),
            )
        elif node.type == "function_declaration":
            yield FileTypes(gives=_function(node, scopes))
        elif node.type == "method_declaration":
            receiver = node.part("receiver")
            kinds = [one.part("type") for one in receiver.named_children] if receiver is not None else []
            name, gives = _annotated(kinds[0], scopes) if kinds else "", _function(node, scopes)
            method = TypeFacts(_members((*gives,)[:1]), gives, is_declared=False)
            yield FileTypes({name[:-2]: method} if name else {})
        else:
            yield from (_specified(one, scopes) for one in _specs(node))


def _specs(node: SyntaxNode) -> Iterator[SyntaxNode]:
    for child in node.named_children:
        if child.type in _SPECS:
            yield child
        elif child.type.endswith("_spec_list"):
            yield from _specs(child)


def _specified(spec: SyntaxNode, scopes: Scopes) -> FileTypes:
    """Return what a declaration of a type, variable, or constant says."""
    kind = spec.part("type")
    if spec.type not in ("type_spec", "type_alias"):
        names = [one for one in spec.children if one.type in _NAMES and one != kind]
        return FileTypes(gives={one.text: _declared(one, spec, names, scopes) for one in names})
    name = spec.part("name")
    return FileTypes() if name is None or kind is None else FileTypes({name.text: _type(kind, scopes)})


def _function(node: SyntaxNode, scopes: Scopes) -> dict[str, str]:
    """Return what a function or method gives: its first result."""
    name, result = node.part("name"), node.part("result")
    if result is not None and result.type == "parameter_list":
        result = result.named_children[0].part("type") if result.named_children else None
    return {} if name is None else {name.text: "", f"{name.text}()": _annotated(result, scopes)}


def _type(node: SyntaxNode, scopes: Scopes) -> TypeFacts:
    """Return what the definition of a type says."""
    if node.type in _OF_NO_MEMBERS or node.text in _PLAIN:
        return TypeFacts()
    if node.type == "struct_type":
        fields = [one for part in node.named_children for one in part.named_children]
        return _together(_field(one, scopes) for one in fields if one.type == "field_declaration")
    if node.type == "interface_type":
        parts = (one for one in node.named_children if one.type != "comment")
        return _together(_element(one, scopes) for one in parts)
    base = _annotated(node, scopes)
    return TypeFacts(bases=(base[:-2],)) if base and node.type != "pointer_type" else UNKNOWN_TYPE


def _together(parts: Iterator[TypeFacts]) -> TypeFacts:
    facts = TypeFacts(merges=True)
    for one in parts:
        facts = facts.with_more(one)
    return facts


def _field(node: SyntaxNode, scopes: Scopes) -> TypeFacts:
    kind = _annotated(node.part("type"), scopes)
    names = [one.text for one in node.children if one.type == "field_identifier"]
    if not names:  # embedded
        name = kind[:-2].rpartition(".")[2]
        return TypeFacts(_members((name,)), {name: kind}, (kind[:-2],), merges=True) if kind else UNKNOWN_TYPE
    return TypeFacts(_members(names), dict.fromkeys(names, kind), merges=True)


def _element(node: SyntaxNode, scopes: Scopes) -> TypeFacts:
    if node.type == "method_elem":
        gives = _function(node, scopes)
        return TypeFacts(_members((*gives,)[:1]), gives, merges=True)
    kinds = node.named_children
    base = _annotated(kinds[0], scopes) if len(kinds) == 1 and kinds[0].text not in _PLAIN else ""
    return TypeFacts(bases=(base[:-2],), merges=True) if base else UNKNOWN_TYPE


def _members(names: Iterable[str]) -> frozenset[str]:
    """Return members of these names: other packages see those that are capitalized."""
    return frozenset(name if name[:1].isupper() else PRIVATE + name for name in names)


def package(path: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the files in the folder of one, tests only for tests: some may be of another package."""
    yield path
    folder = posixpath.dirname(path)
    has_tests = tree.document.endswith("_test.go") and tree.folder == folder
    for name in tree.files(folder):
        is_test = name.endswith("_test.go")
        if (
            name.endswith(".go")
            and (has_tests or not is_test)
            and (other := posixpath.join(folder, name)) != path
        ):
            yield other


def declared(text: str) -> frozenset[str]:
    """Return names that a text may declare, or declare methods of, judged without parsing it."""
    found = set[str]()
    for receiver, method, function, line in _FUNCTION.findall(text):
        found.update({method, function} - {""}, _WORD.findall(receiver + line))
    for one in _SPECIFIED.findall(text):
        found.update(_WORD.findall(one))
    return frozenset(found)


def known(name: str, module: str) -> frozenset[str] | None:
    """Return the members of a well-known interface or lock."""
    name = f"{module}.{name}" if module else name
    return frozenset(_STANDARD[name].split()) if name in _STANDARD else None


RULES = TypeRules(
    ChunkRules(MARKS, fill="x", block="if x {", function="func() ", others=("x := T",)),
    ScopeRules(_NAMES, _SCOPES, binds, value),
    read,
    modules.files,
    package=package,
    declared=declared,
    known=known,
    outline=modules.outline,
)
