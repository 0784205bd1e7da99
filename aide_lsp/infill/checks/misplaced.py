"""What cannot be where it is: content of a page in its `<head>`, and an entry that waits for itself.

Entries wait for others by name: services of Docker Compose (`depends_on`) and jobs of workflows (`needs`).
"""

from collections.abc import Iterator

from aide_lsp.infill.checks.filled import FilledText
from aide_lsp.syntax.node import SyntaxNode

CONTENT = {
    "a", "article", "aside", "button", "div", "footer", "form", "h1", "h2", "h3", "header", "img", "input",
    "label", "li", "main", "nav", "ol", "p", "section", "select", "span", "table", "textarea", "ul",
}  # fmt: skip
"""Elements that are shown, which none in `<head>` is."""
WAITING = ("depends_on", "needs")
"""Keys of YAML whose values are the names of other entries."""
SCALARS = ("plain_scalar", "single_quote_scalar", "double_quote_scalar")
PAIR = "block_mapping_pair"
ITEM = "block_sequence_item"


def first_misplaced(filled: FilledText) -> int | None:
    """Return where the text has something that cannot be there; None: nowhere."""
    offsets = (node.start for node in _nodes(filled) if _is_shown_in_head(node))
    items = (_item(node).start for node in _nodes(filled) if _names_its_own_entry(node))
    return min((*offsets, *items), default=None)


def _nodes(filled: FilledText) -> Iterator[SyntaxNode]:
    """Yield the nodes that begin in the text, or end there."""
    inside = [filled.root.smallest(filled.start, filled.end)]
    while inside:
        node = inside.pop()
        if node.end > filled.start:
            yield node
        inside.extend(
            part for part in node.named_children if filled.start < part.end and part.start < filled.end
        )


def _is_shown_in_head(node: SyntaxNode) -> bool:
    parent = node.parent
    if node.type != "element" or parent is None or parent.type != "element":
        return False
    # Without its end tag, which is optional, a head ends where the content begins.
    is_closed = any(part.type == "end_tag" for part in parent.named_children)
    return is_closed and _tag_name(parent) == "head" and _tag_name(node) in CONTENT


def _tag_name(element: SyntaxNode) -> str:
    tag = next(iter(element.named_children), element)
    return next((part.text.lower() for part in tag.named_children if part.type == "tag_name"), "")


def _names_its_own_entry(node: SyntaxNode) -> bool:
    """Whether a name is that of the entry which waits for it."""
    if node.type not in SCALARS:
        return False
    # Each may have keys of its own, such as `condition` in Docker Compose.
    pairs = [pair for pair in node.ancestors() if pair.type == PAIR and not _is_key(node, pair)][:2]
    keys = [key.text for pair in pairs if (key := pair.part("key")) is not None]
    return len(keys) == 2 and keys[0] in WAITING and keys[1] == node.text.strip("\"'")


def _is_key(node: SyntaxNode, pair: SyntaxNode) -> bool:
    key = pair.part("key")
    return key is not None and key.start <= node.start < key.end


def _item(node: SyntaxNode) -> SyntaxNode:
    """Return the item of a list that a name is, if it is one."""
    return next((one for one in node.ancestors() if one.type in (ITEM, PAIR)), node)
