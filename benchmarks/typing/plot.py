"""Draws the times from key to answer: one row of bars for each engine, on a common time scale."""

import math
from collections.abc import Sequence

from attrs import frozen

from benchmarks.figures.svg import WIDTH, Drawing

FROM_MS, TO_MS, BINS = 1.0, 30_000.0, 60
LEFT, RIGHT, TOP, ROW, BARS = 24.0, 24.0, 106.0, 112.0, 62.0
TICKS = ((1, "1 ms"), (10, "10 ms"), (100, "100 ms"), (1_000, "1 s"), (10_000, "10 s"))


@frozen
class Distribution:
    """One engine."""

    name: str
    times_ms: tuple[float, ...]
    "All of them."
    note: str
    "Text next to the name."


@frozen
class Mark:
    """A moment to mark."""

    ms: float
    words: str


def draw(title: str, note: str, engines: Sequence[Distribution], marks: Sequence[Mark]) -> str:
    """Draw a row for each engine; heights are shares of its answers, on a common scale."""
    height = TOP + ROW * len(engines) + 34
    drawing = Drawing(int(height), title, note)
    shares = [histogram(engine.times_ms) for engine in engines]
    tallest = max((share for row in shares for share in row), default=1.0) or 1.0
    bottom = TOP + ROW * len(engines)
    for value, words in TICKS:
        drawing.rule(place(value), TOP, place(value), bottom)
        drawing.write(place(value), bottom + 18, words, "note", "middle")
    width = (WIDTH - LEFT - RIGHT) / BINS
    for row, (engine, heights) in enumerate(zip(engines, shares, strict=True)):
        base = TOP + ROW * (row + 1)
        for bin_, share in enumerate(heights):
            if share:
                tall = BARS * share / tallest
                drawing.bar(LEFT + bin_ * width + 0.5, base - tall, width - 1, tall)
        drawing.rule(LEFT, base, WIDTH - RIGHT, base, "axis")
        drawing.write(LEFT, base - ROW + 26, engine.name, "label halo")
        drawing.write(WIDTH - RIGHT, base - ROW + 26, engine.note, "note halo", "end")
    for number, mark in enumerate(marks):
        drawing.rule(place(mark.ms), TOP - 8, place(mark.ms), bottom, "cut")
        side, anchor = (4, "start") if number else (-4, "end")
        drawing.write(place(mark.ms) + side, TOP - 12, mark.words, "warm", anchor)
    return drawing.text()


def histogram(times_ms: Sequence[float]) -> list[float]:
    """Return the share of the times in each bin; times outside go to the first or last."""
    counts = [0] * BINS
    for time_ms in times_ms:
        counts[min(BINS - 1, max(0, int(BINS * _scaled(time_ms))))] += 1
    return [count / max(1, len(times_ms)) for count in counts]


def place(ms: float) -> float:
    """Return the horizontal position of a time."""
    return LEFT + (WIDTH - LEFT - RIGHT) * min(1.0, max(0.0, _scaled(ms)))


def _scaled(ms: float) -> float:
    if math.isinf(ms):
        return 1.0
    return math.log(max(ms, FROM_MS) / FROM_MS) / math.log(TO_MS / FROM_MS)
