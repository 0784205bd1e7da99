"""Renders the typing comparison: tables, a plot, and a file with every key."""

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from benchmarks import machine
from benchmarks.llama_cpp.samples import render
from benchmarks.typing.figures import Figures, Replayed, figures, milliseconds, rows
from benchmarks.typing.plot import Distribution, Mark, draw
from benchmarks.typing.trace import Trace

LEAST_KEYS = 20
"""With fewer, no figure is given."""
GAPS_S = (0.2, 0.5)


@frozen
class Kept:
    """The keys of one engine that count."""

    name: str
    "Its name in tables."
    server: str
    "Name and version that it reports."
    typing: list[Replayed]
    "Traces typed in real time."
    patient: list[Replayed]
    "Traces typed by someone who waits for each answer."

    def figures(self, patient: bool) -> Figures | None:
        """Compute the figures; None if too few keys count."""
        taken = self.patient if patient else self.typing
        enough = sum(len(each.asked) for each in taken) >= LEAST_KEYS
        return figures(taken) if enough else None


def report(kept: list[Kept], traces: list[Trace], max_others: float, markdown: bool) -> tuple[str, bool]:
    """Return the text to print, and whether every figure comes from enough keys."""
    parts, enough = [], True
    for patient, title in ((False, "Typing in real time"), (True, "Waiting for each answer")):
        found = [one.figures(patient) for one in kept]
        enough = enough and None not in found
        parts += [title, "", table(kept, found, patient, markdown), ""]
    parts += [f"- {line}" for line in (*machine.describe(), *method(kept, traces, max_others))]
    return "\n".join(parts), enough


def table(kept: list[Kept], found: list[Figures | None], patient: bool, markdown: bool) -> str:
    """Return one table: a column for each engine."""
    columns = [None if one is None else rows(one) for one in found]
    titles = next((column for column in columns if column is not None), [])
    body = []
    for number, (title, _) in enumerate(titles):
        if patient:
            title = title.replace(" before the next key", "")
        texts = ["too few keys" if column is None else column[number][1] for column in columns]
        body.append([title, *texts])
    dropped = [sum(each.dropped for each in (one.patient if patient else one.typing)) for one in kept]
    body.append(["keys dropped", *(str(count) for count in dropped)])
    return render(["", *(one.name for one in kept)], body, markdown)


def method(kept: list[Kept], traces: list[Trace], max_others: float) -> list[str]:
    """Say how the figures were measured."""
    gaps = key_gaps(traces)
    shares = ", ".join(f"{share_longer(gaps, limit):.0%} leave {limit * 1000:.0f} ms" for limit in GAPS_S)
    faults = {one.name: found.faults for one in kept if (found := one.figures(False)) and found.faults}
    late = max((found.late_p95_ms for one in kept if (found := one.figures(False))), default=0.0)
    return [
        "; ".join(f"{one.name}: {one.server}" for one in kept),
        f"typed again: {'; '.join(trace.name for trace in traces)}",
        f"of the keys, {shares} or more before the next",
        f"dropped: keys while others used {max_others:.0%} of the machine or more",
        f"95 % of the keys were pressed at most {late:.1f} ms late",
        *([f"requests that failed: {faults}"] if faults else []),
    ]


def key_gaps(traces: list[Trace]) -> list[float]:
    """Return the seconds from each key to the next event."""
    pairs = (pair for trace in traces for pair in pairwise(trace.events))
    return [after.at - key.at for key, after in pairs if key.do == "key"]


def share_longer(gaps: list[float], seconds: float) -> float:
    """Return the share of gaps of at least `seconds`."""
    return sum(gap >= seconds for gap in gaps) / max(1, len(gaps))


def plot(kept: list[Kept], traces: list[Trace]) -> str:
    """Draw the times from key to answer, for a person who waits for each answer."""
    gaps, engines = key_gaps(traces), []
    for one in kept:
        waiting, typing = one.figures(True), one.figures(False)
        if waiting is None:
            continue
        note = f"p50 {milliseconds(waiting.p50_ms)}, p95 {milliseconds(waiting.p95_ms)}"
        if typing is not None:
            note += f"; {typing.answered:.0%} in time when typing"
        engines.append(Distribution(one.name, waiting.times_ms, note))
    marks = [
        Mark(limit * 1000, f"{share_longer(gaps, limit):.0%} of keys leave {limit * 1000:.0f} ms")
        for limit in GAPS_S
    ]
    return draw(
        "From key to answer",
        "A request at every key, each answer waited for. Bars: share of answers, on a common time scale.",
        engines,
        marks,
    )


def save(path: Path, kept: list[Kept], traces: list[Trace], facts: dict[str, Any]) -> None:
    """Write every key that counts, and what was typed."""
    content = {
        "machine": machine.describe(),
        **{name: asdict(fact) if hasattr(fact, "__attrs_attrs__") else fact for name, fact in facts.items()},
        "sources": {
            source.name: {"sha256": source.sha256, "language": source.language}
            for trace in traces
            for source in trace.sources
        },
        "traces": [
            {"name": trace.name, "keys": key_count(trace), "seconds": trace.seconds} for trace in traces
        ],
        "engines": [engine_json(one, traces) for one in kept],
    }
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


def key_count(trace: Trace) -> int:
    """Return the number of keys."""
    return sum(event.do == "key" for event in trace.events)


def engine_json(one: Kept, traces: list[Trace]) -> dict[str, Any]:
    """Return what came of one engine. Offered texts are left out but for their length."""
    found: dict[str, Any] = {"name": one.name, "server": one.server}
    for patient, name in ((False, "typing"), (True, "patient")):
        summed = one.figures(patient)
        if summed is not None:
            plain = asdict(summed)
            plain.pop("times_ms")
            # JSON has no infinity.
            found[name] = {key: None if _infinite(value) else value for key, value in plain.items()}
        found[f"{name}_keys"] = [
            {
                "trace": traces.index(each.trace),
                "event": asked.event,
                "waited_s": asked.waited,
                "left_s": round(asked.left, 4),
                "characters": len(asked.text),
                "tokens": asdict(asked.tokens) if asked.tokens else None,
            }
            for each in (one.patient if patient else one.typing)
            for asked in each.asked
        ]
    return found


def _infinite(value: Any) -> bool:
    return isinstance(value, float) and math.isinf(value)
