"""Aide's own protocol, as its clients see it."""

import pytest

from aide_lsp.cli import checks
from aide_lsp.engines.shared.client import facts_in
from aide_lsp.serve import own_protocol
from tests.patience import PATIENCE
from tests.serve.serving import ANSWER, ask, generation, is_fine, read_answer, request, running, text_of


@pytest.fixture(scope="module")
def server():
    with running() as found:
        yield found


def test_engine_then_says_what_it_is(server):
    answer = ask(server)
    assert answer.status == 200
    found = answer.json()
    assert (found["protocol"], found["model"]["id"]) == (1, "fake")
    assert "folder" not in found["model"]
    assert found["machine"].startswith("fake/-/exact/cpu/")


def test_clients_that_are_connected_then_each_is_counted_once():
    with running() as server, server.connect() as one, server.connect() as again, server.connect() as other:
        for connection, name in ((one, "one"), (again, "one"), (other, "other")):
            connection.sendall(request(X_Session_Id=name))
            found = read_answer(connection).json()
        assert found["clients"] == 2
        assert 0 <= found["age"] < 600


def test_age_and_clients_that_cannot_be_then_they_count_as_unknown(server):
    facts = facts_in(ask(server).json() | {"age": 10**12, "clients": -1}, "host")
    assert (facts.age, facts.clients) == (0, 0)
    assert checks._in_use(facts).endswith("and has no other clients")


def test_engine_that_loads_then_the_answer_waits_until_it_has(server):
    with running(loaded=False) as loading, loading.connect() as connection:
        connection.sendall(request())
        while not loading.on_loop(lambda: loading.server.server_state.tasks):
            pass
        loading.on_loop(lambda: loading.served.ready(server.served.engine))
        assert read_answer(connection).status == 200


def test_engine_that_loads_for_long_then_the_client_is_to_ask_again(monkeypatch):
    monkeypatch.setattr(own_protocol, "LOADING_SECONDS", 0.01)
    with running(loaded=False) as loading:
        answer = ask(loading)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


def test_engine_that_cannot_be_loaded_then_who_waits_for_it_is_told_at_once(monkeypatch):
    monkeypatch.setattr(own_protocol, "LOADING_SECONDS", 600)
    with running(loaded=False) as loading, loading.connect() as connection:
        connection.sendall(request())
        while not loading.on_loop(lambda: loading.server.server_state.tasks):
            pass
        loading.on_loop(loading.served.failed)
        answer = read_answer(connection)
    assert (answer.status, answer.json()["error"]["code"]) == (503, "failed")


def test_generate_then_the_text_in_pieces_and_how_it_ended(server):
    answer = ask(server, "POST", "/aide/v1/generate", generation())
    assert (answer.status, answer.headers["content-type"]) == (200, "application/x-ndjson")
    assert text_of(answer) == ANSWER
    assert answer.lines()[-1]["end"]["finish_reason"] == "stop"


def test_generate_with_traces_then_also_prompt_and_steps(server):
    lines = ask(server, "POST", "/aide/v1/generate", generation(traces=True)).lines()
    assert "rendered" in lines[0]
    assert len([line for line in lines if "step" in line]) == len(ANSWER) + 1


def test_prefill_then_the_generation_after_it_runs_less(server):
    body, session = generation("x = 1\n" * 50 + "return "), {"X_Session_Id": "prefill"}
    assert ask(server, "POST", "/aide/v1/prefill", body, **session).json()["tokens"] > 300
    end = ask(server, "POST", "/aide/v1/generate", body, **session).lines()[-1]["end"]
    assert end["timings"]["cached_tokens"] > 250


@pytest.mark.parametrize("name", ["generate", "prefill"])
def test_prompt_too_long_then_refused_as_the_clients_mistake(server, name):
    answer = ask(server, "POST", f"/aide/v1/{name}", generation("x" * 5_000))
    assert (answer.status, answer.json()["error"]["code"]) == (400, "length")
    assert answer.json()["error"]["message"] == "The prompt has 5000 tokens; the model takes 1 to 4096."


def test_tokens_then_a_count_for_each_text(server):
    assert ask(server, "POST", "/aide/v1/tokens", {"texts": ["abc", "", "é"]}).json() == {"counts": [3, 0, 2]}


def test_tokens_while_the_model_runs_then_answered_at_once():
    with running() as server, server.connect() as busy:
        from tests.serve.serving import head

        server.session.hold = True
        busy.sendall(head("POST", "/aide/v1/generate", Content_Length=str(len(BODY))) + BODY)
        assert server.session.running.wait(PATIENCE)
        assert ask(server, "POST", "/aide/v1/tokens", {"texts": ["abc"]}).json() == {"counts": [3]}
        assert ask(server, path="/health").status == 200


def test_release_and_self_test_then_done(server):
    assert ask(server, "POST", "/aide/v1/release", {}).json() == {}
    assert ask(server, "POST", "/aide/v1/self-test", {}).json() == {"passed": True}
    is_fine(server)


BODY = __import__("json").dumps(generation()).encode()
