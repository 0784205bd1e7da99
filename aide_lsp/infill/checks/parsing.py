"""Syntax: would the file still parse with the text inserted, though it can be parsed?

What can be parsed is tried: if the file parses without the cursor's line, or with something simple at the
cursor, what is inserted must not add faults. Grammars do not know every dialect, and code is often unfinished
elsewhere, so only the faults near the cursor count where the file has others.
"""

from collections.abc import Iterator

from aide_lsp.syntax.node import SyntaxNode
from aide_lsp.syntax.tree import SyntaxTree

NEARBY = 2000
"""Characters around the cursor in which faults count if the file has others."""
FEW_FAULTS = 4
"""Faults near the cursor that may come from the cursor's line alone."""
FILLERS = ("", "x", "0", "x;", '"x": 0', "{", "x {", "x) {", "x):", "x)", "x);")
"""What is tried at the cursor: most lines and statements can be completed with one of these."""
ENDS = ("", ";", ":", " {}")
"""What may follow a closing bracket that the user has not typed yet."""
CLOSERS = {"(": ")", "[": "]", "{": "}"}


def breaks_syntax(tree: SyntaxTree, filled: SyntaxTree, text: str) -> bool:
    """Whether the text adds faults to a file that can be parsed."""
    total, near = _count(filled)
    if not total or not _can_be_parsed(tree, near):
        return False
    return not _is_unfinished(tree, text)


def _can_be_parsed(tree: SyntaxTree, near: int) -> bool:
    """Whether the file can do without faults; near the cursor, if the text has `near` of them there."""
    total_before, near_before = _count(tree.without_line)
    if not total_before or (near and not near_before):
        return True
    # A dialect that the grammar does not know: nothing will help, and parsing it takes long.
    if near_before > FEW_FAULTS:
        return False
    return any(
        other is not None and (not _count(other)[0] or (near > 0 and not _count(other)[1]))
        for other in map(tree.filled, FILLERS)
    )


def _is_unfinished(tree: SyntaxTree, text: str) -> bool:
    """Whether the file parses once the brackets are closed that the cursor's line left open."""
    closers = _open_at_cursor(tree)
    start = text.rstrip().rstrip(",") + closers
    others = (tree.filled(start + end) for end in ENDS) if closers else ()
    return any(other is not None and not _count(other)[0] for other in others)


def _open_at_cursor(tree: SyntaxTree) -> str:
    """Return what closes the brackets that are open at the cursor and were opened in its line."""
    start = tree.text.rfind("\n", 0, tree.cursor) + 1
    stack: list[str] = []
    for leaf in _leaves(tree.root, start, tree.cursor):
        if leaf.type in CLOSERS:
            stack.append(CLOSERS[leaf.type])
        elif stack and leaf.type == stack[-1]:
            stack.pop()
    return "".join(reversed(stack))


def _leaves(root: SyntaxNode, start: int, end: int) -> Iterator[SyntaxNode]:
    stack = [root]
    while stack:
        node = stack.pop()
        if node.start < end and node.end > start:
            children = node.children
            if not children:
                yield node
            stack.extend(reversed(children))


def _count(tree: SyntaxTree) -> tuple[int, int]:
    """Count the faults, in all and near the cursor."""
    faults = tree.faults()
    start, end = tree.cursor - NEARBY, tree.cursor + NEARBY
    return len(faults), sum(fault.start <= end and fault.end >= start for fault in faults)
