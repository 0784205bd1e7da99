"""Types of JavaScript: classes at the top level of a module, with the members that code assigns.

What assigns members that it does not name, or may, makes their type unknown.
"""

import re
from collections.abc import Iterator
from itertools import islice

from attrs import frozen

from aide_lsp.context.imports.tree import ProjectTree
from aide_lsp.context.names import javascript
from aide_lsp.context.types.ecmascript import typescript
from aide_lsp.context.types.ecmascript.scopes import (
    CLASSES,
    PATTERNS,
    asks,
    assigned_value,
    binds,
    declared,
    this,
    title,
    value,
)
from aide_lsp.context.types.facts import FileTypes, TypeFacts
from aide_lsp.context.types.rules import TypeRules
from aide_lsp.context.types.scopes import MOST_USES, Binding, ScopeRules, Scopes, is_free, places_of
from aide_lsp.syntax.node import SyntaxNode

MOST_ASSIGNED = 5_000
"""Assignments in some code; with more, nothing is known."""
_ASSIGNS = r"(?:(?:[-+/%&|^]|\*\*?|<<|>>>?|&&|\|\||\?\?)?=(?![=>])|\+\+|--)"
_TARGET = re.compile(rf"(?:(?<![\w$])[\w$]++|[\]}}])(?=\s*+{_ASSIGNS})")
_LOOP = re.compile(r"\bfor\s*+(?:await\s*+)?\(\s*+([\w$.#]++)\s++(?:of|in)\b")
_WORD = re.compile(r"(\.?)(#?[\w$]+)")
_TARGETS = frozenset(("assignment_expression", "augmented_assignment_expression", "update_expression"))
_ASSIGNING = _TARGETS | {"for_in_statement"}
_VARIABLES = frozenset(("identifier", "shorthand_property_identifier_pattern"))
_GIVES = re.compile(
    r"(?:(?:assign|extend|mix|merge|defin|default|[iI]nherit|setProto|install|augment|Field|Proxy)[\w$]{0,30}"
    r"|(?<![\w$.])(?:[A-Z][\w$]{0,30}\.(?:call|apply)|(?:Reflect\.)?set))\(\s*+([\w$]++)\s*+[,)]"
    r"|[cC]opy[\w$]{0,30}\([^()]{0,300}?\b(this)\s*+[,)]"
)
"""Calls that may give an argument members: `Object.assign(this, ...)`, `copy(names, options, this)`."""
_PROTOTYPE = re.compile(r"(?<![\w$.])([\w$]++)\.prototype\b(?!\s*+\.)")
_OBJECT = re.compile(r"[\w$]+(?:\(\))?")
_CLASS = re.compile(r"\bclass\b")
_RETURN = re.compile(r"\breturn\b(?!\s*+(?:[;}]|this\b))")
_USED = re.compile(r"(?<![\w$.])this\.([\w$]++)")
_EXPORTS = ("module", "exports", "module.exports")
_REQUIRED = re.compile(r"require\(\s*[\"']([^\"'\n]+)[\"']\s*\)")
_OWNERS = ("this", "self", "that", "me", "_this")
"""Names of the object whose code it is."""
_SYMBOL = re.compile(r"(?:Symbol\.\w+|k[A-Z]\w*|[A-Z][A-Z\d_$]*)\Z")
_DEFINING = re.compile(
    r"(?:\A|.*(?:[;})]|(?:(?<![$=>(,])|(?<==>))\{|\belse|\bdo|(?<![\w)\s])[ \t]*\())[ \t]*\Z"
    r"|[ \t]*\(?[\[{](?!.*[=()]).*\Z"
)
"""Before a member that may be defined there."""


@frozen
class _Assigned:
    """A place that gives a name or member a value."""

    target: SyntaxNode
    value: SyntaxNode | None
    "None: it is not known."


def _assigned(scopes: Scopes) -> Iterator[_Assigned]:
    for found in _TARGET.finditer(scopes.text):
        target = scopes.root.smallest(*found.span())
        above = target.parent
        while above is not None and above.end == target.end and above.type not in _TARGETS:
            target, above = above, above.parent
        if above is None or above.type not in _TARGETS or above.start != target.start:
            continue
        operator = above.part("operator")
        is_plain = above.type == "assignment_expression" or (
            operator is not None and operator.text in ("??=", "||=")
        )
        yield _Assigned(target, above.part("right") if is_plain else None)


