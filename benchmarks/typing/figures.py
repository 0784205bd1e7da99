"""Computes the figures of the typing benchmark from the keys of a replay.

A request without an answer when the next key came counts as infinitely long: percentiles are over all
requests, not over those that were fast enough.
"""

import math
import re
from collections.abc import Callable, Iterator, Sequence
from statistics import mean

from attrs import field, frozen

from benchmarks.typing.replay import RequestRecord
from benchmarks.typing.trace import Trace

PIECE = re.compile(r"\s*(?:\w+|[^\w\s]+)|\s+")
"""What an editor accepts of an offer when asked for the next word."""
Taken = tuple[int, int]
"""How many characters of an offer are accepted, and with how many keys."""


@frozen
class Replayed:
    """A trace and the outcome of its keys."""

    trace: Trace
    asked: tuple[RequestRecord, ...]
    "The keys that count, in order."
    cpu_s: float
    "CPU seconds of the engine for these keys."
    own_cpu_s: float = 0.0
    "CPU seconds of the benchmark itself."
    dropped: int = 0
    "Keys that do not count because other programs used the machine."


@frozen
class Figures:
    """The figures of one engine."""

    keys: int
    "Requests that count."
    dropped: int
    "Keys that do not count."
    answered: float
    "Share of requests that were answered before the next key, including empty answers."
    offered: float
    "Share that was answered with a text before the next key."
    p50_ms: float
    "Median from key to answer over all requests; infinite: more than half had no answer in time."
    p95_ms: float
    "Likewise, 95 %."
    saved_whole: float
    "Share of keys saved by accepting offers that are completely what is typed next."
    saved_words: float
    "Share of keys saved by also accepting offers word by word, as far as they are correct."
    run_tokens: float | None
    "Prompt tokens run for an answer, on average; None: the engine does not report them."
    cached_tokens: float | None
    "Prompt tokens that were not run again, on average."
    generated_tokens: float | None
    "Tokens of the answer, on average."
    cpu_s_per_100_keys: float
    "CPU seconds of the engine for 100 keys."
    own_cpu_s_per_100_keys: float
    "CPU seconds of the benchmark for 100 keys."
    late_p95_ms: float
    "Delay of keys against the trace, 95th percentile."
    faults: int
    "Requests that failed."
    times_ms: tuple[float, ...] = field(repr=False)
    "From key to answer, sorted; infinite without an answer in time."


def figures(replayed: Sequence[Replayed]) -> Figures:
    """Compute the figures from at least one key that counts."""
    asked = [one for each in replayed for one in each.asked]
    times = sorted(1000 * one.waited if one.waited is not None else math.inf for one in asked)
    costs = [one.tokens for one in asked if one.tokens is not None]
    return Figures(
        keys=len(asked),
        dropped=sum(each.dropped for each in replayed),
        answered=sum(one.waited is not None for one in asked) / len(asked),
        offered=sum(bool(one.text) for one in asked) / len(asked),
        p50_ms=quantile(times, 0.5),
        p95_ms=quantile(times, 0.95),
        saved_whole=sum(saved_keys(each, whole) for each in replayed) / len(asked),
        saved_words=sum(saved_keys(each, words) for each in replayed) / len(asked),
        run_tokens=mean(cost.prompt - cost.cached for cost in costs) if costs else None,
        cached_tokens=mean(cost.cached for cost in costs) if costs else None,
        generated_tokens=mean(cost.generated for cost in costs) if costs else None,
        cpu_s_per_100_keys=100 * sum(each.cpu_s for each in replayed) / len(asked),
        own_cpu_s_per_100_keys=100 * sum(each.own_cpu_s for each in replayed) / len(asked),
        late_p95_ms=1000 * quantile(sorted(one.late for one in asked), 0.95),
        faults=sum(one.fault is not None for one in asked),
        times_ms=tuple(times),
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed."""
    # Not interpolated, because times may be infinite.
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def whole(offer: str, truth: str) -> Taken:
    """Accept an offer with one key if all of it is what comes next."""
    return (len(offer), 1) if truth.startswith(offer) else (0, 0)


def words(offer: str, truth: str) -> Taken:
    """Accept an offer as far as it is correct: all with one key, or word by word with one key each."""
    if truth.startswith(offer):
        return whole(offer, truth)
    length = keys = 0
    for piece in PIECE.findall(offer):
        if not truth.startswith(piece, length):
            break
        length, keys = length + len(piece), keys + 1
    return length, keys


def saved_keys(replayed: Replayed, rule: Callable[[str, str], Taken]) -> int:
    """Count the keys saved by someone who accepts offers by a rule, whenever that saves any.

    What is typed does not change: a key whose text was already accepted is not pressed, and its offer does
    not count, except for the last one, after which the text is the same as after accepting.
    """
    trace, counted = replayed.trace, {one.event for one in replayed.asked}
    passed, saved = set[int](), 0
    for one in replayed.asked:
        event = trace.events[one.event]
        if not one.text or event.reached < 0 or one.event in passed:
            continue
        length, keys = rule(one.text, trace.holes[event.hole][event.reached :])
        covered = set(_covered(trace, one.event, event.reached + length)) & counted
        if len(covered) > keys:
            saved += len(covered) - keys
            passed |= {at for at in covered if trace.events[at].reached != event.reached + length}
    return saved


def _covered(trace: Trace, index: int, until: int) -> Iterator[int]:
    """Yield the later keys of a passage that need not be pressed once its text reaches `until`."""
    waiting: list[int] = []
    hole = trace.events[index].hole
    for later in range(index + 1, len(trace.events)):
        event = trace.events[later]
        if event.do != "key" or event.hole != hole:
            continue
        waiting.append(later)
        if event.reached < 0:  # a slip and its correction belong to the next correct key
            continue
        if event.reached > until:
            return
        yield from waiting
        waiting = []


def rows(found: Figures) -> list[tuple[str, str]]:
    """Return the figures as titles and text."""
    run = found.run_tokens
    return [
        ("keys, a request at each", f"{found.keys}"),
        ("answered before the next key", f"{found.answered:.1%}"),
        ("  with a text", f"{found.offered:.1%}"),
        ("key to answer, p50", milliseconds(found.p50_ms)),
        ("key to answer, p95", milliseconds(found.p95_ms)),
        ("keys saved, whole offers", f"{found.saved_whole:.1%}"),
        ("keys saved, also word by word", f"{found.saved_words:.1%}"),
        ("prompt tokens run for an answer", "-" if run is None else f"{run:.0f}"),
        ("  taken from the cache", "-" if found.cached_tokens is None else f"{found.cached_tokens:.0f}"),
        ("tokens generated", "-" if found.generated_tokens is None else f"{found.generated_tokens:.0f}"),
        ("CPU seconds for 100 keys", f"{found.cpu_s_per_100_keys:.1f}"),
        ("  of the benchmark itself", f"{found.own_cpu_s_per_100_keys:.2f}"),
    ]


def milliseconds(value: float) -> str:
    """Return a time as text."""
    if math.isinf(value):
        return "after the next key"
    return f"{value:.0f} ms" if value < 10_000 else f"{value / 1000:.1f} s"
