"""Compares how Aide and llama.cpp keep up with a person who types: the same traces on the same machine.

The engines take turns trace by trace (A B C, C B A, ...); all are loaded, one is busy. Keys during which
other programs used the machine are dropped and counted.

    python -m benchmarks.typing.comparison --llama-server ../llama-server/build/bin/llama-server
"""

import argparse
import asyncio
import json
import shlex
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from attrs import frozen

from aide_lsp.errors import AideError
from benchmarks.llama_cpp.compare import LOOSEST, default_gguf
from benchmarks.llama_cpp.engines import ROOT, EngineError
from benchmarks.llama_cpp.samples import MAX_OTHERS
from benchmarks.typing.editor import EditorEngine
from benchmarks.typing.figures import Replayed
from benchmarks.typing.gate import Window, gate, watched
from benchmarks.typing.keeping_up import make_traces
from benchmarks.typing.llama_server import WINDOW, LlamaServerEngine
from benchmarks.typing.lsp_client import OWN_SERVER
from benchmarks.typing.replay import Pace
from benchmarks.typing.report import Kept, plot, report, save
from benchmarks.typing.sources import Source, module_sources, read_source
from benchmarks.typing.trace import Trace

PAUSE_S = 0.5  # lets the spinning threads of the previous engine fall asleep
NODE_MODULES = ROOT / "editors" / "vscode" / "node_modules"
TYPESCRIPT = (
    ("htmlparser2", "src/Tokenizer.ts"),
    ("ajv", "lib/core.ts"),
    ("cheerio", "src/api/traversing.ts"),
    ("ajv", "lib/compile/codegen/index.ts"),
)
AnyEngine = EditorEngine | LlamaServerEngine


@frozen
class Plan:
    """What is replayed."""

    traces: int
    "Traces typed in real time."
    seconds: float
    "At most, for each."
    patient: int
    "Traces typed by someone who waits for each answer."
    keys: int
    "Keys of each of these."


