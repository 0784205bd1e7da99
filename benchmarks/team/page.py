"""Writes the results page from what `python -m benchmarks.team --json` has written.

python -m benchmarks.team.page team.json > benchmarks/results/team.md
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def markdown_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; numbers are in all columns but the first."""
    lines = [titles, ["---"] * len(titles), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def page(run: Mapping[str, Any], note: str = "", texts: str = "") -> str:
    """Return the page of a run, with notes on the machine and on the texts."""
    phases = run["phases"]
    rows = [
        ["keys", *(str(one["keys"]) for one in phases)],
        ["texts that were complete", *(str(one["answered"]) for one in phases)],
        [
            "texts that their time limit of 20 s ended",
            *(str(one.get("late", "not counted")) for one in phases),
        ],
        ["key to first token, median", *(f"{one['first_ms']:.0f} ms" for one in phases)],
        ["key to all of the text, median", *(f"{one['whole_ms']:.0f} ms" for one in phases)],
        ["requests that failed", *(_failed(one["failed"]) for one in phases)],
        ["seconds until each person had an answer again: median, worst", "", *map(_back, phases[1:])],
        ["seconds until there were two replicas, or two new ones", "", *map(_replaced, phases[1:])],
    ]
    settings = ", ".join(f"{key} {value}" for key, value in run["settings"].items())
    ping, memory = run["ping_ms"], run["memory_mb"]
    return PAGE.format(
        people=run["people"],
        command=run["command"],
        date=run["date"],
        machine="; ".join(run["machine"]) + note,
        settings=settings,
        table=markdown_table(["", *(one["name"] for one in phases)], rows),
        equal=run["equal"],
        different=run["different"],
        texts=texts,
        started=f"{run['started_s']:.0f}",
        p50=f"{ping['p50']:.1f}",
        p95=f"{ping['p95']:.1f}",
        rate=f"{ping['per_second_of_8']:.0f}",
        replicas=f"{memory['replicas']:.0f}",
        ray=f"{memory['ray']:.0f}",
    )


def _failed(failed: Mapping[str, int]) -> str:
    return ", ".join(f"{count} ({reason})" for reason, count in failed.items()) or "0"


def _back(phase: Mapping[str, Any]) -> str:
    found = sorted(value for value in phase["back_s"] if value is not None)
    never = len(phase["back_s"]) - len(found)
    shown = f"{found[len(found) // 2]:.1f}, {found[-1]:.1f}" if found else "-"
    return shown + (f"; {never} not in this part" if never else "")


def _replaced(phase: Mapping[str, Any]) -> str:
    return f"{phase['replaced_s']:.1f}"


PAGE = """\
# A team on Ray Serve

`{command}`, {date}. {machine}.

Two replicas of the 0.5B model (`exact`, one thread each) share the machine with Ray and the people. {people}
people type in real files, wait for each answer, and send short prompts ({settings}). Then one
replica is killed (`kill -9`), and later all are replaced.

{table}

Compared with the texts of a plain engine in one process: {equal} are the same, {different} are not. Texts
that were not complete in the end count as far as they came.{texts}

| | |
| --- | --- |
| from the command until both replicas are loaded | {started} s |
| a request that needs no model, one after the other: p50, p95 | {p50} ms, {p95} ms |
| such requests per second, 8 clients at once | {rate} |
| memory of two replicas with the people's text, shared pages counted once | {replicas} MB |
| memory of Ray | {ray} MB |
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.team.page", description=__doc__.split("\n")[0]
    )
    parser.add_argument("run", type=Path, help="what `benchmarks.team --json` has written")
    parser.add_argument("note", nargs="?", default="", help="about the machine, appended to it")
    parser.add_argument("--texts", default="", help="about the texts, appended to how many are the same")
    options = parser.parse_args()
    print(page(json.loads(options.run.read_text(encoding="utf-8")), options.note, options.texts), end="")
