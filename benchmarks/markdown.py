"""Writes tables for the pages of results."""

from collections.abc import Sequence


def markdown_table(titles: Sequence[str], rows: Sequence[Sequence[str]], marks: str = "---") -> str:
    """Return a table; `marks` aligns all columns but the first."""
    lines = [titles, ["---", *[marks] * (len(titles) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
