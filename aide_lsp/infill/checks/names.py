"""Names: is every name that the function at the cursor uses bound somewhere?

Cheap and conservative: only the outermost function around the cursor is looked at, if it parses, and the rest
of the file only for what is not bound in it. Where names may come from elsewhere, as with `from x import *`,
none is missed.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from attrs import frozen

from aide_lsp.infill.checks.binding_rules import BindingRules
from aide_lsp.infill.checks.filled import FilledText
from aide_lsp.syntax.node import SyntaxNode

MOST_NODES = 6000
"""Nodes of a function that are looked at; a longer one is not checked."""
MOST_BINDINGS = 100
"""Places of one name that are looked at; one that is in more is not missed."""
DUNDER = re.compile(r"__\w+__")
CLASS = re.compile(r"_*[A-Z]\w*[a-z]")
"""What classes are called, which a function does not bind."""
WORD = re.compile(r"[^\W\d][\w$]*")


@frozen
class Name:
    """A name in a function."""

    text: str
    start: int
    scope: tuple[int, int]
    "The function or comprehension it belongs to: start and end."
    is_local: bool
    "Whether that is one that may use names before they are bound."
    loops: frozenset[int]
    "Where the loops around it begin."
    binding: SyntaxNode | None
    "What binds it; None: it is used."
    is_value: bool
    "Whether it is used as a value is, rather than as what may be imported."


def find_unbound(filled: FilledText, rules: BindingRules) -> Iterator[Name]:
    """Yield the names that are used from the cursor on, in the function there, and bound nowhere."""
    functions = list(_functions_at(filled.root, filled.start, filled.end, rules))
    if not functions or functions[-1].has_error:
        return
    names = _names(functions[-1], rules)
    if names is None:
        return
    # Below, only where the text could have bound them.
    end = next((one.end for one in functions if one.start < filled.start), filled.end)
    # Where a name comes from that the user has used already is not the text's concern, nor is an import that
    # the code below still needs.
    used = {name.text for name in names if name.binding is None and name.start < filled.start}
    used |= {name.text for name in names if name.start >= filled.end and CLASS.match(name.text)}
    found = [
        name
        for name in _unbound(names)
        if filled.start <= name.start < end
        and name.is_value
        and name.text not in used
        and name.text not in rules.builtins
        and not DUNDER.fullmatch(name.text)
    ]
    # The rest of the file is read only now: there seldom is such a name.
    if found and not _may_have_others(filled.text, rules):
        known = set(_mentioned({name.text for name in found}, filled.root, functions[-1], rules))
        yield from (name for name in found if name.text not in known)


def _may_have_others(text: str, rules: BindingRules) -> bool:
    """Whether a file may use names that nothing in it binds."""
    is_closed = rules.is_closed is None or rules.is_closed.search(text) is not None
    return not is_closed or rules.from_elsewhere.search(text) is not None


def _functions_at(root: SyntaxNode, start: int, end: int, rules: BindingRules) -> Iterator[SyntaxNode]:
    """Yield the functions around a range, the innermost first."""
    node = root.smallest(start, end)
    return (one for one in (node, *node.ancestors()) if one.type in rules.functions)


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
    is_value: bool


def _names(function: SyntaxNode, rules: BindingRules) -> list[Name] | None:
    """Return the names in a function, or in another part of a file; None: it is too long."""
    stack, names = [_Place(function, function, None, frozenset(), False)], list[Name]()
    for _ in range(MOST_NODES):
        if not stack:
            return names
        place = stack.pop()
        node, scope = place.node, place.scope
        if node.type in rules.names:
            local = scope.type in rules.local_scopes
            span = scope.start, scope.end
            is_value = rules.values is None or (place.is_value and node.text[:1].islower())
            binding = place.binding or (node if node.type in rules.binding else None)
            names.append(Name(node.text, node.start, span, local, place.loops, binding, is_value))
        else:
            stack.extend(_parts(place, rules))
    return None


def _parts(place: _Place, rules: BindingRules) -> Iterator[_Place]:
    node, kind = place.node, place.node.type
    loops = place.loops | {node.start} if kind in rules.loops else place.loops
    is_scope = kind in rules.local_scopes or kind in rules.other_scopes
    inside = node if is_scope else place.scope
    binding = node if place.binding is None and kind in rules.binding else place.binding
    children: Iterable[SyntaxNode | None] = node.named_children
    if kind in rules.only:
        children, binding = [node.part(rules.only[kind])], None
    parts = {(part.start, part.end): (name, binds) for name, binds in rules.parts.get(kind, {}).items()
             if (part := node.part(name)) is not None}  # fmt: skip
    value = _value_part(node, rules)
    for child in children:
        if child is None:
            continue
        name, binds = parts.get((child.start, child.end), ("", None))
        bound_by = binding if binds is None else (node if binds else None)
        # The name of a definition belongs to the scope around it.
        scope = place.scope if name == "name" else inside
        yield _Place(child, scope, bound_by, loops, value is not None and value in (node, child))


def _value_part(node: SyntaxNode, rules: BindingRules) -> SyntaxNode | None:
    """Return the part of a node in which a name is one of a value: all of it, one part, or None."""
    part = (rules.values or {}).get(node.type)
    return node.part(part) if part else (None if part is None else node)


def _mentioned(words: set[str], root: SyntaxNode, function: SyntaxNode, rules: BindingRules) -> Iterator[str]:
    """Yield words that are names of the file's top level, or that other code than `function` uses unbound."""
    for child in root.named_children:
        offsets: dict[str, list[int]] = {}
        for match in WORD.finditer(child.text):
            offset = child.start + match.start()
            if match.group() in words and not function.start <= offset < function.end:
                offsets.setdefault(match.group(), []).append(offset)
        if not offsets:
            continue
        definition = child.part("definition") or child.part("declaration") or child
        names, own = _names(definition, rules), definition.part("name")
        if names is None:
            yield from offsets
            continue
        if definition.type not in rules.definitions:
            span = definition.start, definition.end
            yield from (one.text for one in names if one.binding is not None and one.scope == span)
            # Outside functions, comments and strings count, too.
            yield from (word for word, found in offsets.items() if _is_outside(root, found, rules))
        elif own is not None:
            yield own.text
        yield from (use.text for use in _unbound(names) if use.start in offsets.get(use.text, ()))


def _is_outside(root: SyntaxNode, offsets: Sequence[int], rules: BindingRules) -> bool:
    """Whether one of some places is in no function."""
    if len(offsets) > MOST_BINDINGS:
        return True
    return not all(any(_functions_at(root, offset, offset + 1, rules)) for offset in offsets)


def _unbound(names: Sequence[Name]) -> Iterator[Name]:
    """Yield the names that are used, and that no other of the names binds."""
    bindings: dict[str, list[Name]] = {}
    for name in names:
        if name.binding is not None:
            bindings.setdefault(name.text, []).append(name)
    for name in names:
        found = bindings.get(name.text, ())
        is_known = len(found) > MOST_BINDINGS or any(_binds(binding, name) for binding in found)
        if name.binding is None and not is_known:
            yield name
