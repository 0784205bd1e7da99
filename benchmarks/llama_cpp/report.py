"""What is compared, and how the comparison is printed."""

from typing import Any

from attrs import frozen

from benchmarks import machine
from benchmarks.llama_cpp.samples import Cell, Sample, ratio, render

MEMORY_TITLES = {
    "rss": "resident memory, MB",
    "private": "of which not mapped from a file, MB",
    "peak": "peak resident memory, MB",
}
PACKAGES = ("llama-cpp-python", "llama-server", "aide", "onnxruntime")


@frozen
class Measure:
    """One row of the table."""

    title: str
    "Its name in the table."
    do: str
    "The worker's task."
    options: dict[str, int]


PAST = 512
# Half a block of 64 further: a recipe that keeps only complete blocks of a prompt pays its average price
# here, and nothing at 512.
TYPED = 544
MEASURES = (
    Measure("cold prefill, 512 tokens", "prefill", {"tokens": PAST}),
    Measure("decode after 512", "decode", {"past": PAST, "count": 32}),
    Measure(f"+1 token, {TYPED} cached", "extend", {"past": TYPED, "tokens": 1, "repeat": 24}),
    Measure(f"+4 tokens, {TYPED} cached", "extend", {"past": TYPED, "tokens": 4, "repeat": 16}),
    Measure(f"+8 tokens, {TYPED} cached", "extend", {"past": TYPED, "tokens": 8, "repeat": 12}),
)
LONG = Measure("cold prefill, 2048 tokens", "prefill", {"tokens": 2048})
SHORT = (
    Measure("cold prefill, 128 tokens", "prefill", {"tokens": 128}),
    Measure("decode after 128", "decode", {"past": 128, "count": 16}),
    Measure("+8 tokens, 128 cached", "extend", {"past": 128, "tokens": 8, "repeat": 4}),
)
"""For a machine that is not idle."""
LOAD = Measure("load", "load", {})

Samples = dict[tuple[str, str], list[Sample]]
"""(title of the measure, name of the engine) -> samples, in the order taken."""


@frozen
class Plan:
    """How samples are taken."""

    measures: tuple[Measure, ...]
    "What is measured in each round."
    wanted: int
    "Clean samples per cell, after which to stop."
    rounds: int
    "Most rounds."
    threads: int
    max_others: float
    "Share of the machine from which a sample is dropped."
    cpu: bool = False
    "Whether processor time is measured: then no sample is dropped."


def timing_row(title: str, cells: list[Cell]) -> list[str]:
    """Return a row: llama.cpp, then each of ours with its ratio."""
    row = [f"{title}, {'s' if title == LOAD.title else 'ms'}", timing(title, cells[0])]
    for cell in cells[1:]:
        times = ratio(cells[0], cell)
        row += [timing(title, cell), "too few" if times is None else f"{times:.2f}x"]
    return row


def timing(title: str, cell: Cell) -> str:
    """Return median and quartiles of a cell."""
    if cell.median is None:
        return "no clean sample"
    scale, digits = (1.0, 2) if title == LOAD.title else (1000.0, 1 if cell.median < 0.1 else 0)
    text = f"{cell.median * scale:.{digits}f}"
    if cell.quartiles is None:
        return text
    first, third = (value * scale for value in cell.quartiles)
    return f"{text} ({first:.{digits}f}-{third:.{digits}f})"


def memory_rows(facts: list[dict[str, Any]]) -> list[list[str]]:
    """Return the rows on memory; a ratio is llama.cpp's figure divided by ours."""
    rows = []
    for kind, title in MEMORY_TITLES.items():
        row = [title, f"{facts[0][kind] / 1e6:.0f}"]
        for fact in facts[1:]:
            row += [f"{fact[kind] / 1e6:.0f}", f"{facts[0][kind] / fact[kind]:.2f}x"]
        rows.append(row)
    return rows


def report(
    names: list[str],
    rows: list[list[str]],
    facts: list[dict[str, Any]],
    cells: dict[tuple[str, str], Cell],
    plan: Plan,
    markdown: bool,
) -> str:
    """Return the text to print."""
    headings = ["", names[0]]
    for name in names[1:]:
        headings += [name, "ratio"]
    notes = [
        *machine.describe(),
        "; ".join(dict.fromkeys(f"{key} {fact[key]}" for fact in facts for key in PACKAGES if key in fact)),
        *method(list(cells.values()), plan),
    ]
    table = render(headings, rows, markdown)
    return "\n".join([table, "", *(f"- {note}" for note in dict.fromkeys(notes))])


def method(cells: list[Cell], plan: Plan) -> list[str]:
    """Say how the figures were measured, and how many samples were dropped."""
    clean = [len(cell.clean) for cell in cells]
    dropped = sum(cell.dropped for cell in cells)
    counts = f"{min(clean)} to {max(clean)}" if min(clean) < max(clean) else str(min(clean))
    if plan.cpu:
        return [
            f"processor time of one thread; median (first-third quartile) of {counts} samples; others ran",
            "ratio: llama.cpp's figure divided by ours; above 1, ours is better",
        ]
    return [
        f"{plan.threads} threads each; median (first-third quartile) of {counts} clean samples",
        f"{dropped} of {sum(clean) + dropped} samples dropped:"
        f" others used {plan.max_others:.0%} of the machine or more",
        "ratio: llama.cpp's figure divided by ours; above 1, ours is better",
    ]
