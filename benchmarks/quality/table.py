"""The tables of quality: pass@1 at temperature 0, with the defaults and with `code`, and what is shown.

Each run of one file with one setting is kept as JSON. `--minutes` stops early; the same command continues,
and one with a larger `-n` adds the missing problems.

    python -m benchmarks.quality.table DATA_FOLDER --keep runs
    python -m benchmarks.quality.table DATA_FOLDER --keep all --settings '{"show": "all"}'
    python -m benchmarks.quality.table DATA_FOLDER --keep runs --against all
"""

import argparse
import asyncio
import json
import shlex
import sys
from collections.abc import Iterator, Mapping
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any

from attrs import asdict, evolve, frozen

from aide_lsp.errors import AideError
from benchmarks.machine import describe
from benchmarks.quality.humaneval import Result, take, wilson
from benchmarks.quality.infilling import read_problems
from benchmarks.quality.shown import Shown, good_share, kept_share, percent, precision, shown_share
from benchmarks.typing.lsp_client import OWN_SERVER

UNFINISHED = 75
"""Exit status if runs are left: "try again" in sysexits.h."""


@frozen(eq=False)
class Row:
    """One file of the benchmark."""

    name: str
    file: str
    problems: int
    "Number of its problems that are used."


# Compared by identity, because settings are a mapping, which has no hash, and runs are keys.
@frozen(eq=False)
class Column:
    """One setting."""

    name: str
    key: str
    "Names its files."
    settings: Mapping[str, Any]
    "What the editor sets, apart from the seed."
    drawn: bool
    "Whether seeds matter, so that there are several runs."


ROWS = (
    Row("single line", "HumanEval-SingleLineInfilling.jsonl.gz", 100),
    Row("several lines", "HumanEval-MultiLineInfilling.jsonl.gz", 50),
    Row("random span", "HumanEval-RandomSpanInfilling.jsonl.gz", 50),
)
COLUMNS = (
    Column("temperature 0", "temperature0", {"temperature": 0}, drawn=False),
    Column("the defaults", "defaults", {}, drawn=True),
    Column("preset `code`", "code", {"preset": "code"}, drawn=True),
)


@frozen
class Run:
    """One file with one setting, once."""

    row: Row
    column: Column
    number: int
    problems: int

    @property
    def file(self) -> str:
        """Name of its file."""
        return f"{self.row.file.split('.')[0]}-{self.column.key}-{self.number}.json"


def main(arguments: list[str] | None = None) -> int:
    """Run what is missing, and print the table."""
    options = parse(arguments)
    options.keep.mkdir(parents=True, exist_ok=True)
    runs = list(all_runs(options.runs, options.n, options.settings))
    end = monotonic() + options.minutes * 60
    for run in runs:
        if not keep(run, options, end):
            print("Some runs are left. Run the same command to continue.", file=sys.stderr)
            return UNFINISHED
    results = {run: read(options.keep / run.file) for run in runs}
    earlier = {run: read(options.against / run.file) for run in runs} if options.against else {}
    print(table(results))
    print("\n" + shown_table(results, earlier))
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    purpose = str(__doc__).split("\n")[0] + " Runs code that a model wrote, with limits on time and memory."
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.table", description=purpose)
    add = parser.add_argument
    add("folder", type=Path, help="folder of the HumanEval-...Infilling.jsonl.gz files")
    add("--keep", type=Path, required=True, help="folder for the runs")
    add("--runs", type=int, default=3, help="runs with different seeds, where seeds matter [3]")
    add("-n", type=int, help="most problems of each file [100 single lines, 50 of the others]")
    add("--minutes", type=float, default=inf, help="start no problem after this many minutes [no limit]")
    add("--settings", type=json.loads, default={}, help="set these too, as JSON; keep the runs elsewhere")
    add("--against", type=Path, help="folder of runs of which the share of good completions kept is shown")
    add("--command", default=shlex.join(OWN_SERVER), help="the server [Aide's own, in this environment]")
    return parser.parse_args(arguments)


def all_runs(runs: int, most: int | None, more: Mapping[str, Any]) -> Iterator[Run]:
    """Yield every run of the table, with `more` settings: first one of each column, then the others."""
    columns = [evolve(column, settings={**column.settings, **more}) for column in COLUMNS]
    for number in range(1, runs + 1):
        for row in ROWS:
            for column in columns:
                # At temperature 0 a second run would give the same.
                if number == 1 or column.drawn:
                    yield Run(row, column, number, min(row.problems, most or row.problems))


