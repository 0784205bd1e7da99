"""Replays typing traces in real time against one language server.

For comparisons with other programs see `comparison`.
"""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from aide_lsp.progress import Progress
from benchmarks.typing.editor import EditorEngine
from benchmarks.typing.figures import Replayed
from benchmarks.typing.replay import Engine, Pace, replay
from benchmarks.typing.sources import Source
from benchmarks.typing.trace import Trace, make_trace


def make_traces(sources: Sequence[Source], count: int, seed: int) -> list[Trace]:
    """Make traces over pairs of files in turn; one file alone is typed alone.

    Raises:
        AideError: a file has too little code.
    """
    pairs = []
    for number in range(count):
        first = sources[2 * number % len(sources)]
        second = sources[(2 * number + 1) % len(sources)]
        pairs.append((first,) if first is second else (first, second))
    return [make_trace(pair, seed + number) for number, pair in enumerate(pairs)]


async def replay_timed(
    engine: Engine, trace: Trace, pace: Pace, progress: Callable[[int], None] = lambda keys: None
) -> Replayed:
    """Replay one trace; return it with the CPU time that it took."""
    before, own = engine.cpu_seconds(), time.process_time()
    asked = await replay(engine, trace, pace, progress)
    cpu, own = engine.cpu_seconds() - before, time.process_time() - own
    return Replayed(trace, tuple(asked), cpu, own)


async def measure(
    command: Sequence[str],
    settings: dict[str, Any],
    traces: Sequence[Trace],
    pace: Pace,
    folder: Path,
    progress: Progress,
    debounce_ms: float = 0,
) -> tuple[str, list[Replayed]]:
    """Start a server, replay the traces against it, and return its name and the results.

    Raises:
        AideError: the server cannot be started, or ended.
    """
    engine = EditorEngine("server", settings, folder, debounce_ms)
    progress(None, "Starting the server and loading the model")
    try:
        await engine.start(command)
        done = []
        for number, trace in enumerate(traces):
            keys = min(
                pace.keys, sum(event.do == "key" and event.at <= pace.seconds for event in trace.events)
            )

            def report(count: int, number: int = number, keys: int = keys) -> None:
                progress((number + count / max(1, keys)) / len(traces), f"Typing trace {number + 1}")

            done.append(await replay_timed(engine, trace, pace, report))
        return engine.server, done
    finally:
        await engine.stop()
