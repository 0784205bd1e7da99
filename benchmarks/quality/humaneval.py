"""Measures how good completions are: HumanEval-infilling through the language server, judged by its tests.

The prompt, the stop rules and the model are all part of what is measured.

    python -m benchmarks.quality.humaneval HumanEval-SingleLineInfilling.jsonl.gz -n 100 --out ours.json
"""

import argparse
import asyncio
import json
import shlex
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from math import comb, inf, sqrt
from pathlib import Path
from statistics import median, quantiles
from time import monotonic
from typing import Any

from attrs import asdict, evolve, frozen

from benchmarks.quality.editor import Editor
from benchmarks.quality.infilling import Problem, judge, read_problems
from benchmarks.quality.shown import Shown, kept_share, percent, precision, shown_share
from benchmarks.typing.lsp_client import OWN_SERVER


@frozen
class Result:
    """One problem."""

    id: str
    completion: str
    "What the server offered."
    passed: bool
    "Whether the tests passed with it."
    exact: bool
    "Whether it is what the author wrote, except for white space at its ends."
    why: str
    "`passed`, `timeout`, or the last line of the error."
    seconds: float
    "From request to answer."
    replaces: int = 0
    "How many characters after the hole it replaces."

    @property
    def request(self) -> Shown:
        """Whether something is shown, and right. A program that passes with an empty hole shows nothing."""
        return Shown(self.id, bool(self.completion.strip()), self.passed)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark."""
    options = parse(arguments)
    problems = read_problems(options.file, options.n)
    server, results = asyncio.run(take(problems, options.command, options.settings))
    print(f"{options.file.name}, the first {len(problems)} problems by hash; {server}; {options.settings}")
    print(report(results))
    if options.out:
        table = {"server": server, "settings": options.settings, "results": [asdict(r) for r in results]}
        options.out.write_text(json.dumps(table, indent=1), encoding="utf-8")
    if options.against:
        earlier = json.loads(options.against.read_text(encoding="utf-8"))["results"]
        print(compare(results, [Result(**entry) for entry in earlier]))
    return 0


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    purpose = str(__doc__).split("\n")[0] + " Runs code that a model wrote, with limits on time and memory."
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality.humaneval", description=purpose)
    add = parser.add_argument
    add("file", type=Path, help="HumanEval-...Infilling.jsonl.gz of the published benchmark")
    add("-n", type=int, help="number of problems, in order of hash [all]")
    add("--command", default=shlex.join(OWN_SERVER), help="the server [Aide's own, in this environment]")
    add("--settings", type=json.loads, default={"temperature": 0}, help='as JSON [{"temperature": 0}]')
    add("--engine", help="address of a server that runs the model [Aide's own engine]")
    add("--out", type=Path, help="write every completion to this file")
    add("--against", type=Path, help="an earlier --out file, for a paired comparison")
    options = parser.parse_args(arguments)
    if options.engine:
        options.settings = options.settings | {"engine": options.engine}
    return options


async def take(
    problems: list[Problem],
    command: str,
    settings: dict[str, Any],
    run: int | None = None,
    done: Sequence[Result] = (),
    end: float = inf,
) -> tuple[str, list[Result]]:
    """Complete every hole, one after another; return the server's name and the results.

    With a `run`, each problem has its own seed, the same whenever that run is repeated. The first problems
    may be `done`; none begins after `end`, in seconds of the monotonic clock.
    """
    results = list(done)
    # The first offer is judged, however slow the machine; others and prefetching would only cost time.
    settings = {"candidates": 1, "work_ahead": False, "deadline_ms": 0} | settings
    if run is not None:
        settings = settings | {"globs": seeds(len(problems), run)}
    with tempfile.TemporaryDirectory(prefix="aide-quality-") as folder:
        async with Editor(command, settings, Path(folder)) as editor:
            # A server may load its model after `initialize`; that is not part of any answer's time.
            await editor.complete("def add(a, b):\n    return ", "\n")
            for number, problem in enumerate(problems[len(done) :], start=1 + len(done)):
                if monotonic() >= end:
                    break
                answer = await editor.complete(problem.prefix, problem.suffix, name=hole_name(number))
                results.append(result_of(problem, answer.text, answer.seconds, answer.replaces))
                passed = sum(result.passed for result in results)
                print(f"\r{number}/{len(problems)}, {passed} passed ", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return editor.server, results


def hole_name(number: int) -> str:
    """Name the file of the n-th problem."""
    return f"problem{number}.py"


def seeds(count: int, run: int) -> dict[str, dict[str, int]]:
    """Return a seed for each problem's file. With one for all, an unlikely draw would affect all of them."""
    return {hole_name(number): {"seed": 1000 * run + number} for number in range(1, count + 1)}


def result_of(problem: Problem, completion: str, seconds: float, replaces: int = 0) -> Result:
    """Judge one completion, which replaces some characters after the hole."""
    replaced, suffix = problem.suffix[:replaces], problem.suffix[replaces:]
    problem = evolve(problem, suffix=suffix, solution=problem.solution + replaced)
    verdict = judge(problem, completion)
    exact = completion.strip() == problem.solution.strip()
    return Result(problem.id, completion, verdict.passed, exact, verdict.why, seconds, replaces)


def report(results: list[Result]) -> str:
    """Return the figures as text."""
    passed = sum(result.passed for result in results)
    low, high = wilson(passed, len(results))
    empty = sum(not result.completion for result in results)
    requests = [result.request for result in results]
    times = [result.seconds for result in results]
    ninetieth = quantiles(times, n=10, method="inclusive")[-1] if len(times) > 1 else times[0]
    failures = Counter(result.why.split(":")[0] for result in results if not result.passed)
    return "\n".join(
        [
            f"pass@1 {passed / len(results):.1%} ({passed} of {len(results)}; 95 % interval"
            f" {low:.0%} to {high:.0%}), exactly the author's {sum(r.exact for r in results)}, empty {empty}",
            f"shown {percent(shown_share(requests))}, right of these {percent(precision(requests))}",
            f"answer after {median(times) * 1e3:.0f} ms (median), {ninetieth * 1e3:.0f} ms (90 %)",
            "failures: " + (", ".join(f"{count} {why}" for why, count in failures.most_common(6)) or "none"),
        ]
    )


def wilson(passed: float, total: int, z: float = 1.96) -> tuple[float, float]:
    """Return Wilson's interval for a share (https://doi.org/10.1080/01621459.1927.10502953)."""
    share = passed / total
    middle = share + z * z / (2 * total)
    half = z * sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    # Rounding may leave less than nothing.
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)


def compare(results: list[Result], earlier: list[Result]) -> str:
    """Return the paired comparison with an earlier run, on the problems that both have."""
    before = {result.id: result.passed for result in earlier}
    pairs = [(result.passed, before[result.id]) for result in results if result.id in before]
    gained = sum(now and not then for now, then in pairs)
    lost = sum(then and not now for now, then in pairs)
    kept = kept_share([result.request for result in results], [result.request for result in earlier])
    return (
        f"compared with the earlier run on {len(pairs)} problems: {gained} gained, {lost} lost,"
        f" p = {sign_test(gained, lost):.3f} (exact McNemar); right ones kept {percent(kept)}"
    )


def sign_test(gained: int, lost: int) -> float:
    """Return the two-sided p value of a split this uneven under a fair coin."""
    total = gained + lost
    tail: float = sum(comb(total, k) for k in range(min(gained, lost) + 1)) / 2**total
    return min(1.0, 2 * tail)


if __name__ == "__main__":
    sys.exit(main())
