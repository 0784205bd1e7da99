"""`aide bench`: measures the model on this machine.

Comparisons with other programs are in the repository's `benchmarks/`.
"""

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import click

from aide_lsp.cli.errors import json_text
from aide_lsp.cli.options import MODEL, RECIPE, NumberType, effective_settings, json_option
from aide_lsp.cli.progress import terminal_progress
from aide_lsp.cli.terminal import say

if TYPE_CHECKING:
    from aide_lsp.bench.speed import SpeedBench, Work

# 544 is half a block of 64 further: some recipes can only resume at the start of a block.
PAST, TYPED = 512, 544
ROWS: tuple[tuple[str, str, dict[str, int], int], ...] = (
    ("cold prefill, 512 tokens", "prefill", {"tokens": PAST}, 1),
    ("decode after 512, each token", "decode", {"past": PAST, "count": 16}, 16),
    ("+1 token, 544 cached", "extend", {"past": TYPED, "tokens": 1, "repeat": 8}, 8),
    ("+4 tokens, 544 cached", "extend", {"past": TYPED, "tokens": 4, "repeat": 8}, 8),
    ("+8 tokens, 544 cached", "extend", {"past": TYPED, "tokens": 8, "repeat": 8}, 8),
)
"""Title, method of `SpeedBench`, its arguments, and operations in one call."""
PLAN = ("histories", "requests", "first", "max_tokens", "num_context")
"""The options that define how much is replayed."""


@click.group()
def bench() -> None:
    """Measure the model's speed and quality on this machine.

    This is about Aide's own engine. `aide engine check` measures a server.
    """


