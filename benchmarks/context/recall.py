"""Counts at how many places the excerpts that the model reads have the name that is wanted. No model runs.

A completion can only use a name that the model reads, so this is the first filter for a change to how
excerpts are chosen. It is only the first: a small model copies how a name is used, and rarely uses one
that it only sees defined.

    python -m benchmarks.context.recall                              # the dev half, with several shares
    python -m benchmarks.context.recall --weak 0 --rows '[{"context_share": 0.25}]'
"""

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from attrs import frozen

from aide_lsp.completion.file_header import file_name
from aide_lsp.completion.model import ModelInfo
from aide_lsp.completion.other_files import fitting
from aide_lsp.completion.window import CountTokens
from aide_lsp.context import ranking
from aide_lsp.settings.fields import Settings, with_values
from benchmarks.context.items import Item, all_items
from benchmarks.context.keys import silent_model
from benchmarks.context.run import request_for
from benchmarks.context.tree import unpacked
from benchmarks.real_code.walk import add_cache_option

ROWS = [
    *({"context_share": share} for share in (0.125, 0.25, 0.375, 0.5)),
    {"context_share": 0.25, "num_context": 2048},
]


@frozen
class Found:
    """What the excerpts at one place have."""

    kind: str
    "See `Use.kind`."
    excerpts: int
    tokens: int
    "Of their lines."
    name: bool
    "Whether they have the name that is wanted."
    truth: bool
    "Whether they have all of what the author wrote."


def main(arguments: list[str] | None = None) -> None:
    """Print a table with one row for each group of settings."""
    options = parse(arguments)
    ranking.WEAK = options.weak
    model = silent_model(Settings())
    items = all_items(options.half == "dev", options.cache)
    print(HEADER)
    with unpacked(options.cache) as trees:
        for row in options.rows:
            settings = with_values(Settings(), row)
            places = [(item, trees.root(item.archive)) for item in items]
            found = [look(*place, settings, model.info, model.count_tokens) for place in places]
            print(report(json.dumps(row), found), flush=True)


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.context.recall", description=str(__doc__).split("\n")[0]
    )
    add = parser.add_argument
    add("--half", choices=("dev", "held-out"), default="dev", help="which half of the projects [dev]")
    add("--rows", type=json.loads, default=ROWS, help="settings of each row, as a JSON array [shares]")
    add(
        "--weak",
        type=float,
        default=ranking.WEAK,
        help="choose nothing where even the best excerpt has less than this share of the possible score"
        f" [{ranking.WEAK}]",
    )
    add_cache_option(parser)
    return parser.parse_args(arguments)


def look(item: Item, root: Path, settings: Settings, info: ModelInfo, count_tokens: CountTokens) -> Found:
    """Return what the excerpts have that the model would read at one place."""
    request = request_for(item, root, settings, info)
    budget = int(settings.parameters.num_context * request.options.context_share)
    own_name = f"{file_name(request.path, request.language_id)}\n"
    read = fitting(request.excerpts, own_name, budget, count_tokens) if request.excerpts else []
    texts = [one.text for one in read]
    name = re.compile(rf"(?<!\w){re.escape(item.name)}(?!\w)")
    return Found(
        kind=item.hole.kind,
        excerpts=len(read),
        tokens=sum(map(count_tokens, texts)),
        name=any(map(name.search, texts)),
        truth=any(item.hole.truth.strip() in text for text in texts),
    )


HEADER = (
    "| settings | places | read nothing | excerpts read | tokens | have the name | where it is *new*"
    " | have the complete text |\n|---|---:|---:|---:|---:|---:|---:|---:|"
)


def report(title: str, found: Sequence[Found]) -> str:
    """Render one row of the table."""
    new = [one for one in found if one.kind == "new"]
    cells: tuple[Any, ...] = (
        f"`{title}`",
        len(found),
        sum(not one.excerpts for one in found),
        f"{mean(one.excerpts for one in found):.1f}",
        f"{mean(one.tokens for one in found):.0f}",
        sum(one.name for one in found),
        f"{sum(one.name for one in new)} of {len(new)}",
        sum(one.truth for one in found),
    )
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()
