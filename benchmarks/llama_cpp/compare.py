"""Compares Aide with llama.cpp on the same weights, the same token ids and the same number of threads.

One worker process for each engine; the engines take turns, so that drift of the machine affects all of them.
Samples during which other processes used the machine are dropped and counted: under contention llama.cpp's
threads, which wait by spinning, lose far more than Aide's, and a ratio from such samples would flatter Aide.

    python -m benchmarks.llama_cpp.compare --llama-python ../llama-env/bin/python
"""

import argparse
import json
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks import machine
from benchmarks.llama_cpp.engines import EngineError, EngineSpec, Worker, aide_spec, llama_spec, server_spec
from benchmarks.llama_cpp.report import (
    LOAD,
    LONG,
    MEASURES,
    SHORT,
    Measure,
    Plan,
    Samples,
    memory_rows,
    report,
    timing_row,
)
from benchmarks.llama_cpp.samples import MAX_OTHERS, Cell, Sample, enough, gate

PAUSE_S = 0.2  # lets the spinning threads of the previous engine fall asleep
LOADS = 5
LOOSEST = 0.25


def main(arguments: list[str] | None = None) -> int:
    """Run the comparison; the exit status is 3 if a ratio could not be given."""
    options = parse(arguments)
    try:
        gguf = options.gguf or default_gguf()
        program = options.llama_server
        specs = [server_spec(program, gguf) if program else llama_spec(options.llama_python, gguf)]
        specs += [aide_spec(folder) for folder in options.folder or default_folders()]
        ids = token_ids(specs[1].model)
        measures = (*MEASURES[:1], LONG, *MEASURES[1:]) if options.long else MEASURES
        measures = SHORT if options.cpu else measures
        threads = 1 if options.cpu else options.threads
        plan = Plan(measures, options.samples, options.max_rounds, threads, options.max_others, options.cpu)
        with ExitStack() as stack:
            samples, workers = take_loads(specs, ids, plan, stack)
            take_rounds(workers, samples, plan)
            facts = [{**worker.ask("versions"), **worker.ask("memory")} for worker in workers]
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    cells = {key: gate(taken, plan.max_others) for key, taken in samples.items()}
    names = [spec.name for spec in specs]
    rows = [timing_row(m.title, [cells[m.title, name] for name in names]) for m in (*measures, LOAD)]
    rows += memory_rows(facts)
    print(report(names, rows, facts, cells, plan, options.markdown))
    if options.json:
        save(options.json, names, facts, samples, plan)
    return 0 if all("too few" not in text for row in rows for text in row) else 3


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.llama_cpp.compare", description=__doc__.split("\n")[0]
    )
    add = parser.add_argument
    add(
        "--llama-python",
        default=sys.executable,
        help="Python that has llama-cpp-python (see benchmarks/README.md)",
    )
    add("--llama-server", type=Path, help="compare with this llama-server instead of llama-cpp-python")
    add("--gguf", type=Path, help="the GGUF file [the default model's]")
    add(
        "--folder",
        type=Path,
        action="append",
        help="a conversion of it; may be repeated [exact, fast]",
    )
    add("--threads", type=int, default=2, help="threads of each engine [2]")
    add("--samples", type=int, default=7, help="clean samples wanted for each figure [7]")
    add("--max-rounds", type=int, default=25, help="most rounds [25]")
    add(
        "--max-others", type=float, default=MAX_OTHERS, help="share of the machine that others may use [0.10]"
    )
    add(
        "--cpu",
        action="store_true",
        help="measure the processor time of one thread and short prompts, on a machine that is not idle",
    )
    add("--long", action="store_true", help="also measure a cold prefill of 2048 tokens")
    add("--markdown", action="store_true", help="print the table as Markdown")
    add("--json", type=Path, help="write all samples to this file")
    options = parser.parse_args(arguments)
    if not 0 < options.max_others <= LOOSEST:
        parser.error(f"--max-others must be above 0 and at most {LOOSEST}: above that, ratios flatter Aide")
    return options


def default_gguf() -> Path:
    """Return the GGUF file of the default model, which must be fetched."""
    from aide_lsp.catalog import store
    from aide_lsp.loading import card_of
    from aide_lsp.settings.fields import Settings

    file = store.model_file(card_of(Settings()))
    if file is None:
        raise EngineError("The default model is not fetched. Run `aide models fetch`.")
    return file


