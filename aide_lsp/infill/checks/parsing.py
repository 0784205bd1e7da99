"""Syntax: would the file still parse with the text inserted, though it can be parsed?

What can be parsed is tried: if the file parses without the cursor's line, or with something simple at the
cursor, what is inserted must not add faults. Grammars do not know every dialect, and code is often unfinished
elsewhere, so only the faults near the cursor count where the file has others. Where nothing makes it parse,
the text must at least close the brackets that it opens.
"""

import re
from collections.abc import Iterator
from itertools import chain

from aide_lsp.infill.hole import CLOSERS, Hole, indentation
from aide_lsp.syntax.languages import Blocks
from aide_lsp.syntax.openings import Opening, OpeningKind
from aide_lsp.syntax.tree import SyntaxTree

NEARBY = 2000
"""Characters around the cursor in which faults count if the file has others."""
FEW_FAULTS = 4
"""Faults near the cursor that may come from the cursor's line alone."""
FILLERS = ("{", "0", '"x": 0', "x()")
"""What is tried at the cursor, besides a name that ends in one of these ways."""
BLOCK_FILLERS = (
    "{", "x {", "if (x) {", "match x {", "switch (x) {", "try {", "class x {", "fn x() {", "x(() => {",
    "x = [", '"x": {', '"x": [',
)  # fmt: skip
"""Where the line below is deeper, and needs a block."""
INDENTED_FILLERS = ("if x:", "try:")
"""The same where indentation alone makes blocks."""
ENDS = ("", ";", ",", " {}", " {", ":")
"""What may follow a name, or a closing bracket that the user has not typed yet."""
DECORATED = {
    Blocks.INDENTATION: ("def x(): x",),
    Blocks.BRACES: ("int x;", "x() {}", "class x {}", "fun x() {}"),
}
"""What decorators and annotations are written above."""
CONDITIONAL = re.compile(r"\s*(?:if|elif|while|until|for|unless)\b")
"""How a line begins whose block a word ends."""
WORD_ENDS = ("; then\nfi", "; do\ndone", " then\nend", " do\nend", "\nend")
"""What ends such a line, and its block."""
STARTERS = ("go_statement", "defer_statement")
"""In Go, what starts a call."""
VALUES = (" x", " x;")
"""What an operator at the end of the user's own line still needs."""
OPERATOR = re.compile(r"\s*[.?&|+*/:<>=-]")
"""How a line begins that goes on with the one above, and of which another may follow."""
OPEN_END = re.compile(r"(?:[%&|^<=.*]|(?<!\+)\+|(?<!-)-|(?<!\*)/)\s*\Z")
"""An operator that wants another value: its fault begins in the next line."""
MACROS = re.compile(
    r"\b(?:[A-Z][A-Z\d_]{2,}|__\w+)\s+[*(]?\w|^\s*(?:#|\w*(?:for_?each|FOR_?EACH)\w*\s*\()", re.MULTILINE
)
"""Words that stand for anything, as in `static INLINE int`, loops such as `list_for_each(`, directives."""
TAG = re.compile(r"<([A-Za-z][\w:.-]*)(?:\s[^<\n]*)?(?<!/)>$")
"""A tag that a line begins, and does not end."""
BEGUN = re.compile(r"<([A-Za-z][\w:.-]*)")
"""How a tag begins."""
ARROWS = ("=>", "->")
"""Operators that end as a tag does."""
TEMPLATE = re.compile(r"<[?%]|\{[{%]")
"""How code of a template begins in a page, which the grammar of HTML does not know."""
CONDITION = re.compile(r"\s*#\s*(?:if|el|en)")
"""A directive whose end may be far away."""


def breaks_syntax(hole: Hole, tree: SyntaxTree, filled: SyntaxTree, text: str, *, is_cut: bool) -> bool:
    """Whether the text adds faults to a file that can be parsed."""
    # Where words or tags end blocks, what is cut leaves some open that nothing can close for a try.
    if tree.language.has_dialects or (is_cut and tree.language.blocks in (Blocks.WORDS, Blocks.TAGS)):
        return False
    if tree.language.has_macros and (MACROS.search(text) or CONDITION.match(hole.before)):
        return False
    line = hole.before + text + hole.after * (not hole.is_before_line)
    if tree.language.blocks is Blocks.TAGS and TEMPLATE.search(line):
        return False
    total, near = _count(filled)
    if not total:
        return _lacks_call(hole, filled)
    if _can_be_parsed(hole, tree, near if OPEN_END.search(text) else near and _own(filled)):
        return not _is_unfinished(hole, tree, text, is_cut=is_cut)
    return not is_cut and _leaves_open(hole, text)


