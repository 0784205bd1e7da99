"""What the checks read: the tree of the text with a completion inserted."""

import re
from collections.abc import Callable, Iterator

from attrs import frozen

from aide_lsp.syntax.node import SyntaxNode
from aide_lsp.syntax.tree import SyntaxTree

MOST_LINES = 200
"""Lines of a completion that are looked at."""
LINE_BEGIN = re.compile(r"\S[^\n]*")
"""What is on a line."""


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

    def line_nodes(self) -> Iterator[SyntaxNode]:
        """Yield the nodes with which the completion's lines begin, of each line the inner ones first."""
        # From above, a flat file of many statements would have to be read as a whole.
        offsets = [match.start() for match in LINE_BEGIN.finditer(self.text, self.start, self.end)]
        for offset in offsets[:MOST_LINES]:
            node: SyntaxNode | None = self.root.smallest(offset, offset + 1)
            while node is not None and node.start == offset:
                yield node
                node = node.parent


def text_before(tree: SyntaxTree, text: str, find: Callable[[FilledText], int | None]) -> str:
    """Return a text up to the offset that `find` returns for it; all of it: there is none."""
    parsed = tree.filled(text)
    if parsed is None:
        return text
    offset = find(FilledText(parsed.text, parsed.root, tree.cursor, parsed.cursor))
    return text if offset is None else text[: max(0, offset - tree.cursor)].rstrip()


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
