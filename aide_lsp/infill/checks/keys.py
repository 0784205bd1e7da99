"""Keys of data: is one of them there twice?"""

from collections.abc import Iterator

from aide_lsp.infill.checks.filled import FilledText
from aide_lsp.syntax.node import SyntaxNode

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


def repeats_key(filled: FilledText) -> bool:
    """Whether a mapping at the cursor, or in the text, has a key of the text twice."""
    return any(_repeats(filled, mapping) for mapping in _mappings(filled))


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


def _repeats(filled: FilledText, mapping: SyntaxNode) -> bool:
    entries = [one for one in mapping.named_children if one.type in ENTRIES]
    if len(entries) > MOST_ENTRIES:
        return False
    keys = [(key.text, key.start) for entry in entries if (key := _key(entry)) is not None]
    written = {key for key, start in keys if filled.start <= start < filled.end}
    return any(sum(other == key for other, _ in keys) > 1 for key in written)


def _key(entry: SyntaxNode) -> SyntaxNode | None:
    # In TOML it has no name in the grammar.
    return entry.part("key") or next(iter(entry.named_children), None)