def _lacks_call(hole: Hole, filled: SyntaxTree) -> bool:
    """Whether the cursor's line begins a function of Go that runs on, or last, and that nothing calls.

    The grammar accepts it, the compiler does not. Before more than brackets, the line is not the text's.
    """
    if hole.after.strip(CLOSERS + " "):
        return False
    begin = filled.line_start + indentation(filled.text[filled.line_start : filled.cursor])
    started = filled.root.smallest(begin, begin + 1)
    is_start = started.type in STARTERS and started.start == begin
    return is_start and any(part.type == "func_literal" for part in started.named_children)


def _can_be_parsed(hole: Hole, tree: SyntaxTree, near: int) -> bool:
    """Whether the file can do without faults; near the cursor, if the text has `near` of them there."""
    known = [_count(tree), _count(tree.without_line)]
    if not all(total for total, _ in known):
        return True
    # A block that nothing opens may leave faults anywhere.
    for other in map(tree.filled, _openers(hole)):
        # One fault may have swallowed all others: none is counted near the cursor, and nothing is known.
        if other is not None and not _is_swallowed(other):
            known.append(_count(other))
            if not known[-1][0]:
                return True
    # The file has faults elsewhere, and only those near the cursor can be the text's.
    if not near:
        return False
    fewest = min(near_before for _, near_before in known)
    # A dialect that the grammar does not know: nothing will help, and parsing it takes long.
    if not 0 < fewest <= FEW_FAULTS:
        return not fewest
    closers = _closers(hole, hole.open)
    others = map(tree.filled, (*(f"x{closers}{end}" for end in ENDS), *FILLERS))
    return any(other is not None and not all(_count(other)) for other in others)


def _openers(hole: Hole) -> tuple[str, ...]:
    """Return what may open the block of the line below."""
    if indentation(hole.below) <= hole.base:
        return ()
    if hole.language.blocks is Blocks.INDENTATION:
        return INDENTED_FILLERS
    closers = _closers(hole, hole.open)
    return (*BLOCK_FILLERS, f"x{closers} {{") if closers else BLOCK_FILLERS


def _is_unfinished(hole: Hole, tree: SyntaxTree, text: str, *, is_cut: bool) -> bool:
    """Whether the file parses once the brackets are closed that are open at the cursor, or after the text."""
    scanned = hole.scan(text)
    opened = scanned.opened if is_cut and not hole.after.strip() else ()
    own = "".join(one.closer for one in reversed(_brackets(opened)))
    closers = f"\n{own}" * bool(own) + _closers(hole, hole.open[: scanned.kept])
    start = text.rstrip()
    # Others may follow in a list of arguments, and after a header in CSS.
    start = start.rstrip(",") if closers or "\n" not in start else start
    # A list in lines of its own may need a line end before its bracket.
    ends = [*(closers + end for end in ENDS), "\n" + closers] if closers else list(_line_ends(hole, start))
    if (tag := TAG.search((hole.before + text).rstrip())) and not hole.after.strip():
        ends.append(f"</{tag[1]}>")
    others = chain((tree.filled(start + end) for end in ends), _with_next_lines(hole, tree, text))
    return any(other is not None and not (_count(other)[0] or _is_nested(other)) for other in others)


def _with_next_lines(hole: Hole, tree: SyntaxTree, text: str) -> Iterator[SyntaxTree | None]:
    """Yield the trees with what may follow: the end of a tag or a block, a value, what is decorated."""
    line = (hole.before + text).rpartition("\n")[2]
    blanks = line[: indentation(line)]
    closers = "" if hole.after.strip() else _closers(hole, hole.open[: hole.scan(text).kept])
    below: tuple[str, ...] = ()
    if line.lstrip().startswith(("@", "[")):
        below = tuple(f"\n{blanks}{item}" for item in DECORATED.get(hole.language.blocks, ()))
    elif hole.after.strip() and hole.language.blocks is Blocks.WORDS and CONDITIONAL.match(line):
        below = WORD_ENDS
    elif OPEN_END.search(hole.after):
        below = VALUES
    elif hole.is_in_new_tag:
        below = tuple(_tag_ends(hole, hole.before + text))
    for end in below:
        yield tree.with_line(hole.before + text, f"{closers}{hole.after}{end}")
    if hole.language.has_pipes and hole.mark == "|":
        yield tree.with_line(hole.before + text, f"| x{hole.after[1:]}")
        yield tree.with_line(hole.before + text, f"{hole.after}\nend")


