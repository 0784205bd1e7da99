"""Keys of data: is one of them there twice?"""

from aide_lsp.infill.checks.filled import FilledText

OBJECT = "object"
PAIR = "pair"
MOST_PAIRS = 1000
"""Pairs of an object that are compared; in a larger one no key is looked for."""


def repeats_key(filled: FilledText) -> bool:
    """Whether the object at the cursor has a key of the text twice."""
    node = filled.root.smallest(filled.start, filled.end)
    around = next((one for one in (node, *node.ancestors()) if one.type == OBJECT), None)
    pairs = [] if around is None else [one for one in around.named_children if one.type == PAIR]
    if len(pairs) > MOST_PAIRS:
        return False
    keys = [(key.text, key.start) for pair in pairs if (key := pair.part("key")) is not None]
    written = {key for key, start in keys if filled.start <= start < filled.end}
    return any(sum(other == key for other, _ in keys) > 1 for key in written)
