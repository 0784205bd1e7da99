"""Writes the results page from what `python -m benchmarks.team --json` has written.

python -m benchmarks.team.page team.json > benchmarks/results/team.md
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.markdown import markdown_table


def page(run: Mapping[str, Any], note: str = "") -> str:
    """Return the page of a run, with a note on the machine."""
    phases = run["phases"]
    rows = [
        ["keys", *(str(one["keys"]) for one in phases)],
        ["texts that were complete", *(str(one["answered"]) for one in phases)],
        ["of the recipe exact, and of fast", *(_recipes(one["recipes"]) for one in phases)],
        ["texts that their time limit of 20 s ended", *(str(one["late"]) for one in phases)],
        ["key to first token, median", *(f"{one['first_ms']:.0f} ms" for one in phases)],
        ["key to all of the text, median", *(f"{one['whole_ms']:.0f} ms" for one in phases)],
        ["requests that failed", *(_failed(one["failed"]) for one in phases)],
        ["asked again, since another model answered", *(str(one["again"]) for one in phases)],
        ["seconds until each person had an answer again: median, worst", "", *map(_back, phases[1:])],
        ["seconds until the replicas were as wanted", "", *map(_replaced, phases[1:])],
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
        texts=_texts(run["texts"]),
        started=f"{run['started_s']:.0f}",
        p50=f"{ping['p50']:.1f}",
        p95=f"{ping['p95']:.1f}",
        rate=f"{ping['per_second_of_8']:.0f}",
        replicas=f"{memory['replicas']:.0f}",
        ray=f"{memory['ray']:.0f}",
    )


def _failed(failed: Mapping[str, int]) -> str:
    return ", ".join(f"{count} ({reason})" for reason, count in failed.items()) or "0"


def _recipes(recipes: Mapping[str, int]) -> str:
    return ", ".join(str(recipes.get(recipe, 0)) for recipe in ("exact", "fast"))


def _texts(texts: Sequence[Mapping[str, str]]) -> str:
    """Return the texts that differ, as a table."""
    if not texts:
        return ""
    names = ("expected", "got", "finish", "answered", "before")
    rows = [[_code(one[name]) for name in names] for one in texts]
    titles = ["expected", "got", "ended by", "answered by", "after"]
    return "\n\nThose that differ:\n\n" + markdown_table(titles, rows)


def _code(text: str) -> str:
    # As JSON, in which nothing ends the code or the cell.
    return "`" + json.dumps(text).replace("|", "\\u007c").replace("`", "\\u0060") + "`"


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
replica is killed (`kill -9`), and later all are replaced: by others of the same model, then by those of its
recipe `fast`, which gives other texts. In the end all but two people pause, one replica is enough, and all
type again.

{table}

Compared with the texts of a plain engine in one process, of the recipe that the answer says: {equal} are the
same, {different} are not. Texts that were not complete in the end count as far as they came.{texts}

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
    options = parser.parse_args()
    print(page(json.loads(options.run.read_text(encoding="utf-8")), options.note), end="")
