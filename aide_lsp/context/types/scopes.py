"""What names mean at a place in some code, as expressions: see `FileTypes.gives`."""

import re
import sys
from collections.abc import Callable, Collection, Iterator
from functools import lru_cache
from itertools import islice

from attrs import frozen

from aide_lsp.context.types.chunks import Code
from aide_lsp.context.types.facts import SEEN_IN
from aide_lsp.syntax.node import SyntaxNode

MOST_USES = 500
"""Of a name in some code."""
_DOT = re.compile(r"\s*(?:[?!]?\.|::)")
MOST_STEPS = 60
"""From a value to the one that it is from."""


@frozen
class Binding:
    """A place that gives a name a value, or may narrow its type."""

    scope: SyntaxNode
    "In which it does."
    value: Callable[[], str | None]
    "An expression for it; empty: it is not known; None: it has no members."
    start: int = 0
    "From where on the name has it."
    end: int = sys.maxsize
    "Up to where."
    is_inherited: bool = False
    "Whether it is seen in scopes inside, even if the scope is closed."
    is_everywhere: bool = False
    "Whether it concerns the name in all scopes."


@frozen
class ScopeRules:
    """How a language binds names."""

    names: frozenset[str]
    "Types of nodes that are names."
    scopes: frozenset[str]
    "Types of nodes in which names are bound, besides the whole."
    binds: "Callable[[SyntaxNode, Scopes], Binding | None]"
    "What a name binds there, if anything."
    value: "Callable[[SyntaxNode, Scopes], str]"
    "An expression for the value of a node; empty: it is not known."
    asks: Callable[[SyntaxNode], bool] = lambda node: False
    "Whether code asks for the type of a node's value, or gives it another: elsewhere it may be another."
    this: "Callable[[str, int, Scopes], str | None]" = lambda name, at, scopes: None
    "What a name such as `this` means at a place; None: it is a name like others."
    free: "Callable[[str, int, Scopes], str]" = lambda name, at, scopes: name
    "What a name means at a place that the code does not bind."
    closed: frozenset[str] = frozenset()
    "Scopes whose names are not seen in those inside."
    shadows: bool = False
    "Whether a name that is bound again in a scope is another one from there on."


