"""Compares one person's answers from the engine that editors share with those from an engine of one's own.

Both editors are asked at each key, one right after the other, in turns, and each answer is waited for. Both
do the same work, so the difference is what it costs to talk with another process.

    python -m benchmarks.people.overhead --json overhead.json
"""

import argparse
import asyncio
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from attrs import frozen

from aide_lsp.errors import AideError
from benchmarks.llama_cpp.samples import MAX_OTHERS
from benchmarks.people.page import overhead_table
from benchmarks.people.run import facts
from benchmarks.people.systems import AideSystem
from benchmarks.people.traces import make_traces, sources
from benchmarks.typing.editor import EditorEngine
from benchmarks.typing.figures import quantile
from benchmarks.typing.gate import Window, watching
from benchmarks.typing.replay import PATIENCE_SECONDS, Request
from benchmarks.typing.trace import Trace

PROGRAM = "benchmarks.people.overhead"
# With a seed, no answer is reused; without work ahead, no editor computes while the other one is asked.
SETTINGS = {"ledger": "off", "seed": 1, "temperature": 0, "work_ahead": False, "deadline_ms": 0}
NAMES = ("local", "shared")


@frozen
class Answers:
    """The answers to one key, in seconds and as text."""

    at: float
    "When it was pressed, by `time.perf_counter`."
    ended: float
    local_s: float
    shared_s: float
    same: bool
    "Whether both texts are the same."


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; the exit status is 3 if too few keys count, or texts differ."""
    parser = argparse.ArgumentParser(prog=f"python -m {PROGRAM}", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--keys", type=int, default=120, help="how many are pressed [120]")
    add("--traces", type=int, default=3, help="in how many traces [3]")
    add("--seed", type=int, default=1, help="chooses files, places, and keys [1]")
    add(
        "--max-others", type=float, default=MAX_OTHERS, help="share of the machine that others may use [0.10]"
    )
    add("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    try:
        answers, windows = asyncio.run(measure(options))
    except AideError as error:
        print(error, file=sys.stderr)
        return 1
    quiet = [one for one in answers if is_quiet(one, windows, options.max_others)]
    if not quiet:
        print("Other programs used the machine all the time.", file=sys.stderr)
        return 3
    rows = [figures(quiet)]
    print(overhead_table(rows))
    if options.json:
        run = facts(PROGRAM, arguments, SETTINGS, max(window.others for window in windows))
        run |= {"dropped": len(answers) - len(quiet), "rows": rows}
        options.json.write_text(json.dumps(run, indent=1), encoding="utf-8")
    return 0 if all(one.same for one in answers) else 3


async def measure(options: argparse.Namespace) -> tuple[list[Answers], list[Window]]:
    """Press the keys."""
    traces = make_traces(sources(), options.traces, options.seed)
    with tempfile.TemporaryDirectory(prefix="aide-people-") as folder:
        systems = [AideSystem(name, SETTINGS | {"engine": name}, Path(folder) / name) for name in NAMES]
        try:
            editors = [(await system.serve(1))[0] for system in systems]

            def used() -> float:
                return sum(system.cpu_seconds() for system in systems)

            async with watching(used) as windows:
                each = -(-options.keys // len(traces))
                answers = [one for trace in traces for one in await press(editors, trace, each)]
            return answers, windows
        finally:
            for system in systems:
                await system.stop()


async def press(editors: Sequence[EditorEngine], trace: Trace, keys: int) -> list[Answers]:
    """Press keys of a trace in both editors, and wait for both answers to each."""
    texts, found = list(trace.begins), list[Answers]()
    for editor in editors:
        editor.begin()
    for event in trace.events:
        if event.do == "open":
            for editor in editors:
                editor.open(event.file, trace.sources[event.file], texts[event.file])
        if event.do != "key":
            continue
        before = texts[event.file]
        after = texts[event.file] = before[: event.start] + event.text + before[event.end :]
        asked = dict[EditorEngine, Request]()
        for editor in editors[:: -1 if len(found) % 2 else 1]:
            editor.edit(event.file, event, before, after)
            asked[editor] = editor.ask(event.file, after, event.start + len(event.text))
            await asyncio.wait([asked[editor].answered], timeout=PATIENCE_SECONDS)
        found.append(_answers(*(asked[editor] for editor in editors)))
        if len(found) == keys:
            break
    return found


def _answers(local: Request, shared: Request) -> Answers:
    one, other = local.offer, shared.offer
    if one is None or other is None:
        raise AideError(local.fault or shared.fault or "A request was not answered.")
    return Answers(
        at=min(local.asked_at, shared.asked_at),
        ended=max(one.at, other.at),
        local_s=one.at - local.asked_at,
        shared_s=other.at - shared.asked_at,
        same=one.text == other.text,
    )


def is_quiet(one: Answers, windows: Sequence[Window], max_others: float) -> bool:
    """Whether other programs did not use the machine during both answers."""
    met = [window for window in windows if window.start <= one.ended and one.at <= window.end]
    return all(window.others < max_others for window in met)


def figures(answers: Sequence[Answers]) -> dict[str, float]:
    """Return the figures of at least one key."""
    added = sorted(1000 * (one.shared_s - one.local_s) for one in answers)
    return {
        "keys": len(answers),
        "local_ms": 1000 * median(one.local_s for one in answers),
        "shared_ms": 1000 * median(one.shared_s for one in answers),
        "added_ms": median(added),
        "added_p95_ms": quantile(added, 0.95),
        "ratio": median(one.shared_s / one.local_s for one in answers),
        "different": sum(not one.same for one in answers),
    }


if __name__ == "__main__":
    sys.exit(main())
