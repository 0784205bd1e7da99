"""Measures how much time drafts save: the same completions with and without them, in turns.

Holes are cut out of Python's standard library as people leave them: a line, the rest of one, a few lines. The
prompt is prefilled before the clock starts, so that only generating is compared. The exit status is 1 if a
single text differs.
"""

import argparse
import random
import sys
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from statistics import median

from attrs import evolve, frozen

from aide_lsp.completion.completer import Completer
from aide_lsp.completion.request import Completion, CompletionRequest
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.loading import model_folder, open_completer
from aide_lsp.settings.fields import Parameters, Settings

# Real code that every Python has, so that the holes are the same everywhere.
MODULES = (
    "shutil",
    "csv",
    "configparser",
    "zipfile",
    "difflib",
    "inspect",
    "queue",
    "statistics",
    "textwrap",
)
TEMPERATURES = (0.0, 0.7, 1.0)
KINDS = ("a line", "the rest of a line", "some lines")
MAX_TOKENS = 128


@frozen
class Pair:
    """One hole, filled twice."""

    kind: str
    "What was cut out."
    temperature: float
    "Of both."
    tokens: int
    "Tokens generated; the same for both."
    seconds: tuple[float, float]
    "With drafts, without."
    cpu: tuple[float, float]
    "CPU seconds of the process: with drafts, without."
    same: bool
    "Whether texts, finish reasons and numbers of tokens agree."


def holes(count: int, seed: int, num_context: int) -> Iterator[tuple[str, CompletionRequest]]:
    """Cut holes out of real files."""
    chance = random.Random(seed)
    for number in range(count):
        path = Path(str(import_module(chance.choice(MODULES)).__file__))
        lines = path.read_text(encoding="utf-8").split("\n")
        first = chance.choice([n for n, line in enumerate(lines[5:-5], 5) if line.strip()])
        kind = chance.choice(KINDS)
        start = sum(len(line) + 1 for line in lines[:first])
        indent = len(lines[first]) - len(lines[first].lstrip())
        begin = start + (chance.randrange(indent, len(lines[first])) if kind == KINDS[1] else indent)
        last = first + (chance.randint(1, 4) if kind == KINDS[2] else 0)
        end = sum(len(line) + 1 for line in lines[: last + 1]) - 1
        text = "\n".join(lines)
        parameters = Parameters(temperature=TEMPERATURES[number % 3], seed=number, num_context=num_context)
        yield kind, CompletionRequest(
            text=text[:begin] + text[end:], offset=begin, language_id="python", path=path.name,
            options=GenerationOptions(parameters, MAX_TOKENS),
        )  # fmt: skip


def timed(completer: Completer, request: CompletionRequest) -> tuple[Completion, float, float]:
    """Complete after the prompt has been prefilled; also return seconds and CPU seconds."""
    completer.clear_cache()
    completer.prefill(request, CancelToken())
    wall, cpu = time.perf_counter(), time.process_time()
    completion = completer.complete(request, CancelToken())
    return completion, time.perf_counter() - wall, time.process_time() - cpu


def compare(drafting: Completer, plain: Completer, count: int, seed: int, num_context: int) -> list[Pair]:
    """Fill each hole with both, which take turns in going first."""
    pairs = []
    for number, (kind, request) in enumerate(holes(count, seed, num_context)):
        order = (drafting, plain) if number % 2 else (plain, drafting)
        taken = {id(completer): timed(completer, request) for completer in order}
        one, other = taken[id(drafting)], taken[id(plain)]
        # Id, times and the state of the cache differ anyway; everything else must be the same.
        same = evolve(one[0], id="", total_ms=0, first_token_ms=0, cached_tokens=0) == evolve(
            other[0], id="", total_ms=0, first_token_ms=0, cached_tokens=0
        )
        pairs.append(
            Pair(kind, request.options.parameters.temperature, one[0].generated_tokens,
                 (one[1], other[1]), (one[2], other[2]), same)
        )  # fmt: skip
        print(f"\r{number + 1} of {count}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return pairs


def table(pairs: Sequence[Pair]) -> Iterator[str]:
    """Render the figures; above 1, drafts are faster."""
    yield "| holes | | tokens, median | plain ms, median | faster, all | faster, median | CPU, all |"
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    groups = {
        "all": pairs,
        # Texts that reach the limit may repeat themselves, which favors drafts.
        "ended before the token limit": [pair for pair in pairs if pair.tokens < MAX_TOKENS],
    }
    groups |= {kind: [pair for pair in pairs if pair.kind == kind] for kind in KINDS}
    groups |= {f"temperature {t}": [pair for pair in pairs if pair.temperature == t] for t in TEMPERATURES}
    for name, chosen in groups.items():
        if chosen:
            ratios = [pair.seconds[1] / pair.seconds[0] for pair in chosen]
            total = sum(pair.seconds[1] for pair in chosen) / sum(pair.seconds[0] for pair in chosen)
            cpu = sum(pair.cpu[1] for pair in chosen) / sum(pair.cpu[0] for pair in chosen)
            plain = 1000 * median(pair.seconds[1] for pair in chosen)
            tokens = median(pair.tokens for pair in chosen)
            yield (
                f"| {name} | {len(chosen)} | {tokens:.0f} | {plain:.0f} | {total:.2f}x | "
                f"{median(ratios):.2f}x | {cpu:.2f}x |"
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the comparison."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.drafting",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--recipe", default="exact", help="exact or fast [exact]")
    parser.add_argument("--holes", type=int, default=60, help="completions to compare [60]")
    parser.add_argument("--threads", type=int, default=0, help="0: one per core [0]")
    parser.add_argument("--num-context", type=int, default=1024, help="tokens of the prompt [1024]")
    parser.add_argument("--seed", type=int, default=1, help="chooses the holes [1]")
    chosen = parser.parse_args(arguments)
    settings = Settings(recipe=chosen.recipe, provider="cpu", threads=chosen.threads)
    folder = model_folder(settings, lambda share, text: None)
    drafting, plain = open_completer(folder, settings), open_completer(folder, settings)
    plain._model._drafter = None  # not a setting: without drafts, the same text only takes longer
    pairs = compare(drafting, plain, chosen.holes, chosen.seed, chosen.num_context)
    print("\n".join(table(pairs)))
    differ = sum(not pair.same for pair in pairs)
    print(f"\n{len(pairs)} completions, {differ} differ with and without drafts.")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
