"""Several completions for one place."""

import time

import pytest
from attrs import evolve

from aide_lsp.completion.candidates import complete_several
from aide_lsp.completion.completer import Completer
from aide_lsp.inference.cancel import Cancelled, CancelToken
from tests.completion.test_completer import complete, completer_of, request_at, with_parameters
from tests.fakes import babbling, continuing

REQUEST = request_at("def f():\n    x = |\n    return x\n", temperature=1.0, seed=5)


def several(completer: Completer, request=REQUEST, count=3, **options):
    return complete_several(completer, request, count, CancelToken(), **options)


def test_candidates_share_seed_and_parameters_and_differ_in_number_and_text():
    found = several(completer_of(babbling()))
    assert [one.candidate for one in found] == [0, 1, 2]
    assert {one.seed for one in found} == {5}
    assert len({one.parameters for one in found}) == 1
    assert len({one.text for one in found}) == len({one.id for one in found}) == 3


@pytest.mark.parametrize("candidate", [0, 1, 2])
def test_a_candidate_is_the_same_whether_or_not_the_others_were_made(candidate):
    alone = complete(completer_of(babbling()), REQUEST.with_options(candidate=candidate))
    assert several(completer_of(babbling()))[candidate].text == alone.text
    assert several(completer_of(babbling()), count=5)[candidate].text == alone.text


def test_without_a_seed_all_have_the_one_that_was_drawn_for_the_first():
    # Not every seed gives three different texts; this one does.
    found = several(
        completer_of(babbling()), with_parameters(REQUEST, seed=None).with_options(drawn_seed=418)
    )
    assert len(found) == 3
    assert len({one.seed for one in found}) == 1
    seeded = with_parameters(REQUEST, seed=found[0].seed)
    assert [one.text for one in several(completer_of(babbling()), seeded)] == [one.text for one in found]


def test_the_same_text_is_offered_once():
    assert len(several(completer_of(continuing({"x = ": "1\n"})))) == 1


def test_the_prompt_is_read_once():
    completer = completer_of(babbling())
    first, *others = several(completer)
    assert first.cached_tokens == 0
    assert all(one.cached_tokens >= one.prompt_tokens - 2 for one in others)


def test_a_first_that_was_made_already_is_not_made_again():
    completer = completer_of(babbling())
    first = evolve(complete(completer, REQUEST.with_options(candidate=0)), text="made before")
    assert several(completer_of(babbling()), first=first)[0] is first


def test_cancel_works_between_candidates():
    completer, token = completer_of(babbling()), CancelToken()
    asked = []

    class Canceling:
        def complete(self, request, cancel, observer=None):
            asked.append(request.options.candidate)
            made = completer.complete(request, cancel)
            if request.options.candidate == 1:
                token.cancel()
            return made

    with pytest.raises(Cancelled):
        complete_several(Canceling(), REQUEST, 5, token)
    assert asked == [0, 1, 2]


def test_what_comes_too_late_is_left_out():
    """All together have the time that one has."""
    completer = completer_of(babbling(), on_forward=lambda count: time.sleep(0.02))
    asked = []
    inner = completer.complete
    completer.complete = lambda request, *more: (
        asked.append(request.options.deadline_ms) or inner(request, *more)
    )
    found = several(completer, REQUEST.with_options(deadline_ms=60), count=5)
    assert len(found) < 5
    assert asked == sorted(asked, reverse=True)
    assert len(asked) < 5
