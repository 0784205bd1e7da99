"""From samples to figures: which samples count, their median, and the ratio of two engines.

A ratio from too few clean samples is not given.
"""

from collections.abc import Iterable, Sequence
from statistics import median, quantiles

from attrs import frozen

from benchmarks.markdown import markdown_table

MAX_OTHERS = 0.10
# With fewer, a single bad sample moves the median.
MIN_CLEAN = 3


@frozen
class Sample:
    """One timing."""

    value: float
    "Seconds for one operation."
    others: float
    "Share of the machine that other processes used, 0 to 1."


@frozen
class Cell:
    """One measure of one engine."""

    clean: tuple[float, ...]
    "Seconds of the samples that count."
    dropped: int
    "Samples during which others used too much of the machine."

    @property
    def median(self) -> float | None:
        """Median of the clean samples; None without any."""
        return median(self.clean) if self.clean else None

    @property
    def quartiles(self) -> tuple[float, float] | None:
        """First and third quartile; None with fewer than two samples."""
        if len(self.clean) < 2:
            return None
        first, _, third = quantiles(self.clean, n=4, method="inclusive")
        return first, third


def gate(samples: Iterable[Sample], max_others: float = MAX_OTHERS) -> Cell:
    """Keep the samples during which others used less than `max_others` of the machine."""
    taken = list(samples)
    clean = tuple(sample.value for sample in taken if sample.others < max_others)
    return Cell(clean, len(taken) - len(clean))


def ratio(slower: Cell, faster: Cell, min_clean: int = MIN_CLEAN) -> float | None:
    """Return median of `slower` / median of `faster`; None if either has too few clean samples."""
    if min(len(slower.clean), len(faster.clean)) < max(1, min_clean):
        return None
    return median(slower.clean) / median(faster.clean)


def enough(cells: Iterable[Cell], wanted: int) -> bool:
    """Return whether every cell has `wanted` clean samples."""
    return all(len(cell.clean) >= wanted for cell in cells)


def render(headings: Sequence[str], rows: Sequence[Sequence[str]], markdown: bool) -> str:
    """Render a table as Markdown or in columns; the first column is left-aligned, the others right."""
    if markdown:
        return markdown_table(headings, rows, "---:")
    table = [headings, *rows]
    widths = [max(len(row[column]) for row in table) for column in range(len(headings))]
    return "\n".join("  ".join(map(_justify, range(len(row)), row, widths)).rstrip() for row in table)


def _justify(column: int, text: str, width: int) -> str:
    return text.rjust(width) if column else text.ljust(width)
