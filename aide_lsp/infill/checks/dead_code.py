"""Dead code: statements after a jump in the same block, which would never run."""

import re
from collections.abc import Iterator
from itertools import islice

from aide_lsp.infill.checks.filled import FilledText, named_after
from aide_lsp.infill.hole import Hole
from aide_lsp.syntax.node import SyntaxNode

JUMPS = {
    "return_statement", "raise_statement", "continue_statement", "break_statement", "throw_statement",
    "goto_statement", "exit_statement", "co_return_statement", "return_expression", "continue_expression",
    "break_expression", "throw_expression", "jump_expression", "control_transfer_statement",
    "return", "next", "redo", "retry", "break",
}  # fmt: skip
"""Nodes after which the rest of the block does not run, in all languages."""
CALLS = {
    "macro_invocation": ("macro", {"panic", "unreachable", "todo", "unimplemented"}),
    "call_expression": ("function", {"panic", "os.Exit", "log.Fatal", "log.Fatalf", "process.exit"}),
    "call": ("function", {"sys.exit", "exit", "quit", "os._exit"}),
    "command": ("name", {"exit", "return", "break", "continue"}),
    "function_call": ("name", {"error", "os.exit"}),
}
"""Calls that do not return: for each kind of node, the part with the name, and the names."""
WRAPPER = "expression_statement"
"""What turns an expression into a statement."""
NOT_IN_ORDER = (
    "label", "case", "default", "else", "elif", "elseif", "catch", "except", "rescue", "ensure", "finally",
    "preproc", "switch_", "when_", "function", "method", "class", "struct", "interface", "enum", "type_",
    "import", "comment", "empty_statement", "_item", "macro_definition", "namespace", "heredoc", "text",
    "php_", "ERROR",
)  # fmt: skip
"""Parts of the types of nodes that run, or count, whatever is above them."""
IFS = ("if_statement", "if_expression", "if")
"""Nodes that jump if all their branches do."""
BRANCHES = ("block", "body", "clause", "compound", "else", "elif", "elsif", "statement_list", "then", WRAPPER)
"""Parts of the types of nodes between them and the jumps."""
ELSE_IFS = ("elif", "elsif", "elseif")
"""Parts of the types of branches after which there may be none."""
DEEPEST = 12
"""Nodes between an `if` and its jumps."""
SWITCHES = ("case", "switch", "default")
"""Parts of the types of nodes in which a `break` after a jump is a habit."""

ELSE = re.compile(r"^([ \t]*)(\}[ \t]*)?else\b(?![ \t]*if)", re.MULTILINE)
"""How the last branch of an `if` begins."""
YIELD = re.compile(r"yield\b")


def leaves_dead_code(filled: FilledText) -> bool:
    """Whether the text ends a block, and code follows in it."""
    return any(_is_dead_end(node, filled) for node in filled.line_nodes())


def without_else(hole: Hole, text: str) -> str:
    """Return the text without the last branch of its `if`, in whose place the code below may be."""
    found = [branch for branch in ELSE.finditer(text) if branch.start() and len(branch[1]) == hole.base]
    return text[: found[-1].end(2) if found[-1][2] else found[-1].start()].rstrip() if found else text


def _is_dead_end(jump: SyntaxNode, filled: FilledText) -> bool:
    # A jump that the user wrote is theirs.
    if jump.start < filled.start or not _is_jump(jump):
        return False
    return any(_is_followed(node, filled) for node in _ends(jump))


def _ends(jump: SyntaxNode) -> Iterator[SyntaxNode]:
    """Yield a jump, and the `if` around it if all its branches jump."""
    yield jump
    for node in islice(jump.ancestors(), DEEPEST):
        if node.type in IFS:
            if not _always_jumps(node, DEEPEST):
                return
            yield node
        elif not _is_branch(node):
            return


def _always_jumps(node: SyntaxNode, depth: int) -> bool:
    if not depth or _is_jump(node):
        return depth > 0
    branches = [child for child in node.named_children if "comment" not in child.type]
    if node.type not in IFS:
        return _is_branch(node) and bool(branches) and _always_jumps(branches[-1], depth - 1)
    branches = [child for child in branches if _is_branch(child) or child.type in IFS or _is_jump(child)]
    has_else = len(branches) > 1 and not any(part in branches[-1].type for part in ELSE_IFS)
    return has_else and all(_always_jumps(branch, depth - 1) for branch in branches)


def _is_branch(node: SyntaxNode) -> bool:
    return any(part in node.type for part in BRANCHES)


def _is_followed(jump: SyntaxNode, filled: FilledText) -> bool:
    """Whether code follows in the same block."""
    parent = jump.parent
    node = jump if parent is None or parent.type != WRAPPER else parent
    block, following = node.parent, named_after(node)
    if block is None or block.is_error or following is None or _runs_anyway(following):
        return False
    if "\n" not in filled.text[node.end : following.start]:
        return False
    return not ("break" in following.type and any(part in block.type for part in SWITCHES))


def _is_jump(node: SyntaxNode) -> bool:
    if node.type in JUMPS:
        # `break` is also the type of the keyword itself.
        return node.is_named
    if node.type not in CALLS:
        return False
    part, names = CALLS[node.type]
    callee = node.part(part)
    return callee is not None and callee.text in names


def _runs_anyway(node: SyntaxNode) -> bool:
    # A `yield` after the end makes an empty generator of a function.
    return any(part in node.type for part in NOT_IN_ORDER) or YIELD.match(node.text) is not None
