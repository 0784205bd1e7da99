"""A complaint at a place: one seed, the limits of model and user, two completions."""

import pytest
from attrs import evolve

from aide_lsp.application.requests import request_of
from aide_lsp.application.troubleshooting import trial_of
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.settings.fields import Parameters, Settings
from tests.fakes import FakeSession, babbling, completer_on

TEXT = "def f():\n" + "    x = 1\n" * 400 + "    y = \n"
SETTINGS = Settings(Parameters(num_context=1024), max_tokens=12, deadline_ms=0)


@pytest.fixture(scope="module")
def completer():
    return completer_on(FakeSession(babbling()))


def trial(completer, complaint="incoherent", settings=SETTINGS, text=TEXT, seed=None):
    request = request_of(settings, text, len(text) - 1, "x.py")
    return trial_of(complaint, settings, completer, request, seed), request


def pinned(seed):
    return evolve(SETTINGS, parameters=evolve(SETTINGS.parameters, seed=seed))


@pytest.mark.parametrize(("own", "given", "used"), [(3, 8, 3), (None, 8, 8), (0, 8, 0), (None, 0, 0)])
def test_the_seed_is_that_of_the_settings_else_the_given_one(completer, own, given, used):
    assert trial(completer, settings=pinned(own), seed=given)[0].seed == used


def test_without_any_seed_one_is_drawn_and_both_completions_use_it(completer):
    found, request = trial(completer)
    before, after = found.complete(completer, request, CancelToken())
    assert before.seed == after.seed == found.seed
    assert (before.parameters, after.parameters) == found.parameters
    assert before.parameters != after.parameters


def test_a_fixed_seed_is_proposed_where_that_is_the_remedy(completer):
    found, _ = trial(completer, "inconsistent", seed=12)
    assert found.proposal.values == {"seed": 12}
    assert [parameters.seed for parameters in found.parameters] == [12, 12]


def test_num_context_is_not_raised_beyond_the_limit_of_the_user(completer):
    assert "num_context" in trial(completer)[0].proposal.values
    limited, _ = trial(completer, settings=evolve(SETTINGS, max_num_context=1024))
    assert "num_context" not in limited.proposal.values


def test_num_context_is_not_raised_where_the_whole_text_is_read(completer):
    assert "num_context" not in trial(completer, text="y = \n")[0].proposal.values