def _tag_ends(hole: Hole, line: str) -> Iterator[str]:
    """Yield what may end the tag in which a line ends, and the elements that begin in the line."""
    names = [found[1] for found in BEGUN.finditer(line)]
    ends = "".join(f"</{name}>" for name in reversed(names) if f"</{name}>" not in line)
    yield from (">", "/>", f">{ends}", f"/>{ends.partition('>')[2]}")


def _is_nested(tree: SyntaxTree) -> bool:
    """Whether a block has made a function in a function of a call, which C does not have."""
    if not tree.language.has_macros:
        return False
    node = tree.root.smallest(tree.cursor - 1, tree.cursor)
    found = next((one for one in (node, *node.ancestors()) if one.type == "function_definition"), None)
    return found is not None and found.parent is not None and found.parent.type == "compound_statement"


def _line_ends(hole: Hole, text: str) -> Iterator[str]:
    """Yield what the next lines may go on with: a block, or the rest of a chain."""
    if hole.after.strip() or indentation(hole.below) > hole.base:
        return
    # After an operator, a brace would be a value.
    if text[-1:].isalnum() or (text.endswith(tuple(")]>\"'_")) and not text.endswith(ARROWS)):
        yield " {}"
        if hole.language.blocks is Blocks.WORDS and "\n" not in text:
            yield from ("\nend", "\n;;")
        if OPERATOR.match((hole.before + text).rpartition("\n")[2]):
            yield ";"


def _leaves_open(hole: Hole, text: str) -> bool:
    """Whether the text leaves a string open, or a bracket to which the line below does not belong."""
    if hole.is_text or not hole.below:
        return False
    below, ends = indentation(hole.below), hole.below.lstrip()[0] in CLOSERS
    scanned = hole.scan(text + hole.after * (not hole.is_before_line))
    # Between tags, its last quote may end a string in an attribute.
    is_code = hole.language.blocks is not Blocks.TAGS
    if is_code and any(one.kind is OpeningKind.STRING for one in scanned.opened):
        return True
    outer = [one.opening.offset for one in scanned.closers if one.opening and one.offset < len(text)]
    # In the last line of a long header, `b) {` is as deep as its parameters: the block is that of the first.
    first = min(
        (indentation(hole.head[hole.head.rfind("\n", 0, at) + 1 : at + 1]) for at in outer), default=below
    )
    for opening in _brackets(scanned.opened):
        # A `case` may be as deep as its `switch`, and so may what is in a namespace.
        is_as_deep = opening.mark != "{" and not ends
        lines = hole.before + text[: opening.offset + 1]
        depth = indentation(lines[lines.rfind("\n") + 1 :])
        depth = min(depth, first) if outer and opening.mark == "{" else depth
        if below < depth or (below == depth and is_as_deep):
            return True
    return False


def _brackets(openings: tuple[Opening, ...]) -> list[Opening]:
    return [one for one in openings if one.kind is OpeningKind.BRACKET]


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


def _own(filled: SyntaxTree) -> int:
    """Count the faults that begin in the lines of the text."""
    start, end = filled.line_start, filled.text.find("\n", filled.cursor)
    end = end if end >= 0 else len(filled.text)
    return sum(start <= fault.start <= end for fault in filled.faults())


def _is_swallowed(tree: SyntaxTree) -> bool:
    start, end = tree.cursor - NEARBY, tree.cursor + NEARBY
    return any(fault.start < start and fault.end > end for fault in tree.faults())


def _count(tree: SyntaxTree) -> tuple[int, int]:
    """Count the faults, in all and near the cursor."""
    faults = tree.faults()
    start, end = tree.cursor - NEARBY, tree.cursor + NEARBY
    near = [fault for fault in faults if fault.start <= end and fault.end >= start]
    # What spans more than that began elsewhere.
    return len(faults), sum(fault.start >= start or fault.end <= end for fault in near)
