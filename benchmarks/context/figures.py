"""What answers are worth, and how two settings compare on the same items."""

import re
from collections.abc import Sequence
from math import sqrt
from statistics import mean, stdev

from attrs import frozen

from benchmarks.context.run import Answer
from benchmarks.quality.humaneval import sign_test, wilson
from benchmarks.real_code.judging import distance

FAR = 0.15
"""A difference of similarity that counts as one."""


@frozen
class Score:
    """How close one answer's first line is to its author's."""

    exact: bool
    "Whether it is the same, except for white space at its ends."
    similarity: float
    "1 minus the edit distance, divided by the length of the longer of the two."
    name: bool
    "Whether it has the name of the other file."
    empty: bool


@frozen
class Pair:
    """One item with both settings."""

    language: str
    kind: str
    first: Score
    second: Score


def score(answer: Answer) -> Score:
    """Judge one answer."""
    text, truth = _first_line(answer.completion), _first_line(answer.truth)
    longest = max(len(text), len(truth))
    return Score(
        exact=text == truth,
        similarity=1 - distance(text, truth) / longest if longest else 1.0,
        name=bool(answer.name) and answer.name in re.findall(r"\w+", text),
        empty=not text,
    )


def _first_line(text: str) -> str:
    return text.strip().split("\n")[0].rstrip()


def pairs(answers: Sequence[Answer], items: Sequence[str], first: str, second: str) -> list[Pair]:
    """Return those of the items that were completed with both settings."""
    found = {(one.id, one.setting): one for one in answers}
    both = [(found.get((item, first)), found.get((item, second))) for item in items]
    return [Pair(one.language, one.kind, score(one), score(other)) for one, other in both if one and other]


HEADER = (
    "| | items | first line exact, {0} | {1} | won / lost | p | similarity, {0} | {1} | difference"
    " | names right, {0} | {1} |"
)


def report(found: Sequence[Pair], titles: tuple[str, str]) -> str:
    """Render the comparison as a table, by language, by kind, and of all, and what is worse."""
    rows = [HEADER.format(*titles), "|---|" + "---:|" * (HEADER.count("|") - 2)]
    for value in (lambda one: one.language, lambda one: one.kind):
        for title in sorted({value(one) for one in found}):
            rows.append(_row(title, [one for one in found if value(one) == title]))
    return "\n".join([*rows, _row("all", found), "", _harm(found, titles)])


def _harm(found: Sequence[Pair], titles: tuple[str, str]) -> str:
    first, second = titles
    right, lost = sum(one.first.exact for one in found), _lost(found)
    lower = sum(one.second.similarity < one.first.similarity - FAR for one in found)
    higher = sum(one.second.similarity > one.first.similarity + FAR for one in found)
    nothing = [sum(score.empty for score in scores) for scores in _columns(found)]
    return (
        f"Right {first}, not {second}: {lost} of {right} ({_percent(lost / len(found))} of all)."
        f" Similarity more than {100 * FAR:.0f} points lower: {lower}, higher: {higher}."
        f" Nothing offered: {nothing[0]} {first}, {nothing[1]} {second}."
    )


def _columns(found: Sequence[Pair]) -> tuple[list[Score], list[Score]]:
    return [one.first for one in found], [one.second for one in found]


def _row(title: str, found: Sequence[Pair]) -> str:
    won = sum(one.second.exact and not one.first.exact for one in found)
    differences = [100 * (one.second.similarity - one.first.similarity) for one in found]
    cells = (
        str(len(found)),
        _share([one.first.exact for one in found]),
        _share([one.second.exact for one in found]),
        f"{won} / {_lost(found)}",
        f"{sign_test(won, _lost(found)):.2g}",
        f"{100 * mean(one.first.similarity for one in found):.1f}",
        f"{100 * mean(one.second.similarity for one in found):.1f}",
        f"{mean(differences):+.1f} ± {_half_interval(differences):.1f}",
        _percent(mean(one.first.name for one in found)),
        _percent(mean(one.second.name for one in found)),
    )
    return f"| {title} | " + " | ".join(cells) + " |"


def _lost(found: Sequence[Pair]) -> int:
    return sum(one.first.exact and not one.second.exact for one in found)


def _share(hits: Sequence[bool]) -> str:
    low, high = wilson(sum(hits), len(hits))
    return f"{_percent(mean(hits))} [{100 * low:.0f}-{100 * high:.0f}]"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _half_interval(values: Sequence[float]) -> float:
    """Return half of the 95 % interval of a mean."""
    return 1.96 * stdev(values) / sqrt(len(values)) if len(values) > 1 else 0.0