class Scopes:
    """The scopes of some code. Not thread-safe."""

    def __init__(self, code: Code, rules: ScopeRules, outer: Callable[[str], str] | None = None) -> None:
        """Take the code; `outer`: what a name means that is not bound in it, or not below its top level."""
        self.root, self.text, self._lost = code.root, code.text, code.lost
        self._rules, self._outer = rules, outer
        self._bindings: dict[str, tuple[Binding, ...]] = {}
        self._pending = list[Callable[[], str | None]]()
        self._steps = 0

    @property
    def is_part(self) -> bool:
        """Whether what it does not bind is bound around it."""
        return self._outer is not None

    def value(self, node: SyntaxNode | None) -> str:
        """Return an expression for the value of a node; empty: it is not known."""
        return "" if node is None else self.counted(lambda: self._rules.value(node, self)) or ""

    def meaning(self, name: str, at: int) -> str:
        """Return an expression for what a name means at a place; empty: it is not known.

        `name()` is what calling it gives, where functions have names of their own.
        """
        if self._lost and is_used_alone(name, self._lost):
            return ""
        if (special := self._rules.this(name, at, self)) is not None:
            return special
        bindings = self.bindings(name)
        if any(one.is_everywhere for one in bindings):
            return ""
        for number, scope in enumerate(self.around(at) if bindings else ()):
            if self._outer is None and scope == self.root:
                break
            is_closed = number > 0 and scope.type in self._rules.closed
            found = [
                one
                for one in bindings
                if one.scope == scope and one.start <= at <= one.end and (one.is_inherited or not is_closed)
            ]
            if found:
                if self._rules.shadows:
                    last = max(one.start for one in found)
                    found = [one for one in found if one.start == last]
                values = {self.counted(one.value) for one in found} - {None}
                return (values.pop() or "") if len(values) == 1 else ""
        return self._rules.free(name, at, self) if self._outer is None else self._outer(name)

    def is_asked(self, chain: str, at: int | None = None) -> bool:
        """Whether code around a place, or any, asks for the type of what a name or a chain of names is."""
        for start, end in islice(places_of(chain, self.text), MOST_USES):
            node = self.root.smallest(start, end)
            if node.start == start and node.end == end and self._rules.asks(node):
                scope = self.scope_of(node)
                if at is None or scope.start <= at <= scope.end:
                    return True
        return False

    def scope_of(self, node: SyntaxNode) -> SyntaxNode:
        """Return the innermost scope around a node."""
        return next((one for one in node.ancestors() if one.type in self._rules.scopes), self.root)

    def around(self, at: int) -> Iterator[SyntaxNode]:
        """Yield the scopes around a place, innermost first."""
        node = self.root.smallest(at, at)
        for one in (node, *node.ancestors()):
            if one.type in self._rules.scopes or one == self.root:
                yield one

    def bindings(self, name: str) -> tuple[Binding, ...]:
        """Return what binds a name."""
        if name not in self._bindings:
            places = list(islice(places_of(name, self.text), MOST_USES + 1))
            found = filter(None, (self._binding(*one) for one in places[:MOST_USES]))
            many = Binding(self.root, unknown, is_everywhere=True)
            self._bindings[name] = (many,) if len(places) > MOST_USES else tuple(found)
        return self._bindings[name]

    def _binding(self, start: int, end: int) -> Binding | None:
        node = self.root.smallest(start, end)
        if node.type not in self._rules.names or node.start != start or node.end != end:
            return None
        is_lone = node.parent is None or node.parent.is_error
        return Binding(self.root, unknown) if is_lone else self._rules.binds(node, self)

    def counted(self, compute: Callable[[], str | None]) -> str | None:
        """Compute a value, which may take others that are counted; empty: they do not end, or are many."""
        if compute in self._pending or self._steps > MOST_STEPS:
            return ""
        self._steps += 1
        self._pending.append(compute)
        try:
            return compute()
        finally:
            self._pending.pop()
            self._steps *= bool(self._pending)


def unknown() -> str:
    """Return that a value is not known."""
    return ""


@frozen
class Guards:
    """Calls that may be type guards: their result says what type an argument has."""

    names: re.Pattern[str]
    "Functions that are."
    operators: Collection[str]
    "Types of nodes whose value depends on that of a call: brackets, negation, and what joins conditions."
    tests: Collection[str]
    "Types of nodes that have a condition: any function may be a guard there."

    def include(self, call: SyntaxNode | None) -> bool:
        """Whether a call may be one."""
        function = call.part("function") if call is not None else None
        if call is None or function is None:
            return False
        above, is_joined = call.parent, False
        while above is not None and above.type in self.operators:
            is_joined |= len(above.named_children) > 1
            above = above.parent
        is_tested = is_joined or (above is not None and above.type in self.tests)
        return is_tested or self.names.fullmatch(function.text) is not None


@lru_cache(64)
def _pattern(chain: str) -> re.Pattern[str]:
    names = r"[?!]?\.".join(map(re.escape, chain.split(".")))
    return re.compile(rf"{names}(?![\w$])")


def places_of(chain: str, text: str, first: int = 0, last: int | None = None) -> Iterator[tuple[int, int]]:
    """Yield where a part of a text has a name or a chain of names that is no part of another."""
    for found in _pattern(chain).finditer(text, first, len(text) if last is None else last):
        start, end = found.span()
        before = text[start - 1 : start]
        # Three dots before a name are no part of a dotted name.
        is_inside = before == "." and text[max(start - 3, 0) : start] != "..."
        if not (is_inside or before.isalnum() or before in ("_", "$", "#")):
            yield start, end


def is_used_alone(chain: str, text: str) -> bool:
    """Whether a text has a name or a chain of names with no dot after it: it may bind it."""
    return any(not _DOT.match(text, end) for _, end in places_of(chain, text))


def is_free(name: str, meaning: str) -> bool:
    """Whether a name has a meaning that the code does not give it."""
    return meaning.rpartition(SEEN_IN)[2] == name
