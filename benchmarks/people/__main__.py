"""Lets 1, 2, 4, and 8 people type at once: with one engine, with one each, and with llama.cpp's server.

Each person has files and an editor of their own. The systems take turns round by round (A B C, C B A, ...);
what is typed, and when, is the same for all. All are loaded, one is busy.

    python -m benchmarks.people --llama-server ../llama-server/build/bin/llama-server --json typing.json
"""

import argparse
import asyncio
import json
import math
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from attrs import asdict

from aide_lsp.errors import AideError
from benchmarks.llama_cpp.compare import default_gguf
from benchmarks.llama_cpp.engines import EngineError
from benchmarks.llama_cpp.samples import MAX_OTHERS
from benchmarks.people.page import people_table
from benchmarks.people.run import facts
from benchmarks.people.systems import AideSystem, LlamaSystem, System
from benchmarks.people.traces import make_traces, sources, starts
from benchmarks.people.turn import Row, Turn, row_of, take_turn
from benchmarks.typing.figures import Replayed
from benchmarks.typing.llama_server import WINDOW
from benchmarks.typing.replay import Pace
from benchmarks.typing.report import LEAST_KEYS
from benchmarks.typing.sources import read_source

PAUSE_S = 0.5
"""Lets the spinning threads of the previous system fall asleep."""
PROGRAM = "benchmarks.people"
NAMES = {"shared": "one engine for all", "local": "an engine for each"}
LLAMA = "llama.cpp's server, a slot for each"


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; the exit status is 3 when too few keys count."""
    options = parse(arguments)
    try:
        rows, versions, others = asyncio.run(measure(options))
    except (AideError, EngineError) as error:
        print(error, file=sys.stderr)
        return 1
    print(people_table([asdict(row) for row in rows]))
    if options.json:
        run = facts(PROGRAM, arguments, options.settings, others)
        run |= {"versions": versions, "traces": options.traces, "seconds": options.seconds}
        run |= {"rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(run, indent=1), encoding="utf-8")
    few = [row for row in rows if row.keys < LEAST_KEYS]
    return 3 if few or not rows else 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog=f"python -m {PROGRAM}", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("files", nargs="*", type=Path, help="what is typed [modules of Python's standard library]")
    add("--people", default="1,2,4,8", help="how many at once [1,2,4,8]")
    add("--engines", default="shared,local", help="of shared and local [both]")
    add("--llama-server", type=Path, help="llama.cpp's server (see benchmarks.llama_cpp.build_server)")
    add("--gguf", type=Path, help="its model [the default model's file]")
    add("--threads", type=int, default=2, help="threads of llama-server; Aide uses its settings [2]")
    add("--traces", type=int, default=2, help="typed for each number of people and each system, at least [2]")
    add("--seconds", type=float, default=26.0, help="typed of each trace [26]")
    add(
        "--settings",
        type=json.loads,
        default={"temperature": 0, "num_context": WINDOW},
        help=f"Aide's settings, as JSON [temperature 0, and num_context {WINDOW}, as llama.cpp reads]",
    )
    add("--seed", type=int, default=1, help="chooses files, places, keys and times [1]")
    add(
        "--max-others", type=float, default=MAX_OTHERS, help="share of the machine that others may use [0.10]"
    )
    add("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    counts = options.people.split(",")
    if not all(count.isdecimal() and int(count) for count in counts):
        parser.error("--people expects numbers from 1 on, such as 1,2,4")
    options.people = sorted(set(map(int, counts)))
    options.engines = [name for name in options.engines.split(",") if name]
    if unknown := set(options.engines) - set(NAMES):
        parser.error(f"--engines has no {', '.join(sorted(unknown))}")
    return options


async def measure(options: argparse.Namespace) -> tuple[list[Row], dict[str, str], float]:
    """Let the systems take turns; return their figures, their versions, and how much others used."""
    found = [read_source(path) for path in options.files] or sources()
    pace, rows, busiest = Pace(seconds=options.seconds), list[Row](), 0.0
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aide-people-")))
        systems = list(make_systems(options, folder, stack))
        for people in options.people:
            turns: dict[str, list[Turn]] = {system.name: [] for system in systems}
            for number in range(rounds(people, options.traces)):
                seed = options.seed + number
                traces, begins = make_traces(found, max(options.people), seed), starts(people, seed)
                for system in systems[:: -1 if number % 2 else 1]:
                    engines = await system.serve(people)
                    await asyncio.sleep(PAUSE_S)
                    turn = await take_turn(system, engines, traces[:people], begins, pace, options.max_others)
                    turns[system.name].append(turn)
                    busiest = max(busiest, turn.others)
                    print(
                        f"{people} typing, round {number + 1}, {system.name}: {summary(turn)}",
                        file=sys.stderr,
                    )
            all_rows = [row_of(name, people, taken) for name, taken in turns.items()]
            rows += [row for row in all_rows if row is not None]
        versions = {system.name: system.server for system in systems}
    return rows, versions, busiest


def rounds(people: int, traces: int) -> int:
    """Return how many turns each system has, for this many traces in all."""
    return max(1, math.ceil(traces / people))


def make_systems(options: argparse.Namespace, folder: Path, stack: AsyncExitStack) -> list[System]:
    """Return the systems, not started; the stack ends them."""
    systems: list[System] = []
    for engine in options.engines:
        # A benchmark's completions would push the user's own out of the ledger.
        settings = {"ledger": "off", **options.settings, "engine": engine}
        systems.append(AideSystem(NAMES[engine], settings, folder / engine))
    if options.llama_server:
        gguf = options.gguf or default_gguf()
        systems.append(LlamaSystem(LLAMA, options.llama_server, gguf, options.threads))
    for system in systems:
        stack.push_async_callback(system.stop)
    return systems


def summary(turn: Turn) -> str:
    """Summarize a turn in one line."""

    def answered(one: Replayed) -> int:
        return sum(asked.waited is not None for asked in one.asked)

    keys = sum(len(one.asked) for one in turn.replayed)
    dropped = sum(one.dropped for one in turn.replayed)
    return (
        f"{sum(map(answered, turn.replayed))} of {keys} keys answered, {dropped} dropped,"
        f" {turn.memory_mb:.0f} MB; others used up to {turn.others:.0%}"
    )


if __name__ == "__main__":
    sys.exit(main())
