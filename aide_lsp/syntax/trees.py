"""Syntax trees of the text around a cursor, which do not depend on what was parsed before.

An incremental parse of text with errors may differ from a fresh one, so no tree is built from that of the
previous key. The base is a fresh parse of the text without what is in the cursor's line, and is kept; that
line, and a completion in it, are inserted into a copy of the base. While the user types in a line, only this
step runs.
"""

from collections import OrderedDict
from collections.abc import Callable

from attrs import evolve

from aide_lsp.syntax.grammars import is_safe
from aide_lsp.syntax.languages import LANGUAGES, Language
from aide_lsp.syntax.source import encode
from aide_lsp.syntax.tree import Base, SyntaxTree, base_of

MOST_CHARACTERS = 400_000
"""Longer texts have no tree."""
MOST_IN_LINE = 20_000
"""Texts with a longer line at the cursor have none either: the line is parsed with every key."""
KEPT_TREES = 8
KEPT_CHARACTERS = 1_000_000
"""Of all texts whose trees are kept; a tree takes 10 to 20 times the memory of its text."""


class SyntaxTrees:
    """Makes trees, and keeps the latest bases. Not thread-safe."""

    def __init__(self) -> None:
        self._bases: OrderedDict[tuple[str, str], Base | None] = OrderedDict()

    def at(
        self, before: str, after: str, language: Language, check: Callable[[], None] = lambda: None
    ) -> SyntaxTree | None:
        """Parse a text around its cursor; line ends are line feeds.

        None: there is no grammar, or the text is too long or takes too long. If the cursor is in a part in
        another language, such as a script in a page, the tree is that of this part. `check` is called now and
        then, also by the trees made from this one; what it raises ends the work.
        """
        tree = self._at(before, after, language, check)
        inner = None if tree is None else tree.embedded()
        if inner is None:
            return tree
        start, end, inner_id = inner
        part = self._at(before[start:], after[: end - len(before)], LANGUAGES[inner_id], check)
        return None if part is None else evolve(part, start=start, outer=tree)

    def _at(
        self, before: str, after: str, language: Language, check: Callable[[], None]
    ) -> SyntaxTree | None:
        start, end = before.rfind("\n") + 1, after.find("\n")
        line = before[start:], after if end < 0 else after[:end]
        if (
            not language.grammar
            or len(before) + len(after) > MOST_CHARACTERS
            or len(line[0]) + len(line[1]) > MOST_IN_LINE
        ):
            return None
        key = language.grammar, before[:start] + after[len(line[1]) :]
        base = self._base(key, check)
        if base is None:
            return None
        tree = SyntaxTree.of(base, language, start, check).with_line(*line)
        # What is not safe took no time.
        if tree is None and is_safe(encode("".join(line)), language.grammar):
            self._bases[key] = None  # so that the next key in this line does not take as long again
        return tree

    def _base(self, key: tuple[str, str], check: Callable[[], None]) -> Base | None:
        if key not in self._bases:
            self._bases[key] = base_of(*key, check)
        self._bases.move_to_end(key)
        while len(self._bases) > KEPT_TREES or sum(len(text) for _, text in self._bases) > KEPT_CHARACTERS:
            self._bases.popitem(last=False)
        return self._bases[key]
