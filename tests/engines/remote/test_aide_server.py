"""A server that is `aide serve`: found out, all features, and its failures as those of other servers."""

from itertools import product

import pytest
from attrs import evolve

from aide_lsp import __version__
from aide_lsp.cli.commands.engine import report_lines
from aide_lsp.completion.completer import Completer
from aide_lsp.completion.model import ALL_PARAMETERS
from aide_lsp.completion.prompt import PartKind, Prompt, PromptPart
from aide_lsp.engines.remote.flavors.choice import ServerChoice
from aide_lsp.engines.remote.generation import RemoteGeneration
from aide_lsp.engines.remote.link import ServerLink
from aide_lsp.engines.remote.look import look_at_server
from aide_lsp.engines.remote.model import RemoteModel
from aide_lsp.engines.remote.open import open_remote_model
from aide_lsp.errors import EngineChangedError, MemoryShortError, ServerError
from aide_lsp.explain.explanation import as_json, explain
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.ledger.entry import provenance_of
from aide_lsp.settings.fields import Parameters
from tests.completion.test_completer import completer_of, request_at, with_parameters
from tests.engine_stand_in import EngineStandIn
from tests.engines.shared.test_shared_model import EXCERPTS, LONG, MARKED, answer, complete, without_times
from tests.fakes import babbling


@pytest.fixture
def engine():
    with EngineStandIn(completer_of(babbling(3))._model) as found:
        yield found


@pytest.fixture
def model(engine):
    found = open_remote_model(ServerChoice(engine.address))
    yield found
    found.close()


def test_server_is_asked_first_whether_it_is_aide(engine, model):
    assert engine.names() == ["engine"]
    info = model.info
    assert info.host == engine.address.host
    assert (info.engine, info.id) == ("aide serve", "fake")
    assert (info.honored, info.replays, info.explains) == (ALL_PARAMETERS, True, True)
    assert info.vocabulary_size == engine.model.info.vocabulary_size


def test_ledger_holds_what_the_server_says_of_itself(engine):
    engine.model.info = evolve(engine.model.info, recipe="fast", processor="x86_64+fma", runtime="1.2")
    model = open_remote_model(ServerChoice(engine.address))
    found = provenance_of(model.info)
    assert (found.host, found.device, found.recipe) == (engine.address.host, "cpu", "fast")
    assert (found.processor, found.runtime) == ("x86_64+fma", f"Aide {__version__}, ONNX Runtime 1.2")
    model.close()


def test_completions_and_explanations_are_those_of_the_engine(engine, model):
    for marked, seed in product((MARKED, LONG), range(3)):
        request = with_parameters(request_at(marked), temperature=0.8, seed=seed, num_context=300)
        request = evolve(request, excerpts=EXCERPTS)
        here = Completer(completer_of(babbling(3))._model)
        found = evolve(complete(Completer(model), request), cached_tokens=0)
        assert found == evolve(complete(here, request), cached_tokens=0)
        there = without_times(as_json(explain(Completer(model), request, CancelToken())))
        for name in ("host", "device"):
            assert engine.address.host in there.pop(name)
        expected = without_times(as_json(explain(here, request, CancelToken())))
        assert there == {key: value for key, value in expected.items() if key not in ("host", "device")}
    assert len(engine.sessions) == 1


def test_check_measures_the_path(engine):
    report = look_at_server(ServerChoice(engine.address))
    lines = "\n".join(report_lines(report))
    assert report.problem == ""
    assert report.round_trip_ms > 0
    assert report.first_token_ms > 0
    assert "aide serve" in lines
    assert "the same completion each time" in lines
    assert "none of the five parameters" in lines


def test_another_version_of_the_protocol_then_it_says_so():
    with EngineStandIn(completer_of(babbling(3))._model, protocol=2) as engine:
        report = look_at_server(ServerChoice(engine.address))
    assert report.problem_kind == "version"
    assert "Update Aide here" in report.problem


def test_server_is_lost_then_that_is_the_error_and_it_comes_back(engine, model):
    completer = Completer(model)
    expected = complete(completer, request_at(MARKED, seed=1))
    engine.disturb = lambda name, line: b""
    with pytest.raises(ServerError):
        complete(completer, request_at(MARKED, seed=2))
    assert model.failure is not None
    assert not model.is_back()
    engine.disturb = lambda name, line: None
    assert model.is_back()
    completer.clear_cache()
    found = complete(completer, request_at(MARKED, seed=1))
    assert evolve(found, cached_tokens=0) == evolve(expected, cached_tokens=0)
    assert model.failure is None


def test_connection_breaks_once_then_the_text_goes_on(engine, model):
    lost = []

    def lose(name, line):
        if line == 5 and not lost:
            lost.append(line)
            return b""
        return None

    request = with_parameters(request_at(MARKED), temperature=0.9, seed=11)
    expected = complete(Completer(model), request)
    engine.disturb = lose
    found = complete(Completer(model), request)
    assert lost
    assert evolve(found, cached_tokens=0) == evolve(expected, cached_tokens=0)


