"""Writes the results page from what runs have written with `--json`.

python -m benchmarks.seen.page seen.json started.json --out benchmarks/results/seen.md
"""

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from benchmarks.seen.report import Seen, tables
from benchmarks.seen.run import Taken
from benchmarks.seen.timeline import Key, State, Typed

TITLE = """\
# What is seen while you type

Ghost text on the screen of real editors. [How this is measured](../README.md#seen). The model is
Qwen2.5-Coder 0.5B Instruct, Q4_K_M, with the recipe `exact` on two threads.
"""


def main(arguments: list[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.seen.page", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "runs", type=Path, nargs="+", help="files that python -m benchmarks.seen --json wrote"
    )
    parser.add_argument("--note", default="", help="what else the reader has to know, below the title")
    parser.add_argument("--out", type=Path, required=True, help="the page")
    options = parser.parse_args(arguments)
    runs = [json.loads(run.read_text(encoding="utf-8")) for run in options.runs]
    options.out.write_text(page(runs, options.note), encoding="utf-8")


def page(runs: Iterable[dict[str, Any]], note: str = "") -> str:
    """Return the page of some runs."""
    return "\n".join([TITLE, *([f"{note}\n"] if note else []), *map(_section, runs)])


def seen_of(values: dict[str, Any]) -> Seen:
    """Return what was seen in one editor, as `attrs.asdict` has written it."""
    kinds = {
        kind: {language: list(map(_taken, all_taken)) for language, all_taken in values[kind].items()}
        for kind in ("typing", "slow", "opened")
    }
    return Seen(values["name"], started=values["started"], **kinds)


def _section(run: dict[str, Any]) -> str:
    seen = list(map(seen_of, run["seen"]))
    lines = [
        f"## {run['date']}: {', '.join(run['measured'])}",
        "",
        *(f"- {line}" for line in run["machine"]),
        *(f"- {name}: {version}" for name, version in run["versions"].items()),
        f"- Settings: {'`' + json.dumps(run['settings']) + '`' if run['settings'] else 'the defaults'}",
        f"- `{run['command']}`",
        f"- Other programs used at most {run['others']:.0%} of the machine.",
        "",
        tables(seen).rstrip("\n"),
        "",
    ]
    return "\n".join(lines)


def _taken(values: dict[str, Any]) -> Taken:
    passages = tuple(
        Typed(
            tuple(Key(**key) for key in passage["keys"]), tuple(State(**state) for state in passage["states"])
        )
        for passage in values["passages"]
    )
    return Taken(passages, values["others"], tuple(values["astray"]))


if __name__ == "__main__":
    main()
