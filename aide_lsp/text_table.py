"""A table as lines of text, for a terminal."""

from collections.abc import Sequence


def text_table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Return one line for each row, its cells padded to the width of their column."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
