"""Cuts holes into files of published packages in ten languages, and judges what the server offers there.

The packages are fetched with the user's own pip and npm, verified, and read without being unpacked.

    python -m benchmarks.real_code --per-kind 2 --out now.json --against before.json
"""

import argparse
import asyncio
import json
import shlex
import sys
import tempfile
from math import inf
from pathlib import Path
from time import monotonic
from typing import Any

from attrs import asdict, evolve

from aide_lsp.errors import AideError
from benchmarks.machine import describe
from benchmarks.quality.editor import Editor
from benchmarks.quality.table import UNFINISHED
from benchmarks.real_code.formats import FORMATS
from benchmarks.real_code.holes import KINDS, MARKUP_KINDS, Hole
from benchmarks.real_code.judging import judge
from benchmarks.real_code.results import Result, read_results, report
from benchmarks.real_code.sources import all_holes, markup_holes
from benchmarks.real_code.walk import add_cache_option
from benchmarks.typing.lsp_client import OWN_SERVER

LANGUAGES = 10


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark."""
    options = parse(arguments)
    cells = len(MARKUP_KINDS) * len(FORMATS) if options.markup else len(KINDS) * LANGUAGES
    find = markup_holes if options.markup else all_holes
    holes = find(not options.held_out, options.cache)[: options.per_kind * cells]
    if options.export:
        lines = (json.dumps(asdict(hole)) + "\n" for hole in holes)
        options.export.write_text("".join(lines), encoding="utf-8")
        return 0
    done = resume(options.out, options.settings, holes)
    end = monotonic() + options.minutes * 60
    server, results = asyncio.run(take(holes, done, options, end))
    save(options.out, server, options.settings, results)
    if len(results) < len(holes):
        print("Some holes are left. Run the same command to continue.", file=sys.stderr)
        return UNFINISHED
    print(f"{len(holes)} holes; {server}; {json.dumps(options.settings)}; {', '.join(describe())}\n")
    earlier = read_results(options.against) if options.against else []
    print(report(results, earlier))
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.real_code", description=__doc__.split("\n")[0]
    )
    add = parser.add_argument
    add("--per-kind", type=int, default=2, help="holes of each language and kind, in order of hash [2]")
    add("--markup", action="store_true", help="files that are no program code, such as YAML and HTML")
    add("--held-out", action="store_true", help="use the projects that no choice was made on")
    add("--command", default=shlex.join(OWN_SERVER), help="the server [Aide's own, in this environment]")
    add("--settings", type=json.loads, default={"temperature": 0}, help='as JSON [{"temperature": 0}]')
    add("--out", type=Path, help="write every completion to this file; continue what is in it")
    add("--against", type=Path, help="an earlier --out file: what of its good completions is kept")
    add("--minutes", type=float, default=inf, help="start no hole after this many minutes [no limit]")
    add("--export", type=Path, help="only write the holes to this file, as JSON lines")
    add_cache_option(parser)
    return parser.parse_args(arguments)


def resume(path: Path | None, settings: Any, holes: list[Hole]) -> list[Result]:
    """Return what an earlier call with the same settings has done of these holes, judged again."""
    if path is None or not path.exists():
        return []
    results = read_results(path)[: len(holes)]
    same_settings = json.loads(path.read_text(encoding="utf-8"))["settings"] == settings
    if not same_settings or [one.id for one in results] != [hole.id for hole in holes[: len(results)]]:
        raise AideError(f"{path} has other settings or holes. Name another file.")
    pairs = zip(holes, results, strict=False)
    return [result_of(hole, one.completion, one.seconds, one.replaces) for hole, one in pairs]


def save(path: Path | None, server: str, settings: Any, results: list[Result]) -> None:
    """Write the results, unless there is no file for them."""
    if path:
        entries = [asdict(result) for result in results]
        kept = {"server": server, "machine": describe(), "settings": settings, "results": entries}
        # A run that is interrupted here leaves the earlier file, not half of one.
        path.with_suffix(".part").write_text(json.dumps(kept, indent=1), encoding="utf-8")
        path.with_suffix(".part").replace(path)


async def take(
    holes: list[Hole], done: list[Result], options: argparse.Namespace, end: float
) -> tuple[str, list[Result]]:
    """Complete every hole that is not done, one after another; return the server's name and all results."""
    results = list(done)
    if len(done) == len(holes):
        return "nothing was run", results
    # The first offer is judged, however slow the machine; others and prefetching would only cost time. Each
    # hole has a seed of its own: with one for all, an unlikely draw would affect all of them.
    seeds = {f"hole{number}": {"seed": 1000 + number} for number in range(1, len(holes) + 1)}
    fixed = {"candidates": 1, "work_ahead": False, "deadline_ms": 0, "globs": seeds}
    with tempfile.TemporaryDirectory(prefix="aide-real-code-") as folder:
        async with Editor(options.command, fixed | options.settings, Path(folder)) as editor:
            # A server may load its model after `initialize`; that is not part of any answer's time.
            await editor.complete("def add(a, b):\n    return ", "\n")
            for number, hole in enumerate(holes[len(done) :], start=1 + len(done)):
                if monotonic() >= end:
                    break
                name = f"hole{number}/{hole.path}"
                answer = await editor.complete(hole.before, hole.after, name=name, language=hole.language)
                results.append(result_of(hole, answer.text, answer.seconds, answer.replaces))
                print(f"\r{number}/{len(holes)} ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return editor.server, results


def result_of(hole: Hole, completion: str, seconds: float, replaces: int = 0) -> Result:
    """Judge one completion, which replaces some characters after the hole: its author wrote them, too."""
    wider = evolve(hole, truth=hole.truth + hole.after[:replaces], after=hole.after[replaces:])
    verdict = judge(wider, completion)
    return Result(hole.id, hole.language, hole.kind, hole.truth, completion, seconds, verdict, replaces)


if __name__ == "__main__":
    sys.exit(main())