def read(scopes: Scopes) -> Iterator[FileTypes]:
    """Yield what the statements of a module say, and its assignments."""
    found = list(islice(_assigned(scopes), MOST_ASSIGNED + 1))
    if len(found) > MOST_ASSIGNED:
        yield FileTypes(gives_any=True)
        return
    yield from (one for one in typescript.read(scopes) if "require()" not in one.gives.values())
    for node in scopes.root.named_children:
        yield from _common(node, scopes)
    classes = list(_classes(scopes))
    for one in found:
        yield from _said(one, classes, scopes)
    for loop in _LOOP.finditer(scopes.text):
        yield from _words(loop[1], loop.start(1), scopes)
    bare = typescript.MARKS.sub(lambda mark: " " * len(mark.group()), scopes.text)
    for name, node in classes:
        used = frozenset(_USED.findall(bare[node.start : node.end]))
        yield FileTypes({name: TypeFacts(used=used, is_declared=False)})
        if _has_others(node):
            yield _unknown(name)
    for call in _GIVES.finditer(bare):
        yield from _opened(scopes.root.smallest(*call.span(call.lastindex or 1)), scopes)
    for prototype in _PROTOTYPE.finditer(bare):
        yield from _opened(scopes.root.smallest(*prototype.span(1)), scopes)


def _common(node: SyntaxNode, scopes: Scopes) -> Iterator[FileTypes]:
    """Yield what a statement imports and exports as modules of CommonJS do."""
    for one in node.named_children:
        name, given = one.part("name"), one.part("value")
        if one.type == "assignment_expression":
            yield from _exported(one, scopes)
        elif name is not None and given is not None and (required := _REQUIRED.fullmatch(given.text)):
            names = dict(_destructured(name)) if name.type == "object_pattern" else {name.text: "exports"}
            yield FileTypes(imports={own: (required[1], other) for own, other in names.items()})


def _destructured(pattern: SyntaxNode) -> Iterator[tuple[str, str]]:
    for one in pattern.named_children:
        key, name = one.part("key"), one.part("value")
        if key is not None and name is not None and name.type == "identifier":
            yield name.text, key.text
        elif one.type == "shorthand_property_identifier_pattern":
            yield one.text, one.text


def _exported(node: SyntaxNode, scopes: Scopes) -> Iterator[FileTypes]:
    """Yield what an assignment exports."""
    left, right = node.part("left"), node.part("right")
    owner, _, name = (left.text if left is not None else "").rpartition(".")
    while right is not None and right.type == "assignment_expression":
        right = right.part("right")
    if owner not in _EXPORTS or right is None:
        return
    names = ("exports", "default") if owner == "module" else (name,)
    own = title(right, scopes) if right.type in CLASSES else assigned_value(right, scopes)
    if own and right.type in CLASSES:
        yield FileTypes({own: typescript.type_of(right, scopes)})
    yield FileTypes(gives={one: own for one in names if own is not None and own != one})
    for one in right.named_children if right.type == "object" and owner == "module" else ():
        key, given = one.part("key"), one.part("value")
        if key is not None and given is not None and key.text != given.text:
            yield FileTypes(gives={key.text: scopes.value(given)})


def _classes(scopes: Scopes) -> Iterator[tuple[str, SyntaxNode]]:
    """Yield the classes at the top level, each with its name."""
    for found in _CLASS.finditer(scopes.text):
        node = scopes.root.smallest(*found.span())
        if node.type in CLASSES and (name := title(node, scopes)):
            yield name, node


def _said(one: _Assigned, classes: list[tuple[str, SyntaxNode]], scopes: Scopes) -> Iterator[FileTypes]:
    """Yield what an assignment says."""
    target, owner = one.target, one.target.part("object")
    given = "" if one.value is None else assigned_value(one.value, scopes)
    if owner is None:
        if target.type in PATTERNS:
            yield from _words(target.text, target.start, scopes)
        elif given is not None:
            yield from _renamed(target.text, target.start, given, scopes)
        return
    name, index = target.part("property"), target.part("index")
    if index is not None and not _is_symbol(index):
        yield from _opened(owner, scopes)
    if name is None or owner.text in _EXPORTS:
        return
    around = next((own for own, node in classes if node.start < owner.start < node.end), "")
    if owner.type == "this" and around:
        is_own = scopes.meaning("this", owner.start) in (around, f"{around}()")
        gives = {} if given is None else {name.text: given if is_own else ""}
        # Private ones are declared.
        members = frozenset((name.text,)) if name.text[0] != "#" else frozenset[str]()
        yield FileTypes({around: TypeFacts(members, gives, is_declared=False)})
    else:
        yield FileTypes(given=frozenset((name.text,)))


