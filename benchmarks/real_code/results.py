"""Results of a run, and the tables of them: by language, and by kind of hole."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

from attrs import frozen

from benchmarks.quality.shown import Shown, good_share, kept_share, percent, precision, shown_share
from benchmarks.real_code.judging import Verdict


@frozen
class Result:
    """One hole."""

    id: str
    language: str
    kind: str
    truth: str
    "What its author wrote."
    completion: str
    "What the server offered; empty: nothing."
    seconds: float
    "From request to answer."
    verdict: Verdict
    replaces: int = 0
    "How many characters after the hole the completion replaces."

    @property
    def request(self) -> Shown:
        """Whether something is shown, and good."""
        return Shown(self.id, self.verdict.offered, self.verdict.good)


def read_results(path: Path) -> list[Result]:
    """Read a file of a run."""
    entries = json.loads(path.read_text(encoding="utf-8"))["results"]
    return [Result(**entry | {"verdict": Verdict(**entry["verdict"])}) for entry in entries]


HEADER = (
    "| {} | holes | shown | first line exact | similarity | more syntax errors | brackets off | repeats"
    " | good, of shown | good, of all | good kept |"
)


def report(results: Sequence[Result], earlier: Sequence[Result] = ()) -> str:
    """Render both tables; all shares but those of all holes are of what is shown."""
    languages = _table("language", lambda one: one.language, results, earlier)
    kinds = _table("kind of hole", lambda one: one.kind, results, earlier)
    return f"{languages}\n\n{kinds}"


def _table(
    title: str, key: Callable[[Result], str], results: Sequence[Result], earlier: Sequence[Result]
) -> str:
    rows = [HEADER.format(title), "|---|" + "---:|" * (HEADER.count("|") - 2)]
    for name in sorted({key(one) for one in results}):
        rows.append(_row(name, [one for one in results if key(one) == name], earlier))
    return "\n".join([*rows, _row("all", results, earlier)])


def _row(name: str, results: Sequence[Result], earlier: Sequence[Result]) -> str:
    shown = [one.verdict for one in results if one.verdict.offered]
    requests = [one.request for one in results]

    def mean(value: Callable[[Verdict], float]) -> float | None:
        return sum(map(value, shown)) / len(shown) if shown else None

    cells = (
        shown_share(requests),
        mean(lambda one: one.first_line),
        mean(lambda one: one.similarity),
        mean(lambda one: one.more_errors),
        mean(lambda one: one.brackets_off),
        mean(lambda one: one.repeats),
        precision(requests),
        good_share(requests),
        kept_share(requests, [one.request for one in earlier]),
    )
    return f"| {name} | {len(results)} | " + " | ".join(map(percent, cells)) + " |"
