"""Adds up what parts of `aide bench reproducibility --json` have found, and writes the results page.

aide bench reproducibility --json --histories 10 --requests 100 --first 0 > exact-0.json
python -m benchmarks.reproducibility exact-0.json exact-10.json --out benchmarks/results/reproducibility.md
"""

import argparse
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.machine import describe
from benchmarks.markdown import markdown_table

Part = Mapping[str, Any]
"""What one command has written."""

PAGE = """\
# Reproducibility

Does a seed give the same completion, whatever was typed before?
[How this is measured](../README.md#reproducibility).

{date}, CPU provider of onnxruntime {onnxruntime}. {machine}.

{runs}

{table}

Each answer was compared with the one of the editing history: text, finish reason, number of tokens, and what
was read of other files. Not shown for CUDA, `fp16`, or other processors.
"""


def main(arguments: list[str] | None = None) -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reproducibility", description=__doc__.split("\n")[0]
    )
    parser.add_argument("parts", type=Path, nargs="+", help="files that the command wrote")
    parser.add_argument("--out", type=Path, required=True, help="the page")
    options = parser.parse_args(arguments)
    # Not at the top: it takes a second to load.
    import onnxruntime

    parts = [json.loads(part.read_text(encoding="utf-8")) for part in options.parts]
    text = page(parts, str(date.today()), onnxruntime.__version__, "; ".join(describe()))
    options.out.write_text(text, encoding="utf-8")


def page(parts: Sequence[Part], when: str, onnxruntime: str, machine: str) -> str:
    """Return the page.

    Raises:
        ValueError: two parts of a model have the same histories, or other limits.
    """
    models: dict[str, list[Part]] = {}
    for part in sorted(parts, key=lambda part: int(part["plan"]["first"])):
        models.setdefault(part["model"].split("-")[0], []).append(part)
    for name, found in models.items():
        _check(name, found)
    titles = list(dict.fromkeys(one["title"] for part in parts for one in part["compared"]))
    columns = [f"`{name}`: {what}" for name in models for what in ("answers", "differ")]
    counted = {name: _counted(found) for name, found in models.items()}
    rows = [
        [title, *(str(counts[title, what]) for counts in counted.values() for what in ("answers", "differ"))]
        for title in titles
    ]
    return PAGE.format(
        date=when,
        onnxruntime=onnxruntime,
        machine=machine,
        runs="\n".join(f"- {_run(name, found)}" for name, found in models.items()),
        table=markdown_table(["repeated", *columns], rows),
    )


def _check(name: str, parts: Sequence[Part]) -> None:
    plans = [part["plan"] for part in parts]
    for before, after in pairwise(plans):
        if before["first"] + before["histories"] > after["first"]:
            raise ValueError(f"{name}: history {after['first']} is in two of the parts. Give each once.")
        for limit in ("max_tokens", "num_context"):
            if before[limit] != after[limit]:
                raise ValueError(f"{name}: {limit} is {before[limit]} and {after[limit]}. Measure with one.")


def _counted(parts: Sequence[Part]) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    for part in parts:
        for one in part["compared"]:
            for what in ("answers", "differ"):
                counts[one["title"], what] += one[what]
    return counts


def _run(name: str, parts: Sequence[Part]) -> str:
    def total(key: str) -> int:
        return sum(part[key] for part in parts)

    plans = [part["plan"] for part in parts]
    numbers = ", ".join(f"{plan['first']}-{plan['first'] + plan['histories'] - 1}" for plan in plans)
    languages = sorted({language for part in parts for language in part["languages"]})
    return (
        f"`{name}`: {sum(plan['requests'] for plan in plans)} requests in "
        f"{sum(plan['histories'] for plan in plans)} histories ({numbers}; one completer lives through each "
        f"range), in {', '.join(languages)}. Other files were read for {total('with_files')} of them, "
        f"of which {total('with_names')} had to go on with a name of a module; "
        f"{total('cached_tokens') / max(1, total('prompt_tokens')):.0%} of the prompts were in the KV cache, "
        f"and the completion cache answered {total('reused')}."
    )


if __name__ == "__main__":
    main()
