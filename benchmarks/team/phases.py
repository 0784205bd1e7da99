"""What happened in a part of the run, as figures."""

from collections.abc import Sequence

from attrs import frozen

from benchmarks.team.person import Asked, Person
from benchmarks.typing.figures import quantile


@frozen
class Phase:
    """What happened in a part of the run."""

    name: str
    keys: int
    answered: int
    "Texts that were complete before the next part began."
    late: int
    "Texts that their time limit ended in this part, whenever they were asked for."
    first_ms: float
    "Key to first token, median of the answered."
    whole_ms: float
    "Key to all of the text, median of the answered."
    failed: dict[str, int]
    "Requests without an answer, by reason."
    recipes: dict[str, int]
    "Complete texts, by the recipe that the answer says."
    again: int
    "Requests that were asked again, since another model answered than the one that was asked."
    back_s: tuple[float | None, ...] = ()
    "Seconds from the event until each person had an answer to a later key."
    replaced_s: float | None = None
    "Seconds from the event until the replicas were as they should be."


def phase(name: str, people: Sequence[Person], began: float, ended: float) -> Phase:
    """Sum up what was asked between two moments."""
    asked = [[one for one in tuple(person.asked) if began <= one.at < ended] for person in people]
    every = [one for some in asked for one in some]
    done = [one for one in every if one.is_complete]
    faults = [one.fault for one in every if one.fault]
    recipes = [one.recipe for one in done]
    return Phase(
        name,
        len(every),
        len(done),
        sum(count_late(person.asked, began, ended) for person in people),
        middle([1e3 * (one.first - one.at) for one in done if one.first is not None]),
        middle([1e3 * (one.ended - one.at) for one in done if one.ended is not None]),
        {fault: faults.count(fault) for fault in sorted(set(faults))},
        {recipe: recipes.count(recipe) for recipe in sorted(set(recipes))},
        sum(one.again for one in every),
        tuple(
            first_answer(person.asked, began, ended) for person in people if waits(person.asked, began, ended)
        ),
    )


def count_late(asked: Sequence[Asked], began: float, ended: float) -> int:
    """Return how many texts their time limit ended between two moments."""
    times = [one.ended for one in tuple(asked) if one.ended is not None and not one.is_complete]
    return sum(began <= time < ended for time in times)


def waits(asked: Sequence[Asked], began: float, ended: float) -> bool:
    """Return whether someone pressed a key, or still waited for an answer, between two moments."""
    return any(one.at < ended and (one.ended is None or one.ended >= began) for one in tuple(asked))


def first_answer(asked: Sequence[Asked], began: float, ended: float) -> float | None:
    """Return after how many seconds the first text was complete; None: there was none."""
    times = [one.ended - began for one in tuple(asked) if one.is_complete and one.ended is not None]
    return min((one for one in times if 0 <= one < ended - began), default=None)


def middle(values: Sequence[float]) -> float:
    """Return the median; 0: there is none."""
    return quantile(sorted(values), 0.5) if values else 0.0
