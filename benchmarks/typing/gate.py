"""Replays a trace while watching who uses the machine; drops keys during which other programs did."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import pairwise

from attrs import frozen

from benchmarks.load_meter import STAT, Reading, core_count, machine_seconds, usage
from benchmarks.typing.figures import Replayed
from benchmarks.typing.replay import Engine, Pace, RequestRecord, replay
from benchmarks.typing.trace import Trace

WINDOW_S = 2.0
"""/proc/stat counts in ticks of 10 ms: over this time the share of others is known to about one point."""


@frozen
class Moment:
    """The clocks at one moment, in seconds."""

    wall: float
    engine: float
    "CPU time of the engine."
    own: float
    "CPU time of this process."
    machine: float
    "CPU time of everything."


@frozen
class Window:
    """Some seconds of a replay."""

    start: float
    end: float
    others: float
    "Share of the machine that others used."
    engine: float
    "CPU seconds of the engine."
    own: float
    "CPU seconds of this process."


async def watched(engine: Engine, trace: Trace, pace: Pace) -> tuple[list[RequestRecord], list[Window]]:
    """Replay a trace; return the outcome of each key, and who used the machine."""
    async with watching(engine.cpu_seconds) as windows:
        asked = await replay(engine, trace, pace)
    return asked, windows


@asynccontextmanager
async def watching(cpu_seconds: Callable[[], float]) -> AsyncIterator[list[Window]]:
    """Watch who uses the machine during a block; the list has the windows after it.

    `cpu_seconds` returns the CPU time of all processes that are measured.
    """
    moments, windows = [_moment(cpu_seconds)], list[Window]()

    async def watch() -> None:
        while True:
            await asyncio.sleep(WINDOW_S)
            moments.append(_moment(cpu_seconds))

    watch_task = asyncio.ensure_future(watch())
    try:
        yield windows
    finally:
        watch_task.cancel()
        with suppress(asyncio.CancelledError):
            await watch_task
    last = _moment(cpu_seconds)
    # A short rest says little: it is merged with the previous window.
    if len(moments) > 1 and last.wall - moments[-1].wall < WINDOW_S / 2:
        moments.pop()
    moments.append(last)
    windows += [_window(one, two) for one, two in pairwise(moments)]


def gate(trace: Trace, asked: list[RequestRecord], windows: list[Window], max_others: float) -> Replayed:
    """Keep the keys that were quiet all the time until the answer or the next key."""
    clean = [window for window in windows if window.others < max_others]
    kept = [one for one in asked if _is_quiet(one, windows, max_others)]
    return Replayed(
        trace,
        tuple(kept),
        sum(window.engine for window in clean) * _share(kept, asked, clean),
        sum(window.own for window in clean) * _share(kept, asked, clean),
        len(asked) - len(kept),
    )


def _share(kept: list[RequestRecord], asked: list[RequestRecord], clean: list[Window]) -> float:
    """A key at the edge of a disturbed window is dropped, although its clean part cost CPU time too."""
    begun = sum(any(window.start <= one.at < window.end for window in clean) for one in asked)
    return len(kept) / begun if begun else 0.0


def _is_quiet(one: RequestRecord, windows: list[Window], max_others: float) -> bool:
    met = [window for window in windows if window.start <= one.at + one.left and one.at <= window.end]
    return all(window.others < max_others for window in met)


def _moment(cpu_seconds: Callable[[], float]) -> Moment:
    return Moment(time.perf_counter(), cpu_seconds(), time.process_time(), machine_seconds(STAT.read_text()))


def _window(one: Moment, two: Moment) -> Window:
    # The benchmark's own processes are not others.
    before = Reading(one.wall, one.engine + one.own, one.machine)
    after = Reading(two.wall, two.engine + two.own, two.machine)
    used = usage(before, after, core_count())
    return Window(one.wall, two.wall, used.others, two.engine - one.engine, two.own - one.own)