def _words(pattern: str, start: int, scopes: Scopes) -> Iterator[FileTypes]:
    """Yield what a pattern says that gives values to names and members."""
    for dot, name in dict.fromkeys(_WORD.findall(pattern)):
        if dot:
            yield FileTypes(given=frozenset((name,)))
        else:
            yield from _renamed(name, start, "", scopes)


def _renamed(name: str, at: int, given: str, scopes: Scopes) -> Iterator[FileTypes]:
    """Yield that a name of the module gets another value."""
    if is_free(name, scopes.meaning(name, at)):
        yield FileTypes(gives={name: given})


def _opened(node: SyntaxNode, scopes: Scopes) -> Iterator[FileTypes]:
    """Yield that a value may have other members, if it is one of the module, or of one of its types."""
    found = scopes.value(node) if node.type in ("identifier", "this") else ""
    if _OBJECT.fullmatch(found):
        yield _unknown(found.removesuffix("()"))


def _unknown(name: str) -> FileTypes:
    return FileTypes(gives={name: "", f"{name}()": ""})


def _has_others(of_class: SyntaxNode) -> bool:
    """Whether a class may have members that it does not name, or its objects may be others."""
    body = of_class.part("body")
    if body is None or any(one.type == "decorator" for one in of_class.children):
        return True
    for one in body.named_children:
        name = one.part("name") or one.part("property")
        if name is None:
            continue
        if name.type == "computed_property_name" and not _is_symbol(name.named_children[0]):
            return True
        if name.text == "constructor" and _gives_other(one):
            return True
    return False


def _gives_other(constructor: SyntaxNode) -> bool:
    """Whether a constructor returns another object."""
    for found in _RETURN.finditer(constructor.text):
        start, end = found.span()
        node = constructor.smallest(constructor.start + start, constructor.start + end)
        inner = next((one for one in node.ancestors() if one.type in typescript.FUNCTIONS), None)
        if node.type == "return_statement" and inner == constructor:
            return True
    return False


def _is_symbol(key: SyntaxNode) -> bool:
    """Whether a key in brackets is no name that comes after a dot."""
    return key.type in ("string", "number") or _SYMBOL.match(key.text) is not None


def _binds(node: SyntaxNode, scopes: Scopes) -> Binding | None:
    """Return what a name binds at a place: what may be assigned again has each of its values."""
    found, above = binds(node, scopes), node.parent
    if above is None:
        return found
    if found is not None and above.type == "variable_declarator" and above.part("name") == node:
        is_constant = above.parent is not None and above.parent.children[0].type == "const"
        return (
            found if is_constant else Binding(found.scope, lambda: _values(node, above, found.scope, scopes))
        )
    is_assigned = above.type == "assignment_expression" and above.part("left") == node
    if found is None and is_assigned and scopes.is_part:
        return Binding(scopes.scope_of(node), lambda: assigned_value(above.part("right"), scopes))
    return found


def _values(name: SyntaxNode, declaration: SyntaxNode, scope: SyntaxNode, scopes: Scopes) -> str | None:
    """Return an expression for the only value that a variable has in its scope."""
    values = {declared(declaration, scopes)}
    for start, end in islice(places_of(name.text, scopes.text, scope.start, scope.end), MOST_USES):
        node = scope.smallest(start, end)
        if node.type not in _VARIABLES:
            continue
        top, above = node, node.parent
        while above is not None and above.type in PATTERNS:
            top, above = above, above.parent
        if above is not None and above.type in _ASSIGNING and above.part("left") == top:
            is_plain = above.type == "assignment_expression" and top == node
            values.add(assigned_value(above.part("right"), scopes) if is_plain else "")
    values -= {None}
    return (values.pop() if len(values) == 1 else "") if values else None


def is_open(name: str, before: str) -> bool:
    """Whether anything may come after a name: see `TypeRules.is_open`."""
    is_defined = (name in _OWNERS or name[0].isupper()) and _DEFINING.match(before) is not None
    return is_defined or typescript.is_open(name, before)


def files(module: str, tree: ProjectTree) -> Iterator[str]:
    """Yield the file of a module of JavaScript."""
    yield from (path for path in javascript.files(module, tree) if path.endswith(("js", "jsx")))


RULES = TypeRules(
    typescript.RULES.chunks,
    ScopeRules(typescript.NAMES, typescript.SCOPES, _binds, value, asks, this),
    read,
    files,
    known=typescript.known,
    of_every_type=typescript.OF_EVERY_TYPE | {"__proto__"},
    of_every_class=typescript.OF_EVERY_CLASS,
    is_inside=lambda document, path: document == path,
    is_open=is_open,
)
