"""Entries of a list, one below the other: each ends with a comma if others follow."""

import re

from aide_lsp.infill.hole import CLOSERS, Hole, indentation

_COLUMNS = re.compile(r"\b(?:TABLE|INTO)\s+(?:IF\s+NOT\s+EXISTS\s+)?[^\s();]+\s*\Z", re.IGNORECASE)
"""What is before the columns of a table in SQL."""
_ROW = re.compile(r"\s*\(.*\);?")
"""A row of values in SQL that none follows."""
_ROW_ABOVE = re.compile(r"(?:,|\bVALUES)\s*\Z", re.IGNORECASE)
"""How the line above it ends."""
_LONGEST = 200
"""Characters in which it is looked for."""


def ends_column(hole: Hole, text: str) -> bool:
    """Whether the text ends a column of a table in SQL, and another one begins in the line below."""
    if hole.language.id != "sql" or not hole.open or indentation(hole.below) != hole.base:
        return False
    if "--" in text.rpartition("\n")[2]:
        return False
    start = hole.open[-1].offset
    return hole.open[-1].mark == "(" and bool(_COLUMNS.search(hole.head[max(0, start - _LONGEST) : start]))


def with_row_comma(hole: Hole, text: str) -> str:
    """Return the text with a comma at its end if it ends a row of SQL above another one; else as it is."""
    # First, because what is above the text is copied then.
    if hole.language.id != "sql" or hole.after.strip() or not hole.below.lstrip().startswith("("):
        return text
    kept, (above, _, last) = text.rstrip(), (hole.head + text.rstrip()).rpartition("\n")
    is_row = _ROW.fullmatch(last) is not None and _ROW_ABOVE.search(above[-_LONGEST:]) is not None
    if not is_row or indentation(hole.below) != indentation(last):
        return text
    return kept.rstrip(";") + "," + text[len(kept) :]


def with_comma(hole: Hole, text: str) -> str:
    """Return the text with a comma at its end if it is an entry between others; else as it is.

    It is one if the line above it ends with a comma, and the one below it closes nothing. What ends a
    statement is no part of an entry.
    """
    kept, below = text.rstrip(), hole.below.strip()
    if (
        not kept
        or not below
        or below.startswith(tuple(CLOSERS))
        or (hole.after.strip() and not hole.is_before_line)
    ):
        return text
    above = (hole.head + kept).rpartition("\n")[0].rstrip()
    if not above.endswith(",") or kept.endswith(","):
        return text
    return kept.rstrip(";") + "," + text[len(kept) :]
