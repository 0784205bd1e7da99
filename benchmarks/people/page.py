"""Writes the results page from what the three programs have written with `--json`.

python -m benchmarks.people.page typing.json memory.json recovery.json --data people.json --out people.md
"""

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.markdown import markdown_table

TITLE = """\
# Several people on one machine

One engine for all editors (`engine = "shared"`), an engine for each (`engine = "local"`), and llama.cpp's
server with a slot for each and the same GGUF file. [How this is measured](../README.md#people). The model is
Qwen2.5-Coder 0.5B Instruct, Q4_K_M, with the recipe `exact` on two threads.
"""
Values = Mapping[str, Any]
ORDINALS = ("1st", "2nd", "3rd", "4th")


def main(arguments: list[str] | None = None) -> None:
    """Write the page, and the data it is made from."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.people.page", description=__doc__.split("\n")[0]
    )
    parser.add_argument("runs", type=Path, nargs="+", help="files that the programs wrote with --json")
    parser.add_argument("--data", type=Path, required=True, help="write the runs, all in one file, here")
    parser.add_argument("--out", type=Path, required=True, help="the page")
    options = parser.parse_args(arguments)
    runs = [run for path in options.runs for run in read(path)]
    options.data.write_text(json.dumps(runs, indent=1) + "\n", encoding="utf-8")
    options.out.write_text(page(runs), encoding="utf-8")


def read(path: Path) -> list[Values]:
    """Return the run of a file, or those of a file that `--data` wrote."""
    found = json.loads(path.read_text(encoding="utf-8"))
    return found if isinstance(found, list) else [found]


def page(runs: Sequence[Values]) -> str:
    """Return the page of some runs."""
    return "\n".join([TITLE, *map(_section, runs)])


def people_table(rows: Sequence[Values]) -> str:
    """Return the table of `python -m benchmarks.people`."""
    titles = [
        "people",
        "",
        "answered before the next key",
        "the least of one person",
        "p50",
        "p95",
        "of the answered: p50, p95",
        "memory",
        "CPU s for 100 keys",
    ]
    body = [
        [
            str(row["people"]),
            row["system"],
            f"{row['answered']:.0%} of {row['keys']}",
            f"{row['least']:.0%}",
            _ms(row["p50_ms"], "after it"),
            _ms(row["p95_ms"], "after it"),
            f"{_ms(row['answer_p50_ms'])}, {_ms(row['answer_p95_ms'])}",
            f"{row['memory_mb']:,.0f} MB",
            f"{row['cpu_s_per_100_keys']:.1f}",
        ]
        for row in rows
    ]
    return markdown_table(titles, body)


def _people(run: Values) -> list[str]:
    dropped, faults = (sum(row[name] for row in run["rows"]) for name in ("dropped", "faults"))
    late = max(row["late_p95_ms"] for row in run["rows"])
    return [
        people_table(run["rows"]),
        "",
        f"Each person types for {run['seconds']:.0f} seconds; who types alone does it {run['traces']} times."
        " *After it*: after the next key, or never."
        f" Dropped, because other programs used the machine: {dropped} keys. Requests that failed: {faults}."
        f" 95 % of the keys were pressed at most {late:.0f} ms late.",
    ]


def memory_table(rows: Sequence[Values]) -> str:
    """Return the table of `python -m benchmarks.people.memory`."""
    titles = ["engine", "editor", "completed in", "first answer after", "its server", "added", "together"]
    body = [
        [
            f"`{row['engine']}`",
            ORDINALS[row["editor"] - 1],
            ", ".join(row["languages"]),
            f"{row['ready_s']:.1f} s",
            f"{row['server_mb']:,.0f} MB",
            f"{row['added_mb']:,.0f} MB",
            f"{row['total_mb']:,.0f} MB",
        ]
        for row in rows
    ]
    return markdown_table(titles, body)


def _memory(run: Values) -> list[str]:
    return [
        memory_table(run["rows"]),
        "",
        "*First answer after*: seconds from the start of the editor's server to its first completion."
        " *Its server*: the memory of that process, with all that it maps. *Added*: how much more all"
        " processes have than before.",
    ]


def recovery_table(rows: Sequence[Values]) -> str:
    """Return the table of `python -m benchmarks.people.recovery`."""
    titles = [
        "people",
        "first answer, no engine yet",
        "first answer, it runs",
        "killed: each waited for",
        "tokens of the prompt",
        "messages",
        "completions as expected",
        "missing",
        "others",
    ]
    body = [
        [
            str(len(row["back_s"])),
            f"{row['first_s']:.1f} s",
            ", ".join(f"{joined:.1f} s" for joined in row["joined_s"]) or "-",
            ", ".join("never" if back is None else f"{back:.1f} s" for back in row["back_s"]),
            # Earlier runs do not say it.
            ", ".join("-" if count is None else f"{count:,}" for count in row.get("prompts", [])) or "-",
            str(row["messages"]),
            str(row["equal"]),
            str(row["missing"]),
            str(row["different"]),
        ]
        for row in rows
    ]
    return markdown_table(titles, body)


def _recovery(run: Values) -> list[str]:
    return [
        recovery_table(run["rows"]),
        "",
        "People type, each in an editor and files of their own, with a fixed seed, and wait for each answer."
        " After some seconds, right after a key, the engine is killed (SIGKILL). *Each"
        " waited for*: seconds from there, or from a later key, to the next completion with a text; the new"
        " engine has read nothing of the prompt before."
        " *Messages*: what the editors were asked to show. Expected is what an editor with an engine of its"
        " own completes at the same places; *missing*: nothing instead; *others*: another text.",
    ]


def overhead_table(rows: Sequence[Values]) -> str:
    """Return the table of `python -m benchmarks.people.overhead`."""
    titles = [
        "keys",
        "own engine",
        "shared engine",
        "added by sharing",
        "95 % of keys at most",
        "ratio",
        "other texts",
    ]
    body = [
        [
            str(row["keys"]),
            f"{row['local_ms']:.0f} ms",
            f"{row['shared_ms']:.0f} ms",
            f"{row['added_ms']:.1f} ms",
            f"{row['added_p95_ms']:.1f} ms",
            f"{row['ratio']:.3f}",
            str(row["different"]),
        ]
        for row in rows
    ]
    return markdown_table(titles, body)


def _overhead(run: Values) -> list[str]:
    return [
        overhead_table(run["rows"]),
        "",
        "Medians of the time from a key to its answer, of one person who waits for each. Both editors are"
        " asked at each key, in turns; *added* and *ratio* are medians over the pairs. Dropped, because other"
        f" programs used the machine: {run['dropped']} keys.",
    ]


SECTIONS: dict[str, tuple[str, Callable[[Values], list[str]]]] = {
    "benchmarks.people": ("Typing at once", _people),
    "benchmarks.people.memory": ("Memory of one more editor", _memory),
    "benchmarks.people.overhead": ("What sharing costs one person", _overhead),
    "benchmarks.people.recovery": ("The engine is killed", _recovery),
}


def _section(run: Values) -> str:
    title, body = SECTIONS[run["program"]]
    lines = [
        f"## {title}, {run['date']}",
        "",
        *body(run),
        "",
        *(f"- {line}" for line in run["machine"]),
        *(f"- {name}: {version}" for name, version in run.get("versions", {}).items()),
        f"- Settings: {'`' + json.dumps(run['settings']) + '`' if run['settings'] else 'the defaults'}",
        f"- `{run['command']}`",
        f"- Other programs used at most {run['others']:.0%} of the machine.",
        "",
    ]
    return "\n".join(lines)


def _ms(value: float | None, none: str = "-") -> str:
    return none if value is None else f"{value:.0f} ms" if value < 10_000 else f"{value / 1000:.1f} s"


if __name__ == "__main__":
    main()