def model_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that choose model, recipe and device."""
    default = "[default: as in your settings]"
    for option in (
        click.option("--threads", type=int, help=f"CPU threads; 0: one per physical core.  {default}"),
        click.option("--provider", help=f"auto, cpu or cuda.  {default}"),
        click.option("--recipe", type=RECIPE, help=f"exact, int4, fast or fp16.  {default}"),
        click.option("--model", type=MODEL, help=f"ID of a model card.  {default}"),
    ):
        command = option(command)
    return command


def number_option(name: str, default: int, text: str, least: int = 1) -> Callable[..., Any]:
    """Add an option that is a number."""
    return click.option(name, default=default, show_default=True, type=NumberType(least), help=text)


@bench.command()
@model_options
@number_option("--samples", 5, "Measurements of each operation.")
@json_option("the figures")
def speed(samples: int, as_json: bool, **options: Any) -> None:
    """Time prefill, decode and typing.

    Close other programs: they distort the figures.
    """
    from aide_lsp.inference.onnx.open import open_session

    settings = effective_settings(None, options)
    folder = model_folder(settings)
    started = time.perf_counter()
    session = open_session(folder, settings.provider, settings.threads)
    loaded = time.perf_counter() - started
    note = f" ({session.provider_note})" if session.provider_note else ""
    if not as_json:
        say(f"{folder.name} on {session.provider.upper()}{note}; loaded in {loaded:.2f} s")
    timings, figures = speed_bench(folder, session), []
    for title, task, arguments, operations in ROWS:
        times = [1e3 * seconds for seconds in take(timings, task, arguments, operations, samples)]
        middle, best, worst = median(times), min(times), max(times)
        figures.append({"what": title, "median_ms": middle, "best_ms": best, "worst_ms": worst})
        if not as_json:
            say(f"{title:<32} {middle:>9.1f} ms   ({best:.1f} to {worst:.1f})")
    if as_json:
        facts = {"model": folder.name, "device": session.provider, "load_seconds": loaded}
        say(json_text({**facts, "figures": figures}))


@bench.command()
@click.argument("recipes", nargs=-1, metavar="[RECIPE]...", type=RECIPE)
@click.option("--model", type=MODEL, help="ID of a model card.  [default: as in your settings]")
@json_option("the figures")
def fidelity(recipes: tuple[str, ...], model: str | None, as_json: bool) -> None:
    """Compare recipes with a float32 graph of the same weights.

    By default, compares exact and fast. The text is Python source that was not used to choose or calibrate a
    recipe. This takes a few minutes and, while it runs, 4 bytes of disk and of memory per weight.
    """
    from attrs import asdict

    from aide_lsp.bench.fidelity import measure_fidelity
    from aide_lsp.catalog import store
    from aide_lsp.loading import card_of

    settings = effective_settings(None, {"model": model})
    with terminal_progress() as progress:
        source = store.fetch(card_of(settings), progress)
        scratch = store.data_folder() / "fidelity"
        found = measure_fidelity(source, scratch, recipes or ("exact", "fast"), progress)
    if as_json:
        say(json_text([asdict(result) for result in found]))
        return
    say("recipe   positions  same choice   mean KL  99 % KL  candidates include")
    for result in found:
        say(
            f"{result.recipe:<8} {result.positions:>9} {result.top1:>12.2%} {result.mean_kl:>9.5f}"
            f" {result.p99_kl:>8.4f} {result.recall50:>11.3%} of the top 50"
        )


@bench.command()
@model_options
@number_option("--histories", 50, "Editing histories.")
@number_option("--requests", 500, "Total requests.")
@number_option("--first", 0, "First history.", least=0)
@number_option("--max-tokens", 24, "Tokens per completion, at most.")
@number_option("--num-context", 512, "Num Context, at most.")
@json_option("the figures")
def reproducibility(as_json: bool, **options: Any) -> None:
    """Check that the same seed gives the same completion.

    Compares completions generated after long editing with completions generated from scratch, in small
    projects whose other files are edited, saved, and removed meanwhile, in several languages, at temperature
    0.7. The exit status is 1 if any differ. This takes about ten minutes.
    """
    from attrs import asdict

    from aide_lsp.bench import reproducibility as replaying

    plan = replaying.Plan(**{name: options.pop(name) for name in PLAN})
    settings = effective_settings(None, options)
    folder = model_folder(settings)
    with terminal_progress() as progress:
        found = replaying.replay(
            replaying.open_model(folder, settings.provider, settings.threads), plan, progress
        )
    if as_json:
        say(json_text({"model": folder.name, "plan": asdict(plan), **asdict(found)}))
    else:
        warm = found.cached_tokens / max(1, found.prompt_tokens)
        say(
            f"{folder.name}: {plan.histories} histories, {plan.requests} requests in"
            f" {', '.join(found.languages)}; {warm:.0%} of the prompts were in the KV cache;"
            f" other files were read for {found.with_files} requests,"
            f" of which {found.with_names} had to go on with a name of a module"
        )
        for compared in found.compared:
            say(f"{compared.title:<60} {compared.answers:>4} answers, {compared.differ} differ")
    if any(compared.differ for compared in found.compared):
        raise click.exceptions.Exit(1)


def model_folder(settings: Any) -> Path:
    """Return the folder of the model in the settings; fetch and convert it first if necessary."""
    from aide_lsp import loading

    with terminal_progress() as progress:
        return loading.model_folder(settings, progress)


def speed_bench(folder: Path, session: Any) -> "SpeedBench":
    """Prepare the timings, on source code that every Python installation has."""
    import argparse

    from aide_lsp.bench.speed import SpeedBench
    from aide_lsp.inference.tokenizer import Tokenizer

    text = Path(argparse.__file__).read_text(encoding="utf-8")
    return SpeedBench(session, Tokenizer.from_file(folder / "tokenizer.json").encode(text))


def take(
    bench: "SpeedBench", task: str, arguments: dict[str, int], operations: int, samples: int
) -> list[float]:
    """Return the seconds for one operation, `samples` times; a first run warms up."""
    times = []
    for _ in range(samples + 1):
        work: Work = getattr(bench, task)(**arguments)
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) / operations)
    return times[1:]
