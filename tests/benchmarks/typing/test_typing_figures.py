"""Figures: computed by hand for a trace of a few keys."""

import json
import math

import pytest

from benchmarks.typing.figures import Replayed, figures, quantile, rows, saved_keys, whole, words
from benchmarks.typing.gate import Window, gate
from benchmarks.typing.plot import BINS, Distribution, Mark, draw, histogram, place
from benchmarks.typing.replay import RequestRecord, Tokens
from benchmarks.typing.report import Kept, plot, report, save
from benchmarks.typing.sources import Source
from benchmarks.typing.trace import Event, Trace

TARGET = "ab cd(e)"


def trace(slip_at=None):
    """Types TARGET a letter at a time, one a second; with a slip that is taken back before a letter."""
    events = [Event(0.0, "open", 0, 0)]
    for number, letter in enumerate(TARGET):
        if number == slip_at:
            events.append(Event(number - 0.5, "key", 0, number, number, "x", 0, -1))
            events.append(Event(number - 0.25, "key", 0, number, number + 1, "", 0, number))
        events.append(Event(float(number), "key", 0, number, number, letter, 0, number + 1))
    return Trace((Source("a.py", "python", TARGET),), ("",), (TARGET,), tuple(events))


def asked(event, text="", waited=0.1, at=None, tokens=None, left=1.0):
    moment = float(event) if at is None else at
    return RequestRecord(event, moment, 0.001, left, waited, text, tokens, None)


def replayed(*found, of=None, **more):
    return Replayed(of or trace(), found, **{"cpu_s": 2.0, "own_cpu_s": 0.1, **more})


def every_key(offers, of=None):
    """All keys of a trace, with what was offered after some of them."""
    of = of or trace()
    keys = [number for number, event in enumerate(of.events) if event.do == "key"]
    return replayed(*(asked(number, offers.get(number, "")) for number in keys), of=of)


@pytest.mark.parametrize(
    ("offer", "whole_taken", "words_taken"),
    [
        ("cd(e)", (5, 1), (5, 1)),
        ("cd(", (3, 1), (3, 1)),
        ("cd(e) + 1", (0, 0), (5, 4)),
        ("cd(f)", (0, 0), (3, 2)),
        ("cx", (0, 0), (0, 0)),
        ("other", (0, 0), (0, 0)),
    ],
)
def test_what_is_taken_of_an_offer(offer, whole_taken, words_taken):
    assert whole(offer, "cd(e)") == whole_taken
    assert words(offer, "cd(e)") == words_taken


def test_an_offer_that_is_all_that_follows_saves_its_keys_but_one():
    assert saved_keys(every_key({3: "cd(e)"}), whole) == 4


def test_what_is_offered_where_no_key_is_pressed_any_more_does_not_count():
    assert saved_keys(every_key({3: "cd(", 4: "d(e)", 5: "(e)"}), whole) == 2


def test_what_is_offered_after_what_was_accepted_counts():
    assert saved_keys(every_key({3: "cd", 5: "(e)"}), whole) == 1 + 2


def test_a_slip_inside_what_is_taken_is_saved_too():
    assert saved_keys(every_key({1: "b cd(e)"}, trace(slip_at=4)), whole) == 6 + 2


def test_an_offer_after_a_slip_saves_nothing_because_the_text_differs():
    of = trace(slip_at=4)
    slip = next(number for number, event in enumerate(of.events) if event.do == "key" and event.reached < 0)
    assert saved_keys(every_key({slip: "d(e)"}, of), whole) == 0
    assert saved_keys(every_key({slip + 1: "d(e)"}, of), whole) == 3


def test_an_offer_that_continues_wrongly_saves_by_words_only():
    found = every_key({3: "cd(f)"})
    assert saved_keys(found, whole) == 0
    assert saved_keys(found, words) == 1  # three letters for two keys


def test_taking_one_letter_with_one_key_saves_nothing():
    assert saved_keys(every_key({1: "b"}), whole) == 0


def test_what_came_too_late_counts_as_infinitely_long():
    found = figures([replayed(*(asked(n, waited=0.1 * n if n < 5 else None) for n in range(1, 9)))])
    assert found.answered == 0.5
    assert found.p50_ms == pytest.approx(400)
    assert math.isinf(found.p95_ms)
    assert dict(rows(found))["key to answer, p95"] == "after the next key"


def test_empty_answers_are_answers_but_not_offers():
    found = figures([replayed(asked(1, ""), asked(2, "x"), asked(3, "", waited=None), asked(4, "y"))])
    assert (found.answered, found.offered) == (0.75, 0.5)


