"""Kills the engine that editors share while people type, and measures when they are answered again.

They wait for each answer, so that every key has one. Each time, an engine is started from nothing by the
first editor, and joined by the others. The completions are compared with those of an editor that has an
engine of its own.

    python -m benchmarks.people.recovery --json recovery.json
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from attrs import asdict, evolve, frozen

from aide_lsp.errors import AideError
from benchmarks.people.page import recovery_table
from benchmarks.people.run import facts
from benchmarks.people.systems import AideSystem
from benchmarks.people.traces import make_traces, sources
from benchmarks.typing.editor import EditorEngine
from benchmarks.typing.gate import watching
from benchmarks.typing.replay import Pace, Request, RequestRecord, replay
from benchmarks.typing.trace import Trace

PROGRAM = "benchmarks.people.recovery"
# With a seed, a completion does not depend on what was offered before; without a deadline, not on time.
SETTINGS = {"ledger": "off", "seed": 1, "temperature": 0, "deadline_ms": 0}
KILL_AFTER_S = 0.03
"""After a key: its prompt is being read then."""
Texts = dict[int, str]
"""What is offered at each key of a trace, by the number of its event."""


@frozen
class Row:
    """What came of one engine that was killed."""

    first_s: float
    "Seconds from the start of the first editor, without an engine, to its first answer."
    joined_s: tuple[float, ...]
    "The same for the other editors, with the engine that runs."
    back_s: tuple[float | None, ...]
    "Seconds that each person waited for the next completion with a text; None: there was none."
    prompts: tuple[int | None, ...]
    "Tokens of the prompt that was read for it; None: unknown."
    messages: int
    "What the editors were asked to show."
    equal: int
    "Completions that are those of an editor with an engine of its own."
    missing: int
    "Keys with nothing, where that editor has a text."
    different: int
    "Completions with another text."


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; the exit status is 3 if someone was not answered again, or got another text."""
    parser = argparse.ArgumentParser(prog=f"python -m {PROGRAM}", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--times", type=int, default=3, help="how often [3]")
    add("--people", default="1,2", help="how many type meanwhile, one number after the other [1,2]")
    add("--seconds", type=float, default=14.0, help="typed each time, without the waits [14]")
    add("--kill-at", type=float, default=7.0, help="seconds of typing until the engine is killed [7]")
    add("--seed", type=int, default=1, help="chooses files, places, keys and times [1]")
    add("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args(arguments)
    counts = options.people.split(",")
    if not all(count.isdecimal() and int(count) for count in counts):
        parser.error("--people expects numbers from 1 on, such as 1,2")
    options.people = [*map(int, counts)]
    try:
        rows, others = asyncio.run(measure(options))
    except AideError as error:
        print(error, file=sys.stderr)
        return 1
    print(recovery_table([asdict(row) for row in rows]))
    if options.json:
        run = facts(PROGRAM, arguments, SETTINGS, others)
        run |= {"rows": [asdict(row) for row in rows]}
        options.json.write_text(json.dumps(run, indent=1), encoding="utf-8")
    return 3 if any(row.different or row.missing or None in row.back_s for row in rows) else 0


async def measure(options: argparse.Namespace) -> tuple[list[Row], float]:
    """Kill engines; return what came of it, and how much of the machine others used at most."""
    traces = make_traces(sources(), max(options.people), options.seed)
    rows, used = list[Row](), list[float]()
    with tempfile.TemporaryDirectory(prefix="aide-people-") as folder:
        wanted = await expected(Path(folder) / "local", traces, options.seconds)
        turns = [people for people in options.people for _ in range(options.times)]
        for number, people in enumerate(turns):
            system = AideSystem("shared", SETTINGS | {"engine": "shared"}, Path(folder) / str(number))
            try:
                async with watching(system.cpu_seconds_of_new_ones_too) as windows:
                    rows.append(await kill_once(system, traces[:people], wanted[:people], options))
            finally:
                await system.stop()
            used += [window.others for window in windows]
            print(f"{number + 1} of {len(turns)}: {rows[-1]}", file=sys.stderr)
    return rows, max(used, default=0.0)


async def expected(folder: Path, traces: Sequence[Trace], seconds: float) -> list[Texts]:
    """Return what an editor with an engine of its own offers at each key, when each answer is waited for."""
    system = AideSystem("local", SETTINGS | {"engine": "local"}, folder)
    try:
        [editor] = await system.serve(1)
        return [texts(await replay(editor, hurried(trace, seconds), Pace(patient=True))) for trace in traces]
    finally:
        await system.stop()


def hurried(trace: Trace, seconds: float) -> Trace:
    """Return the beginning of a trace, with no time between its keys."""
    return evolve(trace, events=tuple(evolve(one, at=0.0) for one in trace.events if one.at <= seconds))


async def kill_once(
    system: AideSystem, traces: Sequence[Trace], wanted: Sequence[Texts], options: argparse.Namespace
) -> Row:
    """Start the editors, let people type, kill the engine, and see what they get."""
    started = []
    for _ in traces:
        began = time.perf_counter()
        await system.start(system.another())
        started.append(time.perf_counter() - began)
    pids = system.engine_pids()
    if not pids:
        raise AideError("There is no engine: the editors do not share one.")
    pace = Pace(patient=True, seconds=options.seconds)
    typing = [
        asyncio.ensure_future(replay(editor, trace, pace))
        for editor, trace in zip(system.editors, traces, strict=True)
    ]
    await asyncio.sleep(options.kill_at)
    await next_key(system.editors[0])
    killed = time.perf_counter()
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    asked = await asyncio.gather(*typing)
    found = [
        (text, known[event])
        for one, known in zip(asked, wanted, strict=True)
        for event, text in texts(one).items()
        if event in known
    ]
    for text, known in found:
        if text != known:
            print(f"expected {known!r}, got {text!r}", file=sys.stderr)
    back = [first_after(one, killed) for one in asked]
    return Row(
        first_s=started[0],
        joined_s=tuple(started[1:]),
        back_s=tuple(None if one is None else waited_for(one, killed) for one in back),
        prompts=tuple(None if one is None or one.tokens is None else one.tokens.prompt for one in back),
        messages=sum(len(editor.messages) for editor in system.editors),
        equal=sum(text == known for text, known in found),
        missing=sum(not text and bool(known) for text, known in found),
        different=sum(bool(text) and text != known for text, known in found),
    )


async def next_key(editor: EditorEngine) -> None:
    """Wait until shortly after the next key in an editor."""
    pressed, ask = asyncio.Event(), editor.ask

    def noted(file: int, text: str, cursor: int) -> Request:
        pressed.set()
        return ask(file, text, cursor)

    editor.ask = noted  # type: ignore[method-assign]
    await pressed.wait()
    editor.ask = ask  # type: ignore[method-assign]
    await asyncio.sleep(KILL_AFTER_S)


def texts(asked: Sequence[RequestRecord]) -> Texts:
    """Return what was offered at each key that got an answer."""
    return {one.event: one.text for one in asked if one.waited is not None}


def first_after(asked: Sequence[RequestRecord], killed: float) -> RequestRecord | None:
    """Return the key that got the first completion with a text after the kill; None: none did."""
    for one in asked:
        if one.waited is not None and one.text and one.at + one.waited > killed:
            return one
    return None


def waited_for(one: RequestRecord, killed: float) -> float:
    """Return how long a person waited for the completion of a key, from the kill or a later key."""
    assert one.waited is not None
    return one.at + one.waited - max(one.at, killed)


if __name__ == "__main__":
    sys.exit(main())
