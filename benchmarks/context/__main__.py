"""Completes lines that want a name of another file, with and without text of other files, and compares.

The archives are fetched with the user's own pip and npm, verified, and unpacked to a temporary folder.

    python -m benchmarks.context --out answers.jsonl                  # both halves; run again to continue
    python -m benchmarks.context --half dev --count 40 --second '{"context_share": 0.5}' --out answers.jsonl
    python -m benchmarks.context --holes anywhere --count 100 --out anywhere.jsonl
"""

import argparse
import json
import sys
import tempfile
from math import inf
from pathlib import Path
from time import monotonic

from aide_lsp.loading import load_completer
from aide_lsp.settings.fields import Settings, with_values
from benchmarks.context.figures import pairs, report
from benchmarks.context.items import Item, all_items, anywhere
from benchmarks.context.run import append, read_answers, take
from benchmarks.context.tree import Trees
from benchmarks.machine import describe
from benchmarks.quality.table import UNFINISHED
from benchmarks.real_code.packages import CACHE

HALVES = {"dev": (True,), "held-out": (False,), "both": (True, False)}
TITLES = ("without", "with")
FIXED = {"temperature": 0.0, "deadline_ms": 0}
"""The answer is judged, however slow the machine."""


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark."""
    options = parse(arguments)
    chosen = all_items if options.holes == "other-files" else anywhere
    items = [item for dev in HALVES[options.half] for item in chosen(dev, options.cache)[: options.count]]
    first, second = (json.dumps(options.settings | own) for own in (options.first, options.second))
    done = {(one.id, one.setting) for one in read_answers(options.out)}
    run(items, (first, second), done, options)
    found = pairs(read_answers(options.out), [item.hole.id for item in items], first, second)
    if found:
        print(f"{len(found)} holes of {options.half}; {', '.join(describe())}")
        print(f"without: {first}; with: {second}\n\n{report(found, TITLES)}")
    if len(found) < len(items):
        print(f"{len(found)} of {len(items)}. Run the same command to continue.", file=sys.stderr)
        return UNFINISHED
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.context", description=__doc__.split("\n")[0])
    add = parser.add_argument
    add("--out", type=Path, required=True, help="append every answer to this file; leave out what is in it")
    add("--half", choices=HALVES, default="both", help="which half of the projects [both]")
    add("--count", type=int, help="items of each half, in order [100]")
    add(
        "--holes",
        choices=("other-files", "anywhere"),
        default="other-files",
        help="`anywhere`: those of benchmarks.real_code, in languages of code [other-files]",
    )
    add(
        "--first",
        type=json.loads,
        default={"context_share": 0.0},
        help='settings compared, as JSON [{"context_share": 0.0}]',
    )
    add(
        "--second",
        type=json.loads,
        default={"context_share": 0.25},
        help='settings compared with them, as JSON [{"context_share": 0.25}]',
    )
    add("--settings", type=json.loads, default={}, help='settings of both, as JSON: {"recipe": "fast"} [{}]')
    add("--minutes", type=float, default=inf, help="start no item after this many minutes [no limit]")
    add("--cache", type=Path, default=CACHE, help=f"folder of the archives [{CACHE}]")
    return parser.parse_args(arguments)


def run(
    items: list[Item], compared: tuple[str, str], done: set[tuple[str, str]], options: argparse.Namespace
) -> None:
    """Complete what is not done."""
    if all((item.hole.id, written) in done for item in items for written in compared):
        return
    end = monotonic() + options.minutes * 60
    settings = {written: with_values(Settings(), FIXED | json.loads(written)) for written in compared}
    completer = load_completer(settings[compared[0]], lambda share, sentence: None)
    with tempfile.TemporaryDirectory(prefix="aide-context-") as folder:
        trees = Trees(Path(folder), options.cache)
        for number, answer in enumerate(take(items, settings, completer, done, trees, end), start=1):
            append(options.out, answer)
            print(f"\r{number} ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