def test_costs_are_those_of_the_answers_that_report_them():
    costs = [Tokens(100, 40, 4), None, Tokens(100, 100, 0)]
    found = figures([replayed(*(asked(n + 1, tokens=cost) for n, cost in enumerate(costs)))])
    assert (found.run_tokens, found.cached_tokens, found.generated_tokens) == (30, 70, 2)
    assert figures([replayed(asked(1))]).run_tokens is None


def test_cpu_time_is_for_a_hundred_keys():
    found = figures([replayed(*(asked(n) for n in range(1, 5))), replayed(asked(1), cpu_s=3.0)])
    assert found.cpu_s_per_100_keys == pytest.approx(100)
    assert found.own_cpu_s_per_100_keys == pytest.approx(4)


@pytest.mark.parametrize(
    ("share", "expected"), [(0.0, 1), (0.25, 1), (0.5, 2), (0.51, 3), (0.95, 4), (1.0, 4)]
)
def test_a_quantile_is_a_value_that_was_measured(share, expected):
    assert quantile([1, 2, 3, 4], share) == expected


def test_keys_do_not_count_while_others_use_the_machine():
    windows = [Window(0, 2, 0.01, 1.0, 0.1), Window(2, 4, 0.5, 9.0, 0.1), Window(4, 6, 0.02, 1.0, 0.1)]
    found = [asked(n + 1, at=at, left=0.5) for n, at in enumerate((0.5, 1.7, 2.5, 3.9, 4.2, 5.0))]
    kept = gate(trace(), found, windows, 0.10)
    # 1.7 runs into the disturbed window, 3.9 begins in it.
    assert [one.at for one in kept.asked] == [0.5, 4.2, 5.0]
    assert kept.dropped == 3
    # Four keys were begun in quiet windows, which cost 2 s; three of them count.
    assert kept.cpu_s == pytest.approx(1.5)
    assert gate(trace(), found, windows, 0.6).dropped == 0
    assert gate(trace(), found, windows, 0.001) == Replayed(trace(), (), 0.0, 0.0, 6)


def test_a_histogram_holds_every_time():
    heights = histogram([0.1, 5.0, 200.0, 200.0, 1e9, math.inf])
    assert sum(heights) == pytest.approx(1.0)
    assert (heights[0], heights[BINS - 1]) == (pytest.approx(1 / 6), pytest.approx(2 / 6))
    assert place(1) < place(10) < place(1000)
    assert place(10) - place(1) == pytest.approx(place(100) - place(10))


def test_the_drawing_is_the_same_for_the_same_times_and_names_all_engines():
    engines = [Distribution("A & B", (20.0, 30.0), "p50 20 ms"), Distribution("C", (900.0,), "p50 900 ms")]
    drawn = draw("From key to answer", "note", engines, [Mark(200, "34 % leave 200 ms")])
    assert drawn == draw("From key to answer", "note", engines, [Mark(200, "34 % leave 200 ms")])
    assert "A &amp; B" in drawn
    assert "p50 900 ms" in drawn
    assert drawn.count('class="bar"') == 3


def kept(name, waited):
    found = [replayed(*(asked(1 + n % 8, "b", waited) for n in range(24)), of=trace())]
    return Kept(name, f"{name} 1.0", found, found)


def test_a_report_has_a_column_for_each_engine_and_says_how_it_came_about(tmp_path):
    engines = [kept("Aide", 0.05), kept("llama.cpp", None)]
    text, enough = report(engines, [trace()], 0.10, markdown=True)
    assert enough
    assert "| answered before the next key | 100.0% | 0.0% |" in text
    assert "| key to answer, p50 | 50 ms | after the next key |" in text
    assert "typed again: python: a.py" in text
    assert "llama.cpp" in plot(engines, [trace()])
    save(tmp_path / "all.json", engines, [trace()], {"seed": 1})
    saved = json.loads((tmp_path / "all.json").read_text())
    assert saved["sources"]["a.py"]["sha256"] == trace().sources[0].sha256
    assert saved["engines"][1]["typing"]["p50_ms"] is None  # JSON knows no infinity
    assert len(saved["engines"][0]["patient_keys"]) == 24


def test_where_too_few_keys_count_there_is_no_figure():
    few = Kept("Aide", "aide", [replayed(asked(1))], [replayed(asked(1))])
    text, enough = report([few, kept("llama.cpp", 0.9)], [trace()], 0.10, markdown=True)
    assert not enough
    assert "| answered before the next key | too few keys | 100.0% |" in text
