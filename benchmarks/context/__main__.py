"""Completes lines that want a name of another file, with and without text of other files, and compares.

The archives are fetched with the user's own pip and npm, verified, and unpacked to a temporary folder.

    python -m benchmarks.context --out answers.jsonl                  # both halves; run again to continue
    python -m benchmarks.context --half dev --count 40 --second '{"context_share": 0.5}' --out answers.jsonl
    python -m benchmarks.context --holes anywhere --count 100 --out anywhere.jsonl
"""

import argparse
import json
import sys
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any

from aide_lsp.loading import load_completer
from aide_lsp.settings.fields import Settings, with_values
from benchmarks.context.figures import pairs, report
from benchmarks.context.items import Item, all_items, anywhere
from benchmarks.context.run import Compared, append, changed, read_answers, take
from benchmarks.context.tree import unpacked
from benchmarks.machine import describe
from benchmarks.quality.table import UNFINISHED
from benchmarks.real_code.walk import add_cache_option

HALVES = {"dev": (True,), "held-out": (False,), "both": (True, False)}
TITLES = ("without", "with")
FIXED = {"temperature": 0.0, "deadline_ms": 0}
"""The answer is judged, however slow the machine."""


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark."""
    options = parse(arguments)
    items = [item for dev in HALVES[options.half] for item in _items(dev, options)[: options.count]]
    first, second = (json.dumps(options.settings | own) for own in (options.first, options.second))
    items = run(items, (first, second), options)
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
    add("--count", type=int, default=100, help="items of each half, in order [100]")
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
        help="settings compared with them [%(default)s]; with names = false, no names are known",
    )
    add("--changed", action="store_true", help="only the items at which not the same is read or known")
    add("--settings", type=json.loads, default={}, help='settings of both, as JSON: {"recipe": "fast"} [{}]')
    add("--minutes", type=float, default=inf, help="start no item after this many minutes [no limit]")
    add_cache_option(parser)
    return parser.parse_args(arguments)


def _items(dev: bool, options: argparse.Namespace) -> list[Item]:
    if options.holes == "anywhere":
        return anywhere(dev, options.cache)
    return all_items(dev, options.cache, hundreds=-(-options.count // 100))


def run(items: list[Item], written: tuple[str, str], options: argparse.Namespace) -> list[Item]:
    """Complete what is not done, and return the items that are compared."""
    done = {(one.id, one.setting) for one in read_answers(options.out)}
    if not options.changed and all((item.hole.id, one) in done for item in items for one in written):
        return items
    end = monotonic() + options.minutes * 60
    compared = {one: _compared(json.loads(one)) for one in written}
    completer = load_completer(compared[written[0]].settings, lambda share, sentence: None)
    with unpacked(options.cache) as trees:
        if options.changed:
            items = list(changed(items, compared, completer.info, trees))
        for number, answer in enumerate(take(items, compared, completer, done, trees, end), start=1):
            append(options.out, answer)
            print(f"\r{number} ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return items


def _compared(values: dict[str, Any]) -> Compared:
    names = values.pop("names", True)
    return Compared(with_values(Settings(), FIXED | values), names)


if __name__ == "__main__":
    sys.exit(main())