def keep(run: Run, options: argparse.Namespace, end: float) -> bool:
    """Do one run, or what is left of it, and save it; return whether it is complete."""
    path = options.keep / run.file
    kept_before = read(path)
    if kept_before.get("settings", run.column.settings) != run.column.settings:
        raise AideError(f"{path} has other settings. Keep these runs in another folder.")
    done = [Result(**entry) for entry in kept_before["results"]]
    if len(done) >= run.problems or monotonic() >= end:
        return len(done) >= run.problems
    print(run.file, file=sys.stderr)
    problems = read_problems(options.folder / run.row.file, run.problems)
    number = run.number if run.column.drawn else None
    taking = take(problems, options.command, dict(run.column.settings), number, done, end)
    server, results = asyncio.run(taking)
    kept = {
        "server": server,
        "machine": describe(),
        "settings": run.column.settings,
        "results": [asdict(result) for result in results],
    }
    # A run that is interrupted here leaves the earlier file, not half of one.
    path.with_suffix(".part").write_text(json.dumps(kept, indent=1), encoding="utf-8")
    path.with_suffix(".part").replace(path)
    return len(results) == len(problems)


def read(path: Path) -> dict[str, Any]:
    """Read a run; one that has not begun has no results."""
    if not path.exists():
        return {"results": []}
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return kept


def table(results: Mapping[Run, Mapping[str, Any]]) -> str:
    """Render the table. Runs of one problem are not independent: the interval counts each problem once."""
    rows = ["| holes | problems | " + " | ".join(column.name for column in COLUMNS) + " |"]
    rows.append("|---|---:|" + "---:|" * len(COLUMNS))
    for row in ROWS:
        taken = {run: result for run, result in results.items() if run.row == row}
        cells = [
            cell([passed(run, result) for run, result in taken.items() if run.column.key == column.key])
            for column in COLUMNS
        ]
        rows.append(f"| {row.name} | {max(run.problems for run in taken)} | " + " | ".join(cells) + " |")
    drawn = max(run.number for run in results)
    machines = {", ".join(result["machine"]) for result in results.values()}
    return "\n".join([*rows, "", f"Runs where seeds matter: {drawn}. " + "; ".join(sorted(machines))])


def shown_table(results: Mapping[Run, Mapping[str, Any]], earlier: Mapping[Run, Mapping[str, Any]]) -> str:
    """Render what is shown, how often that is right, and how many right ones of the earlier runs remain."""
    rows = ["| holes | settings | shown | right, of shown | right, of all | right ones kept |"]
    rows.append("|---|---|---:|---:|---:|---:|")
    for row in ROWS:
        for column in COLUMNS:
            runs = [run for run in results if run.row == row and run.column.key == column.key]
            now = [one for run in runs for one in requests(run, results[run])]
            then = [one for run in runs if run in earlier for one in requests(run, earlier[run])]
            shares = (shown_share(now), precision(now), good_share(now), kept_share(now, then))
            rows.append(f"| {row.name} | {column.name} | " + " | ".join(map(percent, shares)) + " |")
    return "\n".join(rows)


def requests(run: Run, result: Mapping[str, Any]) -> list[Shown]:
    """Return a run's requests; the same problem of another run is another request."""
    found = [Result(**one).request for one in result["results"][: run.problems]]
    return [evolve(request, id=f"{run.number} {request.id}") for request in found]


def passed(run: Run, result: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many of a run's problems passed, and of how many."""
    return sum(one["passed"] for one in result["results"][: run.problems]), run.problems


def cell(runs: list[tuple[int, int]]) -> str:
    """Render pass@1, its 95 % interval, and pass@1 of each run if there are several."""
    total = runs[0][1]
    mean = sum(count for count, _ in runs) / len(runs)
    low, high = wilson(mean, total)
    text = (
        f"{mean / total:.0%} ({low:.0%}-{high:.0%})".replace("%", " %")
        .replace(" %-", "-")
        .replace(" %)", ")")
    )
    if len(runs) == 1:
        return text
    return f"{text}; " + ", ".join(f"{count / total:.0%}".rstrip("%") for count, _ in runs)


if __name__ == "__main__":
    sys.exit(main())
