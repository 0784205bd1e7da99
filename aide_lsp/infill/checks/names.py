"""Names: is every name that the function at the cursor uses bound somewhere?

Cheap and conservative: only the outermost function around the cursor is looked at, and of the rest of the
file only what its top level mentions. Where names may come from elsewhere, as with `from x import *`, none is
missed.
"""

import builtins
import re
from collections.abc import Iterator

from attrs import frozen

from aide_lsp.infill.checks.filled import FilledText
from aide_lsp.syntax.node import SyntaxNode

MOST_NODES = 6000
"""Nodes of a function that are looked at; a longer one is not checked."""
FUNCTION = "function_definition"
DEFINITIONS = (FUNCTION, "class_definition")
COMPREHENSIONS = (
    "list_comprehension", "set_comprehension", "dictionary_comprehension", "generator_expression",
)  # fmt: skip
SCOPES = (*DEFINITIONS, *COMPREHENSIONS, "lambda")
LOOPS = ("for_statement", "while_statement")
PARTS = {
    FUNCTION: {"name": True, "parameters": True, "type_parameters": True},
    "class_definition": {"name": True, "type_parameters": True},
    "lambda": {"parameters": True},
    "assignment": {"left": True},
    "for_statement": {"left": True},
    "for_in_clause": {"left": True},
    "named_expression": {"name": True},
    "type_alias_statement": {"left": True},
    # A target such as `x.a` or `x[i]`, a default value, and an annotation use names.
    "subscript": {"value": False, "subscript": False},
    "default_parameter": {"value": False},
    "typed_parameter": {"type": False},
    "typed_default_parameter": {"value": False, "type": False},
}
"""Kinds of nodes whose parts bind names, or only use them: for each part, whether it binds."""
BINDING_NODES = (
    "import_statement", "import_from_statement", "global_statement", "nonlocal_statement", "case_pattern",
    "as_pattern_target", "delete_statement",
)  # fmt: skip
"""Nodes in which every name is bound."""
DUNDER = re.compile(r"__\w+__")
FROM_ELSEWHERE = re.compile(r"import\s*\(?\s*\*|\bexec\(|\bglobals\(\)|\blocals\(\)")
CLASS = re.compile(r"_*[A-Z]\w*[a-z]")
"""What classes are called, which a function does not bind."""
WORD = re.compile(r"[^\W\d]\w*")
BUILTINS = frozenset(dir(builtins))


@frozen
class Name:
    """A name in a function."""

    text: str
    start: int
    scope: tuple[int, int]
    "The function or comprehension it belongs to: start and end."
    is_local: bool
    "Whether that is a comprehension, which may use names before they are bound."
    loops: frozenset[int]
    "Where the loops around it begin."
    binding: SyntaxNode | None
    "What binds it; None: it is used."


def find_unbound(filled: FilledText) -> Iterator[Name]:
    """Yield the names that are used in the function at the cursor, from there on, and bound nowhere."""
    function = _function_at(filled)
    if function is None:
        return
    names = list(_names(function))
    if len(names) >= MOST_NODES:
        return
    bindings: dict[str, list[Name]] = {}
    for name in names:
        if name.binding is not None:
            bindings.setdefault(name.text, []).append(name)
    # Where a name comes from that the user has used already is not the text's concern, nor is an import that
    # the code below still needs.
    known = {name.text for name in names if name.binding is None and name.start < filled.start} | BUILTINS
    known |= {name.text for name in names if name.start >= filled.end and CLASS.match(name.text)}
    unbound = [
        name
        for name in names
        if name.binding is None
        and name.start >= filled.start
        and name.text not in known
        and not DUNDER.fullmatch(name.text)
        and not any(_binds(binding, name) for binding in bindings.get(name.text, ()))
    ]
    # The rest of the file is read only now: there seldom is such a name.
    if unbound and not FROM_ELSEWHERE.search(filled.text):
        top_level = _top_level(filled.root)
        yield from (name for name in unbound if name.text not in top_level)


def _function_at(filled: FilledText) -> SyntaxNode | None:
    node = filled.root.smallest(filled.start, filled.end)
    functions = [one for one in (node, *node.ancestors()) if one.type == FUNCTION]
    return functions[-1] if functions else None


def _binds(binding: Name, use: Name) -> bool:
    start, end = binding.scope
    if not start <= use.start < end:
        return False
    if binding.is_local or binding.scope != use.scope:
        return True
    statement = binding.binding
    right = statement.part("right") if statement is not None and statement.type == "assignment" else None
    if right is not None and right.start <= use.start < right.end:
        return False
    return binding.start < use.start or not binding.loops.isdisjoint(use.loops)


@frozen
class _Place:
    """A node, and what is known from the nodes around it."""

    node: SyntaxNode
    scope: SyntaxNode
    binding: SyntaxNode | None
    loops: frozenset[int]


def _names(function: SyntaxNode) -> Iterator[Name]:
    stack = [_Place(function, function, None, frozenset())]
    for _ in range(MOST_NODES):
        if not stack:
            return
        place = stack.pop()
        node, scope = place.node, place.scope
        if node.type == "identifier":
            local = scope.type in COMPREHENSIONS
            span = scope.start, scope.end
            yield Name(node.text, node.start, span, local, place.loops, place.binding)
        else:
            stack.extend(_parts(place))


def _parts(place: _Place) -> Iterator[_Place]:
    node, kind = place.node, place.node.type
    loops = place.loops | {node.start} if kind in LOOPS else place.loops
    inside = node if kind in SCOPES else place.scope
    binding = node if place.binding is None and kind in BINDING_NODES else place.binding
    # In `x.a` and `f(a=1)`, `a` is no variable; and `x` in `x.a = 1` is used.
    if kind == "attribute":
        children, binding = [node.part("object")], None
    elif kind == "keyword_argument":
        children = [node.part("value")]
    else:
        children = list(node.named_children)
    parts = {(part.start, part.end): (name, binds) for name, binds in PARTS.get(kind, {}).items()
             if (part := node.part(name)) is not None}  # fmt: skip
    for child in children:
        if child is None:
            continue
        name, binds = parts.get((child.start, child.end), ("", None))
        bound_by = binding if binds is None else (node if binds else None)
        # The name of a definition belongs to the scope around it.
        yield _Place(child, place.scope if name == "name" else inside, bound_by, loops)


def _top_level(root: SyntaxNode) -> set[str]:
    """Return the names that the top level of the file mentions."""
    known: set[str] = set()
    for child in root.named_children:
        definition = child.part("definition") or child
        name = definition.part("name") if definition.type in DEFINITIONS else None
        known.update([name.text] if name else WORD.findall(child.text))
    return known
