"""All checks of a finished text: what is recognizably wrong with it, if anything.

A pure function of the text around the cursor and the text to insert. A check must not object to what a
programmer would have written: real code with its own text in the hole passes all of them.
"""

from collections.abc import Iterator

from aide_lsp.infill.checks.binding_rules import RULES, BindingRules
from aide_lsp.infill.checks.blocks import lacks_handler, lacks_opener, lacks_opening_bracket
from aide_lsp.infill.checks.dead_code import leaves_dead_code
from aide_lsp.infill.checks.filled import FilledText
from aide_lsp.infill.checks.keys import first_repeated_key
from aide_lsp.infill.checks.lines import is_placeholder, is_repeated, repeats_line_below
from aide_lsp.infill.checks.misfit import Misfit
from aide_lsp.infill.checks.misplaced import first_misplaced
from aide_lsp.infill.checks.names import Name, find_unbound
from aide_lsp.infill.checks.parsing import breaks_syntax
from aide_lsp.infill.hole import Hole, Shape
from aide_lsp.syntax.languages import Blocks
from aide_lsp.syntax.tree import SyntaxTree

AROUND = 20_000
"""Characters before and after the cursor in which a placeholder of the user's own is looked for."""


def find_misfit(
    hole: Hole, before: str, after: str, text: str, tree: SyntaxTree | None, *, is_cut: bool = False
) -> Misfit | None:
    """Return what is wrong with `text` between `before` and `after`; None: nothing that can be seen.

    `tree` is that of the text with its cursor; without one, only lines are looked at. Prose is not checked.
    `is_cut` says that more would follow the text: it may leave its own brackets open, and names unbound.
    """
    if hole.language.prose or not text.strip():
        return None
    return next(find_misfits(hole, before, after, text, tree, is_cut=is_cut), None)


def find_misfits(
    hole: Hole, before: str, after: str, text: str, tree: SyntaxTree | None, *, is_cut: bool = False
) -> Iterator[Misfit]:
    """Yield all that is wrong with a text."""
    around = before[-AROUND:] + after[:AROUND]
    if not any(mark in hole.before for mark in hole.language.marks) and is_placeholder(hole, text, around):
        yield Misfit.PLACEHOLDER
    if repeats_line_below(hole, before, text, after if hole.is_before_line else after.partition("\n")[2]):
        yield Misfit.REPEATED_LINE
    # Lines above the rest of an entry take its key away, which YAML would read as an empty one.
    rest = hole.after.lstrip()[:1] if hole.is_before_line else ""
    if rest and rest in hole.language.key_marks and text.endswith("\n" + hole.before):
        yield Misfit.BROKEN_SYNTAX
    if hole.language.has_sections and is_repeated(hole, text):
        yield Misfit.DUPLICATE_KEY
    parsed = None if tree is None else tree.filled(text)
    if tree is None or parsed is None:
        return
    filled = FilledText(parsed.text, parsed.root, tree.cursor, parsed.cursor)
    if lacks_opener(filled, exact=tree.language.blocks is Blocks.INDENTATION):
        yield Misfit.NO_BLOCK
    if breaks_syntax(hole, tree, parsed, text, is_cut=is_cut) or (not is_cut and lacks_handler(filled)):
        yield Misfit.BROKEN_SYNTAX
    has_braces = tree.language.blocks is Blocks.BRACES
    if has_braces and filled.root.has_error and lacks_opening_bracket(hole, text):
        yield Misfit.NO_BLOCK
    if leaves_dead_code(filled):
        yield Misfit.DEAD_CODE
    if first_repeated_key(filled) is not None:
        yield Misfit.DUPLICATE_KEY
    if first_misplaced(filled) is not None:
        yield Misfit.MISPLACED
    # In a page, names may also come from its other parts.
    rules = RULES.get(tree.language.id) if tree.outer is None else None
    if rules is not None and not hole.is_text:
        found = list(find_unbound(filled, rules))
        modules = [name for name in found if _is_module(name, filled, rules)]
        for name in found:
            if name.start < filled.end and name not in modules:
                yield Misfit.UNKNOWN_NAME
            elif name.start >= filled.end and not is_cut and hole.shape is Shape.LINES:
                # Whoever has begun a line writes the one that binds the name next, or after it.
                yield Misfit.UNBOUND_NAME
        # The last of all: what has no other fault may still be shown.
        if modules:
            yield Misfit.NOT_IMPORTED


def _is_module(name: Name, filled: FilledText, rules: BindingRules) -> bool:
    """Whether the text takes a member of what may be a module of the language's library."""
    end = name.start + len(name.text)
    return name.start < filled.end and name.text in rules.modules and filled.text[end : end + 1] == "."
