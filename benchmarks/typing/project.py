"""Types inside real projects, with other files and without: `python -m benchmarks.typing.project`.

Two servers take turns trace by trace (A B, B A, ...); both are loaded, one is busy. Keys during which other
programs used the machine are dropped and counted.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from statistics import median

import psutil
from attrs import frozen

from aide_lsp.errors import AideError
from benchmarks.context.tree import unpack
from benchmarks.llama_cpp.samples import MAX_OTHERS
from benchmarks.real_code.packages import Archive, fetch, read_files, read_manifest
from benchmarks.typing.comparison import PAUSE_S, one_replay, summary
from benchmarks.typing.editor import EditorEngine
from benchmarks.typing.figures import Replayed
from benchmarks.typing.lsp_client import OWN_SERVER
from benchmarks.typing.replay import Pace, RequestRecord
from benchmarks.typing.report import Kept, report, save
from benchmarks.typing.sources import Source
from benchmarks.typing.trace import Trace, make_trace

PACKAGES = ("rich", "rxjs", "wandb", "starlette", "trpc", "httpx")
MOST_TRIES = 200


@frozen
class ProjectTrace:
    """A trace, and the project in which it is typed."""

    trace: Trace
    archive: Archive


class ProjectEngine(EditorEngine):
    """An editor that has a project open: for each trace, a fresh copy with its history in `.git`."""

    def __init__(self, name: str, settings: dict[str, object], folder: Path) -> None:
        super().__init__(name, settings, folder)
        self.archive: Archive | None = None

    def begin(self) -> None:
        """Unpack the project of the next trace."""
        super().begin()
        if self.archive is not None:
            root = self._folder / str(self._opened)
            unpack(fetch(self.archive), root)
            (root / ".git").mkdir()

    def megabytes(self) -> float:
        """Memory of the server's process."""
        return float(psutil.Process(self._connection.pid).memory_info().rss) / 1e6

    def _name(self, source: Source) -> str:
        return f"{self._opened}/{source.name}" if self.archive else super()._name(source)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark; the exit status is 3 when too few keys count."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.typing.project", description=__doc__.split("\n")[0]
    )
    add = parser.add_argument
    add("--package", action="append", help=f"package of real_code/packages.toml {list(PACKAGES)}")
    add("--traces", type=int, default=6, help="traces typed in real time [6]")
    add("--seconds", type=float, default=30.0, help="at most, for each [30]")
    add("--patient", type=int, default=3, help="traces typed by someone who waits for each answer [3]")
    add("--keys", type=int, default=40, help="keys of each of these [40]")
    add("--settings", type=json.loads, default={"temperature": 0}, help="of both [temperature 0]")
    add("--share", type=float, default=0.25, help="context_share of the first [0.25]")
    add("--seed", type=int, default=1, help="chooses files, places, keys and times [1]")
    add("--max-others", type=float, default=MAX_OTHERS, help="share of the machine that others may use [0.1]")
    add("--markdown", action="store_true", help="print the tables as Markdown")
    add("--json", type=Path, help="write every key to this file")
    options = parser.parse_args(arguments)
    try:
        traces = project_traces(
            options.package or PACKAGES, max(options.traces, options.patient), options.seed
        )
        kept, engines = asyncio.run(compare(options, traces))
    except AideError as error:
        print(error, file=sys.stderr)
        return 1
    typed = [one.trace for one in traces]
    text, enough = report(kept, typed, options.max_others, options.markdown)
    print(text, *(f"- {line}" for line in costs(kept, engines)), sep="\n")
    if options.json:
        facts = {"seed": options.seed, "settings": options.settings, "share": options.share}
        save(options.json, kept, typed, facts)
    return 0 if enough else 3


