"""Lets several people type at once, each against an engine of their own in one system."""

import asyncio
from collections.abc import Sequence

from attrs import evolve, frozen

from benchmarks.people.systems import System, megabytes
from benchmarks.typing.figures import Replayed, figures, quantile
from benchmarks.typing.gate import gate, watching
from benchmarks.typing.replay import Engine, Pace, RequestRecord, replay
from benchmarks.typing.trace import Trace


@frozen
class Turn:
    """What came of one system's turn."""

    replayed: list[Replayed]
    "For each person."
    memory_mb: float
    "Of all its processes, at the end."
    others: float
    "Share of the machine that other programs used, at most."


async def take_turn(
    system: System,
    engines: Sequence[Engine],
    traces: Sequence[Trace],
    starts: Sequence[float],
    pace: Pace,
    max_others: float,
) -> Turn:
    """Replay a trace for each person at the same time; keep the keys that count."""

    async def person(engine: Engine, trace: Trace, start: float) -> list[RequestRecord]:
        await asyncio.sleep(start)
        return await replay(engine, trace, pace)

    people = list(zip(engines, traces, starts, strict=True))
    async with watching(system.cpu_seconds) as windows:
        asked = await asyncio.gather(*(person(*one) for one in people))
    kept = [gate(trace, one, windows, max_others) for trace, one in zip(traces, asked, strict=True)]
    # The windows are those of all: each person has a part of their time.
    kept = [evolve(one, cpu_s=one.cpu_s / len(people), own_cpu_s=one.own_cpu_s / len(people)) for one in kept]
    others = max((window.others for window in windows), default=0.0)
    return Turn(kept, megabytes(system), others)


@frozen
class Row:
    """How a number of people fared with one system."""

    system: str
    people: int
    keys: int
    "Requests that count."
    dropped: int
    "Keys that do not count."
    answered: float
    "Share that was answered before the next key."
    least: float
    "The same, of the person who got the smallest share."
    offered: float
    "Share that was answered with a text before the next key."
    p50_ms: float | None
    "From key to answer, over all requests; None: it came after the next key."
    p95_ms: float | None
    "Likewise, 95 %."
    answer_p50_ms: float | None
    "Over the requests that were answered before the next key; None: there is none."
    answer_p95_ms: float | None
    "Likewise, 95 %."
    memory_mb: float
    "At most, of all processes."
    cpu_s_per_100_keys: float
    "Of all processes."
    late_p95_ms: float
    "Delay of keys against the trace, 95th percentile."
    faults: int
    "Requests that failed."


def row_of(system: str, people: int, turns: Sequence[Turn]) -> Row | None:
    """Return the figures of some turns of a system with this many people; None: no key counts."""
    replayed = [one for turn in turns for one in turn.replayed if one.asked]
    if not replayed:
        return None
    found = figures(replayed)
    finite = [time for time in found.times_ms if time != float("inf")]
    return Row(
        system=system,
        people=people,
        keys=found.keys,
        dropped=sum(one.dropped for turn in turns for one in turn.replayed),
        answered=found.answered,
        least=min(_least(turn) for turn in turns),
        offered=found.offered,
        p50_ms=_finite(found.p50_ms),
        p95_ms=_finite(found.p95_ms),
        answer_p50_ms=quantile(finite, 0.5) if finite else None,
        answer_p95_ms=quantile(finite, 0.95) if finite else None,
        memory_mb=max(turn.memory_mb for turn in turns),
        cpu_s_per_100_keys=found.cpu_s_per_100_keys,
        late_p95_ms=found.late_p95_ms,
        faults=found.faults,
    )


def _least(turn: Turn) -> float:
    shares = [
        sum(asked.waited is not None for asked in one.asked) / len(one.asked)
        for one in turn.replayed
        if one.asked
    ]
    return min(shares, default=1.0)


def _finite(value: float) -> float | None:
    return None if value == float("inf") else value
