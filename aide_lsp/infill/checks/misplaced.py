"""What cannot be where it is: content of a page in its `<head>`, and an entry that depends on itself.

Entries wait for others by name: services of Docker Compose (`depends_on`) and jobs of workflows (`needs`).
"""

from collections.abc import Iterator
from itertools import takewhile

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
    offsets = (node.start for node in _nodes(filled) if _is_shown_in_head(node, filled.start))
    items = (_item(node).start for node in _nodes(filled) if _names_its_own_entry(node))
    return min((*offsets, *items), default=None)


def _nodes(filled: FilledText) -> Iterator[SyntaxNode]:
    """Yield the nodes that begin in the text, or end there."""
    around = filled.root.smallest(filled.start, filled.end)
    # The node of a word may be all of several nodes around it.
    same = takewhile(lambda node: node.start >= filled.start and node.end <= filled.end, around.ancestors())
    yield from same
    inside = [around]
    while inside:
        node = inside.pop()
        if node.end > filled.start:
            yield node
        inside.extend(
            part for part in node.named_children if filled.start < part.end and part.start < filled.end
        )


def _is_shown_in_head(node: SyntaxNode, start: int) -> bool:
    parent, name = node.parent, _tag_name(node)
    # A tag that is before the text is the user's.
    if parent is None or name is None or name.end <= start or name.text.lower() not in CONTENT:
        return False
    # Without its end tag, which is optional, a head ends where the content begins.
    is_closed = any(part.type == "end_tag" for part in parent.named_children)
    outer = _tag_name(parent)
    return is_closed and outer is not None and outer.text.lower() == "head"


def _tag_name(node: SyntaxNode) -> SyntaxNode | None:
    tag = next(iter(node.named_children), None) if node.type == "element" else None
    return next((part for part in tag.named_children if part.type == "tag_name"), None) if tag else None


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
