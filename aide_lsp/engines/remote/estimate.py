"""How many tokens a text has, where Aide does not have the model's tokenizer."""

import re

_PIECE = re.compile(r"[A-Za-z]+|\d|[ \t]+|[\r\n]+|[^\x00-\x7f]|.")
LETTERS = 5
"""Letters of a word in one token, at least on average."""


def estimated_tokens(text: str) -> int:
    """Estimate the tokens of a text: too many rather than too few."""
    return sum(-(-len(piece) // LETTERS) if piece[0].isalpha() else 1 for piece in _PIECE.findall(text))
