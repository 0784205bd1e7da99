"""Entries of a list, one below the other: each ends with a comma if others follow."""

from aide_lsp.infill.hole import CLOSERS, Hole


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
