"""The text of a notebook's cell, as it is read from a cell in another language.

A program keeps its notes in comments, prose keeps code in fenced blocks. What a language cannot hold is left
out: it would only make the text invalid.
"""

import re

from aide_lsp.language_ids.table import language_id_of
from aide_lsp.syntax.languages import language_of

LONGEST_LINE = 500
"""Characters of a line that becomes a comment. Pictures are sometimes lines of a million letters."""


def text_for(language_id: str, own_id: str, text: str) -> str:
    """Return the text as it is read from a cell in the language `language_id`; empty: it cannot be.

    Args:
        language_id: of the cell that is completed.
        own_id: of the cell with this text.
        text: may have any line ends.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n").rstrip()
    language, own = language_of(language_id), language_of(own_id)
    if not text or language_id_of(language_id, "") == language_id_of(own_id, ""):
        return text
    if language.line_comments:
        mark = language.line_comments[0]
        return "\n".join(f"{mark} {line[:LONGEST_LINE]}".rstrip() for line in text.split("\n"))
    if language.prose:
        return text if own.prose else _fenced(text, own_id)
    if language.block_comments:
        start, end = language.block_comments[0]
        return "" if end in text else f"{start}\n{text}\n{end}"
    return ""


def _fenced(text: str, language_id: str) -> str:
    """A fence ends at as many backticks: it must be longer than any in the text."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language_id}\n{text}\n{fence}"
