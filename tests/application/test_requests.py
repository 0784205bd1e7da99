"""The request that settings make, and what the loaded model allows."""

import pytest
from attrs import evolve

from aide_lsp.application.excerpts import RequestPreparer, read_lines
from aide_lsp.application.requests import check_limits, complete, request_of
from aide_lsp.context.known_names import OWN, NamesOf
from aide_lsp.errors import SettingsError
from aide_lsp.settings.fields import Parameters, Settings
from tests.fakes import FakeSession, ScriptedModel, babbling, completer_on

TEXT = "def f():\n    x = \n"
SETTINGS = Settings(
    Parameters(temperature=1.0, top_k=20, seed=5),
    max_tokens=24,
    deadline_ms=0,
    show="all",
    min_confidence=0.5,
    context_share=0.125,
)


@pytest.fixture
def session():
    return FakeSession(babbling())


@pytest.fixture
def completer(session):
    return completer_on(session)


def request(settings=SETTINGS):
    return request_of(settings, TEXT, len(TEXT) - 1, "x.py")


def test_a_request_has_the_options_of_the_settings():
    options = request().options
    assert options.parameters == SETTINGS.parameters
    assert (options.max_tokens, options.deadline_ms, options.candidate) == (24, 0, 0)
    assert (options.show, options.min_confidence, options.context_share) == ("all", 0.5, 0.125)


@pytest.mark.parametrize(
    ("own", "of_card", "of_model", "counts"),
    [
        (None, 0.5, 0.25, 0.25),
        (None, 0.1, 0.25, 0.1),
        (None, 0.5, 0.0, 0.0),
        (None, 0.0, 0.25, 0.0),
        (0.0, 0.5, 0.25, 0.0),
        (0.4, 0.5, 0.25, 0.4),
        (0.1, 0.5, 0.25, 0.1),
    ],
)
def test_the_share_of_other_files_is_the_users_else_that_of_the_models_card(own, of_card, of_model, counts):
    settings = evolve(SETTINGS, context_share=own, most_card_share=of_card)
    model = ScriptedModel({}, context_share=of_model).info
    prepared = RequestPreparer().prepare(request(settings), None, model).request
    # So that a recorded or sent request says the same, whatever the model's card says later.
    assert (prepared.options.context_share, prepared.options.most_card_share) == (counts, 0.0)
    assert RequestPreparer().prepare(prepared, None, evolve(model, context_share=0.5)).request == prepared


def test_each_request_draws_a_seed_for_settings_that_set_none():
    assert len({request().options.drawn_seed for _ in range(5)}) == 5


def test_completions_are_as_many_as_asked_for_and_differ(completer):
    settings = evolve(SETTINGS, min_confidence=0.0)
    assert len(complete(completer, settings, request(settings))) == 1
    found = complete(completer, settings, request(settings), count=3)
    assert [one.candidate for one in found] == [0, 1, 2]


def test_all_settings_that_the_model_does_not_allow_are_named_and_nothing_is_generated(completer, session):
    parameters = Parameters(top_k=1_000_000, num_context=1_000_000)
    settings = evolve(SETTINGS, parameters=parameters)
    with pytest.raises(SettingsError) as caught:
        complete(completer, settings, request(settings))
    assert [line.partition(":")[0] for line in str(caught.value).splitlines()] == ["top_k", "num_context"]
    assert session.forwards == []
    check_limits(completer, SETTINGS)


def test_what_a_document_says_of_its_types_is_no_other_file():
    read = [NamesOf(path, ("add",)).as_excerpt() for path in (OWN, "cart.py")]
    assert read_lines(read) == {"cart.py": "names"}
