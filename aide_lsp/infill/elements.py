"""Elements: where the parts of a list, of a statement, or of a sentence end."""

import re

from aide_lsp.infill.hole import CLOSERS
from aide_lsp.infill.raw_text import RawText

_ENDS = re.compile(
    # Before a comma or line end; after what ends a statement, a sentence, a string, or a bracket.
    r"(?=,|\n)|(?<=[;!?])|(?<=[^\W_]\.)(?=\s)|(?<=[\"'`)\]}>])(?=\s|[<(\[{])"
)
_WORD_ENDS = re.compile(r"(?<=\w)(?=\s)")


def last_element_end(raw: RawText, limit: int, *, words: bool = False) -> int:
    """Return where the last complete element of the text up to `limit` ends; 0: it has none.

    Between brackets or in a string that the text itself opens, no element ends. In prose, `words` are
    elements if there is no complete sentence.
    """
    for pattern in (_ENDS, _WORD_ENDS) if words else (_ENDS,):
        # The separator after an element is what shows that it is complete.
        for match in reversed(list(pattern.finditer(raw.text, 0, limit + 1))):
            end = match.start()
            kept = raw.text[:end].rstrip(" \t,")
            if end <= limit and kept.strip(f" \t\n{CLOSERS},;") and raw.is_level(end):
                return len(kept)
    return 0