def default_folders() -> list[Path]:
    """Return the existing conversions of the default model, `exact` before `fast`."""
    from aide_lsp.catalog import store
    from aide_lsp.loading import card_of
    from aide_lsp.settings.fields import Settings

    card = card_of(Settings())
    folders = [store.converted_folder(card, recipe) for recipe in ("exact", "fast")]
    found = [folder for folder in folders if store.is_converted(folder)]
    if not found:
        raise EngineError("The default model is not converted. Run `aide models convert`.")
    return found


def token_ids(folder: Path) -> list[int]:
    """Return token ids of real source code: the standard library's argparse."""
    from aide_lsp.inference.tokenizer import Tokenizer

    text = Path(argparse.__file__).read_text(encoding="utf-8")
    return Tokenizer.from_file(folder / "tokenizer.json").encode(text)


def take_loads(
    specs: list[EngineSpec], ids: list[int], plan: Plan, stack: ExitStack
) -> tuple[Samples, list[Worker]]:
    """Start each engine several times, in turns; keep the last process of each."""
    samples: Samples = {(LOAD.title, spec.name): [] for spec in specs}
    kept: list[Worker] = []
    loads = 1 if plan.cpu else LOADS
    for turn in range(loads):
        for spec in specs:
            worker = stack.enter_context(Worker(spec))
            answer = worker.ask("load", model=str(spec.model), ids=ids, threads=plan.threads)
            samples[LOAD.title, spec.name].append(sample_of(answer, plan))
            if turn == loads - 1:
                # The rounds need a loaded model anyway.
                kept.append(worker)
            else:
                worker.stop()
    return samples, kept


def take_rounds(workers: list[Worker], samples: Samples, plan: Plan) -> None:
    """Take samples in turns until there are enough clean ones; add them to `samples`."""
    for worker in workers:
        for measure in plan.measures:  # touches every page and every code path once
            samples[measure.title, worker.spec.name] = []
            worker.ask(measure.do, **measure.options)
    for turn in range(plan.rounds):
        short = [
            measure
            for measure in plan.measures
            if not enough(cells_of(measure, workers, samples, plan), plan.wanted)
        ]
        if not short:
            return
        for measure in short:
            # In alternating order, so that no engine always runs after the same other.
            for worker in workers[:: -1 if turn % 2 else 1]:
                time.sleep(PAUSE_S)
                answer = worker.ask(measure.do, **measure.options)
                samples[measure.title, worker.spec.name].append(sample_of(answer, plan))
        progress(turn + 1, workers, samples, plan)


def sample_of(answer: dict[str, Any], plan: Plan) -> Sample:
    """Return what a worker measured: seconds, or the processor's."""
    if plan.cpu:
        return Sample(answer["own_cpu_s"] / answer["operations"], others=0.0)
    return Sample(answer["seconds"], answer["others"])


def cells_of(measure: Measure, workers: list[Worker], samples: Samples, plan: Plan) -> list[Cell]:
    """Gate the samples of one measure, engine by engine."""
    return [gate(samples[measure.title, worker.spec.name], plan.max_others) for worker in workers]


def progress(turn: int, workers: list[Worker], samples: Samples, plan: Plan) -> None:
    """Report progress on stderr."""
    cells = [cell for measure in plan.measures for cell in cells_of(measure, workers, samples, plan)]
    least = min(len(cell.clean) for cell in cells)
    dropped = sum(cell.dropped for cell in cells)
    print(f"round {turn}: at least {least} clean samples per cell, {dropped} dropped", file=sys.stderr)


def save(path: Path, names: list[str], facts: list[dict[str, Any]], samples: Samples, plan: Plan) -> None:
    """Write all samples, including dropped ones."""
    content = {
        "machine": machine.describe(),
        "engines": dict(zip(names, facts, strict=True)),
        "threads": plan.threads,
        "samples": [
            {"measure": title, "engine": name, "seconds": s.value, "others": s.others}
            for (title, name), taken in samples.items()
            for s in taken
        ],
    }
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
