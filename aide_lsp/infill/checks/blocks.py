"""Blocks: does the text open the block that the deeper line below it needs?"""

import re
from itertools import islice

from aide_lsp.infill.checks.filled import LINE_BEGIN, MOST_LINES, FilledText, named_before
from aide_lsp.infill.hole import Hole, indentation
from aide_lsp.syntax.node import SyntaxNode

BLOCKS = (
    "block", "compound", "body", "module", "program", "source", "unit", "chunk", "statements", "_list",
    "then", "do_group",
)  # fmt: skip
"""Parts of the types of nodes that hold statements one below the other."""
NO_BLOCKS = (
    "argument", "expression_list", "parameter", "pattern", "initializer", "element", "enum", "import",
    "mapping", "sequence", "node",
)  # fmt: skip
"""Parts of the types of other nodes that match."""
LEVELS = ("label", "case", "default", "preproc", "access", "attribute", "comment", "ERROR")
"""Parts of the types of statements that may be indented otherwise than those around them."""
TRY = "try_statement"
"""In all languages with a grammar that takes one without anything that follows its block."""
TRY_BLOCKS = ("block", "statement_block")
"""Its block, in these languages."""
NOT_BLANK = re.compile(r"\S")
_CLOSERS = re.compile(r"[)\]}]+")


def lacks_opener(filled: FilledText, *, exact: bool) -> bool:
    """Whether the line below the text is deeper than the statement above it, in the same block.

    With `exact`, as where indentation makes blocks, it must not be less deep either.
    """
    node = _statement_at(filled, _line_below(filled))
    previous = None if node is None else named_before(node)
    # What is above the text is not its fault.
    if node is None or previous is None or previous.end <= filled.start:
        return False
    if previous.has_error or not filled.begins_line(previous):
        return False
    if any(part in sibling.type for sibling in (node, previous) for part in LEVELS):
        return False
    deeper = filled.column_of(node) - filled.column_of(previous)
    return deeper != 0 if exact else deeper > 0


def lacks_opening_bracket(hole: Hole, text: str) -> bool:
    """Whether what closes the deeper lines below would close a block further out, or what nothing opens.

    By lines and brackets alone: where nothing opens a block, its file seldom parses well enough for a tree.
    """
    start, end = _closers_below(hole)
    closers = hole.scan(text + hole.tail[:end]).closers if end else ()
    outer = [closer.opening for closer in closers if closer.offset >= len(text) + start]
    # In `})`, the parenthesis may be that of a line further out.
    return any(
        one is None or (one.mark == "{" and _indentation_at(hole.head, one.offset) < hole.base)
        for one in outer
    )


def lacks_handler(filled: FilledText) -> bool:
    """Whether the text begins a `try` that nothing catches; some grammars accept it, no compiler does."""
    return any(
        node.type == TRY and node.start >= filled.start and node.children[-1].type in TRY_BLOCKS
        for node in filled.line_nodes()
    )


def _closers_below(hole: Hole) -> tuple[int, int]:
    """Find the bracket, as deep as the cursor's line, that closes the deeper lines right below it.

    Returns where it begins in the tail, and the end of the brackets after it; (0, 0): there is none.
    """
    is_deeper = False
    lines, cursor = hole.before + hole.tail, len(hole.before)
    start = cursor if hole.is_before_line else cursor + len(hole.after)
    for line in islice(LINE_BEGIN.finditer(lines, start), MOST_LINES):
        depth = _indentation_at(lines, line.start())
        if depth > hole.base:
            is_deeper = True
        elif is_deeper and depth == hole.base and (found := _CLOSERS.match(line.group())):
            return line.start() - cursor, line.start() - cursor + found.end()
        else:
            break
    return 0, 0


def _indentation_at(text: str, offset: int) -> int:
    """Return the indentation of the line at an offset."""
    return indentation(text[text.rfind("\n", 0, offset) + 1 : offset + 1])


def _line_below(filled: FilledText) -> int:
    """Return where the next line that is not blank begins, after its indentation."""
    end = filled.end
    # Complete lines end at the beginning of the user's own line, which is then the one below.
    if filled.text[filled.line_start(end) : end].strip():
        end = filled.text.find("\n", end)
    found = NOT_BLANK.search(filled.text, end) if end >= 0 else None
    return found.start() if found else len(filled.text)


def _statement_at(filled: FilledText, offset: int) -> SyntaxNode | None:
    """Find the statement that begins at an offset, and is not the first in its block."""
    found: SyntaxNode | None = filled.root.smallest(offset, offset + 1)
    while found is not None and found.start == offset:
        parent = found.parent
        if parent is not None and _is_block(parent) and found.is_named and named_before(found) is not None:
            return found
        found = parent
    return None


def _is_block(node: SyntaxNode) -> bool:
    return any(part in node.type for part in BLOCKS) and not any(part in node.type for part in NO_BLOCKS)