FULL, QUICK = Plan(4, 26.0, 2, 24), Plan(2, 10.0, 2, 10)


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison; the exit status is 3 when too few keys count."""
    options = parse(arguments)
    plan = QUICK if options.quick else FULL
    try:
        traces = interleaved_traces(options, plan)
        kept = asyncio.run(compare(options, plan, traces))
    except (AideError, EngineError) as error:
        print(error, file=sys.stderr)
        return 1
    text, enough = report(kept, traces, options.max_others, options.markdown)
    print(text)
    if options.json:
        save(options.json, kept, traces, {"plan": plan, "seed": options.seed, "settings": options.settings})
    if options.plot:
        options.plot.write_text(plot(kept, traces), encoding="utf-8")
    return 0 if enough else 3


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.typing.comparison", description=__doc__.split("\n")[0]
    )
    add = parser.add_argument
    add(
        "--llama-server",
        type=Path,
        help="llama.cpp's server (see benchmarks.llama_cpp.build_server) [not compared]",
    )
    add("--llama-vim", action="store_true", help="also with all of llama.vim's behavior, not only its prompt")
    add("--gguf", type=Path, help="the GGUF file [the default model's]")
    add("--lsp", action="append", default=[], metavar="NAME=COMMAND", help="another language server")
    add(
        "--settings",
        type=json.loads,
        default={"temperature": 0, "num_context": WINDOW},
        help=f"Aide's settings, as JSON [temperature 0, and num_context {WINDOW}, as llama.cpp reads]",
    )
    add("--threads", type=int, default=2, help="threads of llama-server; Aide uses its settings [2]")
    add("--node-modules", type=Path, default=NODE_MODULES, help="npm packages [editors/vscode/node_modules]")
    add("--seed", type=int, default=1, help="chooses places, keys and times [1]")
    add("--quick", action="store_true", help="two minutes instead of ten")
    add(
        "--max-others", type=float, default=MAX_OTHERS, help="share of the machine that others may use [0.10]"
    )
    add("--markdown", action="store_true", help="print the tables as Markdown")
    add("--json", type=Path, help="write every key to this file")
    add("--plot", type=Path, help="draw the times from key to answer in this SVG file")
    options = parser.parse_args(arguments)
    if not 0 < options.max_others <= 1:
        parser.error("--max-others must be above 0 and at most 1")
    if options.max_others > LOOSEST:
        print(f"With --max-others above {LOOSEST:.0%}, figures flatter Aide.", file=sys.stderr)
    if any("=" not in named for named in options.lsp):
        parser.error("--lsp expects NAME=COMMAND")
    return options


def interleaved_traces(options: argparse.Namespace, plan: Plan) -> list[Trace]:
    """Make the traces: Python and TypeScript in turns, or Python alone without the npm packages."""
    typescript = typescript_sources(options.node_modules)
    if not typescript:
        print(
            f"No npm packages in {options.node_modules} (run npm ci): only Python is typed.", file=sys.stderr
        )
        return make_traces(module_sources(), plan.traces, options.seed)
    half = (plan.traces + 1) // 2
    pairs = (make_traces(found, half, options.seed) for found in (module_sources(), typescript))
    return [trace for pair in zip(*pairs, strict=True) for trace in pair][: plan.traces]


def typescript_sources(folder: Path) -> list[Source]:
    """Return TypeScript sources of the npm packages that are installed."""
    found = []
    for package, file in TYPESCRIPT:
        path, facts = folder / package / file, folder / package / "package.json"
        if path.exists() and facts.exists():
            version = json.loads(facts.read_text(encoding="utf-8"))["version"]
            found.append(read_source(path, f"{package} {version} {file}"))
    return found


async def compare(options: argparse.Namespace, plan: Plan, traces: list[Trace]) -> list[Kept]:
    """Start all engines, let them take turns, and return the keys of each that count."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aide-typing-")))
        engines = await start(options, folder, stack)
        results = {engine.name: Kept(engine.name, engine.server, [], []) for engine in engines}
        runs = [(trace, Pace(seconds=plan.seconds)) for trace in traces]
        runs += [(trace, Pace(patient=True, keys=plan.keys)) for trace in traces[: plan.patient]]
        for turn, (trace, pace) in enumerate(runs):
            for engine in engines[:: -1 if turn % 2 else 1]:
                await asyncio.sleep(PAUSE_S)
                said = f"trace {turn + 1} of {len(runs)}, {'patient' if pace.patient else 'real time'}"
                taken = await one_replay(engine, trace, pace, options.max_others)
                print(f"{said}, {engine.name}: {summary(taken)}", file=sys.stderr)
                kept = results[engine.name]
                (kept.patient if pace.patient else kept.typing).append(taken[0])
        return list(results.values())


async def one_replay(
    engine: AnyEngine, trace: Trace, pace: Pace, max_others: float
) -> tuple[Replayed, list[Window]]:
    """Replay a trace against one engine; keep the keys that count."""
    asked, windows = await watched(engine, trace, pace)
    return gate(trace, asked, windows, max_others), windows


def summary(taken: tuple[Replayed, list[Window]]) -> str:
    """Summarize a replay in one line."""
    replayed, windows = taken
    answered = sum(one.waited is not None for one in replayed.asked)
    others = max((window.others for window in windows), default=0.0)
    return (
        f"{answered} of {len(replayed.asked)} keys answered, {replayed.dropped} dropped;"
        f" others used up to {others:.0%}"
    )


async def start(options: argparse.Namespace, folder: Path, stack: AsyncExitStack) -> list[AnyEngine]:
    """Start every engine, one after another."""
    engines: list[AnyEngine] = []
    # A benchmark's completions would push the user's own out of the ledger.
    servers = [("Aide", list(OWN_SERVER), {"ledger": "off", **options.settings})]
    for name, _, line in (named.partition("=") for named in options.lsp):
        servers.append((name, shlex.split(line), {}))
    for name, line, settings in servers:
        editor = EditorEngine(name, settings, folder)
        # Before `start`, so that a server that never answers is ended too.
        stack.push_async_callback(editor.stop)
        await editor.start(line)
        engines.append(editor)
    if options.llama_server:
        for name, whole in [("llama.cpp", False), ("llama.vim", True)][: 1 + options.llama_vim]:
            engine = LlamaServerEngine(name, whole)
            stack.push_async_callback(engine.stop)
            await engine.start(options.llama_server, options.gguf or default_gguf(), options.threads)
            engines.append(engine)
    return engines


if __name__ == "__main__":
    sys.exit(main())
