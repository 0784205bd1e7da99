"""Syntax: would the file still parse with the text inserted, though it can be parsed?

What can be parsed is tried: if the file parses without the cursor's line, or with something simple at the
cursor, what is inserted must not add faults. Grammars do not know every dialect, and code is often unfinished
elsewhere, so only the faults near the cursor count where the file has others.
"""

import re

from aide_lsp.infill.hole import Hole, indentation
from aide_lsp.syntax.openings import Opening, OpeningKind
from aide_lsp.syntax.tree import SyntaxTree

NEARBY = 2000
"""Characters around the cursor in which faults count if the file has others."""
FEW_FAULTS = 4
"""Faults near the cursor that may come from the cursor's line alone."""
FILLERS = ("{", "0", '"x": 0')
"""What is tried at the cursor, besides a name that ends in one of these ways."""
BLOCK_FILLERS = ("{", "x {", "if (x) {", "x = [", '"x": {', '"x": [')
"""Where the line below is deeper, and needs a block."""
ENDS = ("", ";", " {}", " {", ":")
"""What may follow a name, or a closing bracket that the user has not typed yet."""
MACROS = re.compile(r"\b(?:[A-Z][A-Z\d_]{2,}|__\w+)\s+[*(]?\w|^\s*#", re.MULTILINE)
"""Words that stand for anything, such as `static INLINE int`, and directives."""


def breaks_syntax(hole: Hole, tree: SyntaxTree, filled: SyntaxTree, text: str, *, is_cut: bool) -> bool:
    """Whether the text adds faults to a file that can be parsed."""
    if tree.language.has_dialects:
        return False
    if tree.language.has_macros and MACROS.search(text):
        return False
    total, near = _count(filled)
    if not total or not _can_be_parsed(hole, tree, near):
        return False
    return not _is_unfinished(hole, tree, text, is_cut=is_cut)


def _can_be_parsed(hole: Hole, tree: SyntaxTree, near: int) -> bool:
    """Whether the file can do without faults; near the cursor, if the text has `near` of them there."""
    known = [_count(tree), _count(tree.without_line)]
    if not all(total for total, _ in known):
        return True
    # A block that nothing opens may leave faults anywhere.
    openers = BLOCK_FILLERS if indentation(hole.below) > hole.base else ()
    opened = [_count(other) for other in map(tree.filled, openers) if other is not None]
    if not all(total for total, _ in opened):
        return True
    # The file has faults elsewhere, and only those near the cursor can be the text's.
    if not near:
        return False
    fewest = min(near_before for _, near_before in (*known, *opened))
    # A dialect that the grammar does not know: nothing will help, and parsing it takes long.
    if not 0 < fewest <= FEW_FAULTS:
        return not fewest
    closers = _closers(hole, hole.open)
    others = map(tree.filled, (*(f"x{closers}{end}" for end in ENDS), *FILLERS))
    return any(other is not None and not all(_count(other)) for other in others)


def _is_unfinished(hole: Hole, tree: SyntaxTree, text: str, *, is_cut: bool) -> bool:
    """Whether the file parses once the brackets are closed that are open at the cursor, or after the text."""
    scanned = hole.scan(text)
    opened = scanned.opened if is_cut and not hole.after.strip() else ()
    own = "".join(one.closer for one in reversed(opened) if one.kind is OpeningKind.BRACKET)
    closers = f"\n{own}" * bool(own) + _closers(hole, hole.open[: scanned.kept])
    start = text.rstrip().rstrip(",") + closers
    others = (tree.filled(start + end) for end in ENDS) if closers else ()
    return any(other is not None and not _count(other)[0] for other in others)


def _closers(hole: Hole, still_open: tuple[Opening, ...]) -> str:
    """Return what closes the innermost of these brackets, which nothing after the cursor closes."""
    line_start = len(hole.head) - len(hole.before)
    closers = ""
    for opening in reversed(still_open):
        # A brace of an earlier line is that of a block, which may be unfinished.
        is_near = opening.mark in "([" or opening.offset >= line_start
        if opening.kind is not OpeningKind.BRACKET or opening.is_closed or not is_near:
            break
        closers += opening.closer
    return closers


def _count(tree: SyntaxTree) -> tuple[int, int]:
    """Count the faults, in all and near the cursor."""
    faults = tree.faults()
    start, end = tree.cursor - NEARBY, tree.cursor + NEARBY
    near = [fault for fault in faults if fault.start <= end and fault.end >= start]
    # What spans more than that began elsewhere.
    return len(faults), sum(fault.start >= start or fault.end <= end for fault in near)