def project_traces(packages: list[str] | tuple[str, ...], count: int, seed: int) -> list[ProjectTrace]:
    """Make traces, each over two files of one package, the packages in turn.

    Raises:
        AideError: there is no such package, or it has too little code.
    """
    found, chance = [], Random(f"aide-typing-project-v1:{seed}")
    archives = {archive.name: archive for archive in read_manifest()} | {
        part.name: archive for archive in read_manifest() for part in archive.parts
    }
    for number in range(count):
        name = packages[number % len(packages)]
        if name not in archives:
            raise AideError(f"There is no package {name}; there are {', '.join(sorted(archives))}.")
        archive = archives[name]
        parts = [part for part in archive.parts if name in (part.name, archive.name)]
        sources = [
            Source(path, part.language, text) for part, path, text in read_files(fetch(archive), parts[:1])
        ]
        found.append(ProjectTrace(_trace(name, sources, chance, seed + number), archive))
    return found


def _trace(name: str, sources: list[Source], chance: Random, seed: int) -> Trace:
    for _ in range(MOST_TRIES):
        try:
            return make_trace(chance.sample(sources, 2), seed)
        except AideError:
            continue  # too little code in one of them
    raise AideError(f"{name} has too few files with enough code to type.")


async def compare(
    options: argparse.Namespace, traces: list[ProjectTrace]
) -> tuple[list[Kept], list[tuple[str, float]]]:
    """Type all traces with both servers; return the keys of each that count, and its memory at the end."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aide-typing-")))
        engines = []
        for name, share in (("with other files", options.share), ("without", 0)):
            settings = {"ledger": "off", **options.settings, "contextShare": share}
            own = folder / name.replace(" ", "-")
            own.mkdir()
            engine = ProjectEngine(name, settings, own)
            # Before `start`, so that a server that never answers is ended too.
            stack.push_async_callback(engine.stop)
            await engine.start(list(OWN_SERVER))
            engines.append(engine)
        results = {engine.name: Kept(engine.name, engine.server, [], []) for engine in engines}
        runs = [(one, Pace(seconds=options.seconds)) for one in traces[: options.traces]]
        runs += [(one, Pace(patient=True, keys=options.keys)) for one in traces[: options.patient]]
        for turn, (one, pace) in enumerate(runs):
            for engine in engines[:: -1 if turn % 2 else 1]:
                await asyncio.sleep(PAUSE_S)
                engine.archive = one.archive
                taken = await one_replay(engine, one.trace, pace, options.max_others)
                said = f"trace {turn + 1} of {len(runs)}, {'patient' if pace.patient else 'real time'}"
                print(f"{said}, {engine.name}: {summary(taken)}", file=sys.stderr, flush=True)
                kept = results[engine.name]
                (kept.patient if pace.patient else kept.typing).append(taken[0])
        return list(results.values()), [(engine.name, engine.megabytes()) for engine in engines]


def costs(kept: list[Kept], memory: list[tuple[str, float]]) -> list[str]:
    """Say what other files cost besides time."""
    lines = []
    for one, (name, megabytes) in zip(kept, memory, strict=True):
        again = [tokens for each in one.patient for tokens in _again(each)]
        first = [1000 * asked.waited for each in one.patient for asked in _first(each) if asked.waited]
        lines.append(
            f"{name}: most of the prompt was read again at {sum(again)} of {len(again)} keys whose answer"
            f" came from the model; first answer in a file after {_median(first)} (median of {len(first)});"
            f" memory at the end {megabytes:.0f} MB"
        )
    return lines


def _again(replayed: Replayed) -> list[bool]:
    """For each answer that the model generated, but the first in a file: whether most was prefilled again."""
    asked = [one for one in replayed.asked if one not in _first(replayed) and one.tokens is not None]
    return [one.tokens.cached < one.tokens.prompt / 2 for one in asked if one.tokens and one.tokens.generated]


def _first(replayed: Replayed) -> list[RequestRecord]:
    """The first key in each file."""
    found: dict[int, RequestRecord] = {}
    for one in replayed.asked:
        found.setdefault(replayed.trace.events[one.event].file, one)
    return list(found.values())


def _median(times: list[float]) -> str:
    return f"{median(times):.0f} ms" if times else "-"


if __name__ == "__main__":
    sys.exit(main())