def test_server_has_another_model_now_then_no_prompt_is_made_for_the_last_one(engine, model):
    completer = Completer(model)
    complete(completer, request_at(MARKED, seed=1))
    engine.disturb = lambda name, line: b""
    with pytest.raises(ServerError):
        complete(completer, request_at(MARKED, seed=2))
    engine.disturb = lambda name, line: None
    engine.model = completer_of(babbling(4), context_length=2048)._model
    assert model.is_back()
    with pytest.raises(EngineChangedError):
        complete(completer, request_at(MARKED, seed=3))
    assert complete(Completer(model), request_at(MARKED, seed=3)).prompt_tokens
    assert model.info.context_length == 2048


def test_server_changes_its_recipe_then_no_text_is_taken_for_one_of_the_last(engine, model):
    complete(Completer(model), request_at(MARKED, seed=1))
    engine.model, engine.machine = completer_of(babbling(4), context_length=2048)._model, "another"
    for _ in range(2):
        with pytest.raises(EngineChangedError):
            complete(Completer(model), request_at(MARKED, seed=3))
    found = complete(Completer(model), request_at(MARKED, seed=3))
    expected = complete(Completer(completer_of(babbling(4))._model), request_at(MARKED, seed=3))
    assert found.text == expected.text
    assert model.info.context_length == 2048


def test_server_comes_up_in_place_of_another_kind_then_that_is_another_engine(engine):
    link = ServerLink(ServerChoice(engine.address))
    prompt = Prompt((PromptPart(PartKind.PREFIX, "a"), PromptPart(PartKind.SUFFIX, "b")))
    options = GenerationOptions(Parameters(0.7, 50, 0.95, seed=1), max_tokens=8)
    with pytest.raises(EngineChangedError):
        list(RemoteGeneration(link, prompt, options, CancelToken()))
    link.connection.close()


def test_all_questions_are_of_one_session_the_first_one_too(engine, model):
    complete(Completer(model), request_at(MARKED))
    assert len(engine.sessions) == 1
    assert None not in engine.sessions


def test_server_wants_a_token_then_it_is_the_api_key(engine):
    refused = answer(b'{"error": {"code": "token", "message": "The token is missing."}}', b"401 Unauthorized")
    engine.disturb = lambda name, line: refused
    model = RemoteModel(ServerChoice(engine.address))
    with pytest.raises(ServerError) as raised:
        model.connect(CancelToken())
    assert raised.value.kind == "key"
    model.close()


def test_server_is_busy_then_the_request_is_declined(engine, model):
    engine.disturb = lambda name, line: (
        answer(b'{"error": {"code": "busy", "message": "Too much.", "wait": 2.0}}', b"429 Too Many Requests")
        if name == "generate"
        else None
    )
    with pytest.raises(Exception, match="Too much") as raised:
        complete(Completer(model), request_at(MARKED))
    assert raised.value.reason == "busy"


def broken(code, status=b"503 Service Unavailable"):
    return answer(b'{"error": {"code": "%b", "message": "The model could not be run."}}' % code, status)


@pytest.mark.parametrize(("code", "times"), [(b"broken", 2), (b"stuck", 1)])
def test_engine_there_is_broken_then_the_server_failed_and_nothing_is_loaded_again_here(
    engine, model, code, times
):
    engine.disturb = lambda name, line: broken(code) if name == "generate" else None
    with pytest.raises(ServerError) as raised:
        complete(Completer(model), request_at(MARKED))
    assert raised.value.kind == "server-failed"
    host = engine.address.host
    assert str(raised.value) == f"{host} failed: The model could not be run. See the server's log."
    assert model.failure is raised.value
    # What one replica could not compute in time does not occupy another.
    assert engine.names().count("generate") == times


def test_engine_there_is_broken_and_replaced_then_the_text_comes(engine, model):
    expected, times = complete(Completer(model), request_at(MARKED, seed=1)), []

    def breaks_once(name, line):
        if name == "generate" and line == -1:
            times.append(line)
            return broken(b"broken") if len(times) == 1 else None
        return None

    engine.disturb = breaks_once
    found = complete(Completer(model), request_at(MARKED, seed=1))
    assert len(times) == 2
    assert evolve(found, cached_tokens=0) == evolve(expected, cached_tokens=0)


def test_memory_is_short_there_then_no_program_is_to_be_closed_here(engine, model):
    engine.disturb = lambda name, line: broken(b"memory") if name == "generate" else None
    with pytest.raises(MemoryShortError) as raised:
        complete(Completer(model), request_at(MARKED))
    assert str(raised.value).startswith(f"{engine.address.host} has not enough memory")
