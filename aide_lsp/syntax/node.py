"""A node of a syntax tree, with offsets in code points of the text that was parsed."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from attrs import field, frozen

if TYPE_CHECKING:
    import tree_sitter


@frozen
class SyntaxNode:
    """A node of a tree. Its types are those of the grammar; a token that has no name is its own text."""

    _node: "tree_sitter.Node"
    _text: str = field(repr=False)

    @property
    def type(self) -> str:
        """The grammar's word for it; `ERROR` if it does not parse."""
        return self._node.type

    @property
    def start(self) -> int:
        """Where it begins."""
        return self._node.start_byte

    @property
    def end(self) -> int:
        """Where it ends."""
        return self._node.end_byte

    @property
    def text(self) -> str:
        """Its text."""
        return self._text[self.start : self.end]

    @property
    def is_named(self) -> bool:
        """Whether it is more than a mark or a keyword."""
        return self._node.is_named

    @property
    def is_error(self) -> bool:
        """Whether this text does not parse."""
        return self._node.is_error

    @property
    def is_missing(self) -> bool:
        """Whether the parser added it: the text does not have it."""
        return self._node.is_missing

    @property
    def has_error(self) -> bool:
        """Whether something in it does not parse or is missing."""
        return self._node.has_error

    @property
    def children(self) -> "tuple[SyntaxNode, ...]":
        """All its parts, marks and keywords too."""
        return tuple(SyntaxNode(child, self._text) for child in self._node.children)

    @property
    def named_children(self) -> "tuple[SyntaxNode, ...]":
        """Its parts that are more than a mark or a keyword."""
        return tuple(SyntaxNode(child, self._text) for child in self._node.named_children)

    @property
    def parent(self) -> "SyntaxNode | None":
        """The node that it is part of."""
        return self._wrap(self._node.parent)

    @property
    def previous(self) -> "SyntaxNode | None":
        """The part to the left of it."""
        return self._wrap(self._node.prev_sibling)

    @property
    def next(self) -> "SyntaxNode | None":
        """The part to the right of it."""
        return self._wrap(self._node.next_sibling)

    def part(self, name: str) -> "SyntaxNode | None":
        """Find a part by its name (field) in the grammar."""
        return self._wrap(self._node.child_by_field_name(name))

    def smallest(self, start: int, end: int) -> "SyntaxNode":
        """Find the smallest named node in it that spans a range."""
        found = self._node.named_descendant_for_byte_range(max(start, 0), max(end, 0))
        return self if found is None else SyntaxNode(found, self._text)

    def ancestors(self) -> "Iterator[SyntaxNode]":
        """Yield what it is part of, the innermost first."""
        node = self._node.parent
        while node is not None:
            yield SyntaxNode(node, self._text)
            node = node.parent

    def _wrap(self, node: "tree_sitter.Node | None") -> "SyntaxNode | None":
        return None if node is None else SyntaxNode(node, self._text)
