"""The syntax tree of a text with a cursor: its nodes, what does not parse, and what is open at the cursor."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from aide_lsp.syntax.grammars import ParseTooLong, is_safe, load_grammar, parse
from aide_lsp.syntax.languages import Blocks, Language
from aide_lsp.syntax.node import SyntaxNode
from aide_lsp.syntax.openings import CLOSERS, Opening
from aide_lsp.syntax.scan import scan
from aide_lsp.syntax.source import encode, point_of
from aide_lsp.syntax.tree_openings import openings_at

if TYPE_CHECKING:
    import tree_sitter


@frozen
class Fault:
    """A place that does not parse. Offsets are those of the tree's text."""

    start: int
    end: int
    is_missing: bool = False
    "Something should be there that is not; else, what is there fits nowhere."


@frozen(eq=False)
class Base:
    """A text and its fresh parse."""

    text: str
    source: bytes = field(repr=False)
    grammar: "tree_sitter.Language" = field(repr=False)
    tree: "tree_sitter.Tree" = field(repr=False)

    def with_line(
        self, start: int, line: str, grammar_name: str, check: Callable[[], None]
    ) -> "tuple[str, tree_sitter.Tree] | None":
        """Return text and tree with a line inserted, parsed from this tree; None: that takes too long."""
        added = encode(line)
        if not is_safe(added, grammar_name):
            return None
        source = self.source[:start] + added + self.source[start:]
        end = start + len(added)
        tree = self.tree.copy()
        point = point_of(source, start)
        tree.edit(start, start, end, point, point, point_of(source, end, start, point))
        try:
            tree = parse(self.grammar, source, tree, check)
        except ParseTooLong:
            return None
        return f"{self.text[:start]}{line}{self.text[start:]}", tree


def base_of(grammar_name: str, text: str, check: Callable[[], None]) -> Base | None:
    """Parse a text from its beginning; None: no grammar, or too long, or more than the grammar can take."""
    grammar, source = load_grammar(grammar_name), encode(text)
    if grammar is None or not is_safe(source, grammar_name):
        return None
    try:
        return Base(text, source, grammar, parse(grammar, source, check=check))
    except ParseTooLong:
        return None


@frozen(eq=False)
class SyntaxTree:
    """A parsed text with a cursor. A pure function of both.

    All offsets are in code points of `text`, the part of a document that is in this language: it begins at
    `start` in the document, which is not 0 for a script or a style in a page.
    """

    language: Language
    text: str = field(repr=False)
    cursor: int
    start: int
    outer: "SyntaxTree | None" = field(repr=False)
    "That of the page in which this text is embedded."
    _base: Base = field(repr=False)
    line_start: int
    _line: tuple[str, str] = field(repr=False)
    "What is in the cursor's line, before and after the cursor."
    _tree: "tree_sitter.Tree" = field(repr=False)
    _check: Callable[[], None] = field(repr=False)

    @classmethod
    def of(cls, base: Base, language: Language, line_start: int, check: Callable[[], None]) -> "SyntaxTree":
        """Return the tree of a base, with the cursor in an empty line."""
        return cls(language, base.text, line_start, 0, None, base, line_start, ("", ""), base.tree, check)

    @property
    def without_line(self) -> "SyntaxTree":
        """The tree of the text without what is in the cursor's line."""
        tree = SyntaxTree.of(self._base, self.language, self.line_start, self._check)
        return evolve(tree, start=self.start, outer=self.outer)

    def filled(self, text: str) -> "SyntaxTree | None":
        """Parse with a text inserted at the cursor, which is then after it; None: that takes too long."""
        before, after = self._line
        return self.with_line(before + text, after)

    def with_line(self, before: str, after: str) -> "SyntaxTree | None":
        """Parse with another content of the cursor's line; None: that takes too long."""
        start = self.line_start
        found = self._base.with_line(start, before + after, self.language.grammar, self._check)
        if found is None:
            return None
        text, tree = found
        return evolve(self, text=text, cursor=start + len(before), line=(before, after), tree=tree)

    @property
    def root(self) -> SyntaxNode:
        """The node of the text as a whole."""
        return SyntaxNode(self._tree.root_node, self.text)

    def faults(self) -> tuple[Fault, ...]:
        """Find what does not parse, in order; the parts of a fault are not listed."""
        return tuple(_faults(self._tree.root_node))

    def openings(self) -> tuple[Opening, ...]:
        """Find what is open at the cursor, outermost first, also in the page around; offsets of the document.

        A bracket counts as closed only if the text closes it, not if the parser assumes that it does.
        """
        is_sound = self.language.blocks is not Blocks.TAGS and not self._base.tree.root_node.has_error
        if is_sound and self._line[0].lstrip().startswith(tuple(CLOSERS.values())):
            # In `} else {`, what the line opens is closed below: the brace that closed the block above.
            is_sound = all(closer.opening for closer in scan(self._line[0], self.language).closers)
        own = openings_at(self._tree.root_node, self.text, self.cursor, self.language, is_sound)
        shifted = tuple(evolve(one, offset=one.offset + self.start) for one in own)
        return shifted if self.outer is None else (*self.outer.openings(), *shifted)

    def embedded(self) -> tuple[int, int, str] | None:
        """Find the part in another language around the cursor: start, end, and that language's id."""
        languages = dict(self.language.embeds)
        node: tree_sitter.Node | None = self._tree.root_node
        while node is not None and languages:
            inner = languages.get(node.type)
            for child in node.children if inner else ():
                # Without a text there is no node; then the cursor is between the two tags.
                if child.type == "raw_text" and child.start_byte <= self.cursor <= child.end_byte:
                    return child.start_byte, child.end_byte, str(inner)
                if child.type == "end_tag" and child.start_byte == self.cursor:
                    return self.cursor, self.cursor, str(inner)
            node = next((c for c in node.children if c.start_byte < self.cursor <= c.end_byte), None)
        return None


def _faults(root: "tree_sitter.Node") -> Iterator[Fault]:
    left = [root]
    while left:
        node = left.pop()
        if node.is_missing:
            yield Fault(node.start_byte, node.end_byte, is_missing=True)
        elif node.is_error:
            yield Fault(node.start_byte, node.end_byte)
        elif node.has_error:
            left.extend(child for child in reversed(node.children) if child.has_error or child.is_missing)


def root_of(text: str, grammar_name: str) -> SyntaxNode | None:
    """Parse a text without a cursor; None: no grammar, or too long, or more than the grammar can take."""
    base = base_of(grammar_name, text, lambda: None)
    return None if base is None else SyntaxNode(base.tree.root_node, text)


def roots_with(
    lines: Iterable[str], before: str, after: str, grammar_name: str
) -> Iterator[tuple[str, SyntaxNode | None]]:
    """Parse two parts of a text with each of some lines between them; None: see `root_of`."""
    base = base_of(grammar_name, before + after, lambda: None)
    for line in lines:
        found = base.with_line(len(before), line, grammar_name, lambda: None) if base is not None else None
        yield line, None if found is None else SyntaxNode(found[1].root_node, found[0])
