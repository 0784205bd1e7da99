"""What counts as a right text, and as an answer, where people type on a team server."""

import pytest

from aide_lsp.completion.prompt import Prompt
from aide_lsp.engines.shared.stream import FINISH_REASONS
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
