"""What the checks read: the tree of the text with a completion inserted."""

from collections.abc import Iterator

from attrs import frozen

from aide_lsp.syntax.node import SyntaxNode

MOST_NODES = 4000
"""Nodes that a check visits at most."""


@frozen
class FilledText:
    """A text with a completion inserted, and its tree; offsets are those of the tree."""

    text: str
    "The text."
    root: SyntaxNode
    "The root of its tree."
    start: int
    "Where the completion begins."
    end: int
    "Where it ends."

    def column_of(self, node: SyntaxNode) -> int:
        """Count the characters left of a node in its line."""
        return node.start - self.line_start(node.start)

    def begins_line(self, node: SyntaxNode) -> bool:
        """Whether only blanks are left of a node."""
        return not self.text[self.line_start(node.start) : node.start].strip()

    def line_start(self, offset: int) -> int:
        """Return where the line of an offset begins."""
        return self.text.rfind("\n", 0, offset) + 1

    def nodes(self) -> Iterator[SyntaxNode]:
        """Yield the nodes that overlap the completion, the outer ones first, at most `MOST_NODES` of them."""
        stack = [self.root]
        for _ in range(MOST_NODES):
            if not stack:
                return
            node = stack.pop()
            yield node
            stack.extend(
                child for child in node.children if child.start < self.end and child.end > self.start
            )


def named_after(node: SyntaxNode) -> SyntaxNode | None:
    """Find the next named part that is no comment."""
    found = node.next
    while found is not None and _is_aside(found):
        found = found.next
    return found


def named_before(node: SyntaxNode) -> SyntaxNode | None:
    """Find the named part before, if it is no comment."""
    found = node.previous
    while found is not None and _is_aside(found):
        found = found.previous
    return found


def _is_aside(node: SyntaxNode) -> bool:
    return not node.is_named or "comment" in node.type
