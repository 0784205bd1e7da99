"""What counts as a right text, and as an answer, where people type on a team server."""

import pytest
from attrs import asdict

from aide_lsp.completion.prompt import Prompt
from aide_lsp.engines.shared.stream import FINISH_REASONS
from benchmarks.team.page import page
from benchmarks.team.person import Asked, Person
from benchmarks.team.phases import phase

TEXT = "mode = 0o"
REASONS = (*FINISH_REASONS, None)


def asked(text, finish, at=1.0, ended=2.0):
    return Asked(at, Prompt(()), text, ended if finish else None, at + 0.5, finish=finish)


@pytest.mark.parametrize("finish", REASONS)
def test_the_expected_text_is_right_and_another_is_not(finish):
    assert asked(TEXT, finish).is_right(TEXT)
    for other in ("mode = 0x", "modemode", TEXT + "7", TEXT + TEXT):
        assert not asked(other, finish).is_right(TEXT)


@pytest.mark.parametrize("finish", REASONS)
def test_the_beginning_of_a_text_is_right_only_if_it_was_ended_from_outside(finish):
    assert asked("mode", finish).is_right(TEXT) is (finish in ("timeout", None))


def test_a_text_that_its_time_limit_ended_is_late_and_no_answer():
    late, complete = asked("mode", "timeout", at=1.0, ended=4.0), asked(TEXT, "length", at=5.0, ended=7.0)
    person = Person(0, None, "", asked=[late, complete, asked("mode", None, at=8.0)])
    found = phase("all", [person], 0.0, 10.0)
    assert (found.keys, found.answered, found.late) == (3, 1, 1)
    assert (found.whole_ms, found.back_s) == (2000.0, (7.0,))
    # Most are asked for in the part before.
    assert [phase("", [person], *part).late for part in ((0.0, 3.0), (3.0, 6.0))] == [0, 1]


def test_texts_are_counted_by_the_recipe_that_has_answered():
    people = [Person(0, None, "", asked=[asked(TEXT, "stop") for _ in range(count)]) for count in (1, 2)]
    for person, recipe in zip(people, ("exact", "fast"), strict=True):
        for one in person.asked:
            one.machine, one.again = f"m/-/{recipe}/cpu/onnxruntime-1/x86_64", 1
    found = phase("all", people, 0.0, 10.0)
    assert (found.recipes, found.again) == ({"exact": 1, "fast": 2}, 3)


def test_page_shows_each_text_that_differs():
    person = Person(0, None, "", asked=[asked(TEXT, "stop")])
    phases = [asdict(phase(name, [person], 0.0, 10.0)) | {"replaced_s": 1.0} for name in "ab"]
    text = {"document": "a.py", "before": "x|", "expected": TEXT, "got": "no | `de"}
    texts = [text | {"finish": "stop", "answered": "m/"}]
    run = {
        "phases": phases,
        "settings": {"seed": 1},
        "ping_ms": {"p50": 1.0, "p95": 2.0, "per_second_of_8": 3.0},
        "memory_mb": {"replicas": 1.0, "ray": 2.0},
        "people": 1,
        "command": "c",
        "date": "d",
        "machine": ["m"],
        "started_s": 1.0,
        "equal": 1,
    }
    shown = page(run | {"different": 1, "texts": texts})
    assert f'| `"{TEXT}"` | `"no \\u007c \\u0060de"` |' in shown
    assert "Those that differ" not in page(run | {"different": 0, "texts": []})
