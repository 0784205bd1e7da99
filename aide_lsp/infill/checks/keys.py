"""Keys of data: is one of them there twice?"""

from collections.abc import Iterator

from aide_lsp.infill.checks.filled import FilledText
from aide_lsp.syntax.node import SyntaxNode
from aide_lsp.syntax.tree import SyntaxTree

MAPPINGS = (
    "object",
    "block_mapping",
    "flow_mapping",
    "inline_table",
    "table",
    "table_array_element",
    "document",
)
"""Nodes that have keys; at the top level of TOML it is the document."""
ENTRIES = ("pair", "block_mapping_pair", "flow_pair", "table")
MOST_ENTRIES = 1000
"""Entries of a mapping that are compared; in a larger one no key is looked for."""


def first_repeated_key(filled: FilledText) -> int | None:
    """Return where the text has a key that its mapping has twice; None: nowhere."""
    found = (offset for mapping in _mappings(filled) for offset in _repeated(filled, mapping))
    return min(found, default=None)


def without_repeated_key(tree: SyntaxTree, text: str) -> str:
    """Return the text up to the line with the first key that is there twice; all of it: it has none."""
    parsed = tree.filled(text)
    if parsed is None:
        return text
    filled = FilledText(parsed.text, parsed.root, tree.cursor, parsed.cursor)
    offset = first_repeated_key(filled)
    return text if offset is None else text[: max(0, filled.line_start(offset) - filled.start)].rstrip()


def _mappings(filled: FilledText) -> Iterator[SyntaxNode]:
    """Yield the mapping in which the text begins, and those that begin in the text."""
    node = filled.root.smallest(filled.start, filled.end)
    around = [one for one in (node, *node.ancestors()) if one.type in MAPPINGS]
    left = [next((one for one in around if one.start < filled.start), around[-1])] if around else []
    while left:
        node = left.pop()
        if node.type in MAPPINGS:
            yield node
        inside = (child for child in node.named_children if child.end > filled.start)
        left.extend(child for child in inside if child.start < filled.end)


def _repeated(filled: FilledText, mapping: SyntaxNode) -> Iterator[int]:
    entries = [one for one in mapping.named_children if one.type in ENTRIES]
    if len(entries) > MOST_ENTRIES:
        return
    keys = [(key.text, key.start) for entry in entries if (key := _key(entry)) is not None]
    seen = {word for word, start in keys if not filled.start <= start < filled.end}
    for word, start in keys:
        if filled.start <= start < filled.end:
            if word in seen:
                yield start
            seen.add(word)


def _key(entry: SyntaxNode) -> SyntaxNode | None:
    # In TOML it has no name in the grammar.
    return entry.part("key") or next(iter(entry.named_children), None)
