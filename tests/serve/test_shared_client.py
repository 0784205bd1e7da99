"""The client of a shared engine and `aide serve`: together they complete and explain as one process does."""

import json
import os
import sys
from contextlib import closing
from itertools import product
from threading import Event

import pytest
from attrs import evolve
from click.testing import CliRunner

from aide_lsp.cli.commands import serve as command
from aide_lsp.completion.completer import Completer
from aide_lsp.completion.observer import UNOBSERVED
from aide_lsp.engines.remote.http.connection import Connection
from aide_lsp.engines.shared.client import EngineClient
from aide_lsp.engines.shared.model import SharedModel, new_session
from aide_lsp.errors import BrokenSessionError
from aide_lsp.explain.explanation import as_json, explain
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.serve.listening import listen_socket
from aide_lsp.server_address import ServerAddress
from tests.completion.test_completer import completer_of, request_at, with_parameters
from tests.engines.shared.test_shared_model import LONG, MARKED, complete, without_times
from tests.fakes import FakeSession, babbling
from tests.patience import PATIENCE
from tests.serve.serving import running

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Unix sockets")


@pytest.fixture
def address(tmp_path):
    return ServerAddress("http://localhost", "the shared engine", True, str(tmp_path / "s"))


@pytest.fixture
def connect(address):
    models = []

    def connect():
        client = EngineClient(Connection(address, headers=new_session()))
        models.append(SharedModel(client, client.look(CancelToken()).info))
        return models[-1]

    yield connect
    for model in models:
        model.close()


@pytest.fixture
def server(tmp_path, address):
    with running(listen_socket(tmp_path / "s"), token="", script=babbling(3)) as found:
        yield found


def test_completions_and_explanations_are_those_of_one_process(server, connect):
    model = connect()
    for marked, seed, top_k in product((MARKED, LONG, "x = fo|", "|"), range(2), (5, 200)):
        request = with_parameters(
            request_at(marked, min_confidence=1e-9), temperature=0.8, seed=seed, num_context=300, top_k=top_k
        )
        found, here = complete(Completer(model), request), complete(completer_of(babbling(3)), request)
        assert evolve(found, cached_tokens=0) == evolve(here, cached_tokens=0)
        there = as_json(explain(Completer(model), request, CancelToken()))
        here = as_json(explain(completer_of(babbling(3)), request, CancelToken()))
        assert without_times(there) == without_times(here)
        assert Completer(model).prefill(request, CancelToken()) <= 1


def test_two_clients_complete_in_turns_then_each_gets_its_own(server, connect):
    request = with_parameters(request_at(MARKED), temperature=0.8)
    here = completer_of(babbling(3))._model
    expected = [pieces(here, with_parameters(request, seed=seed)) for seed in range(2)]
    generations = [pieces(connect(), with_parameters(request, seed=seed)) for seed in range(2)]
    for _ in range(30):
        for mine, theirs in zip(generations, expected, strict=True):
            assert next(mine, None) == next(theirs, None)
    for one in generations:
        one.close()


def pieces(model, request):
    """What a model generates."""
    completer = Completer(model)
    request = completer._in_effect(request)
    prompt = completer._prompt(request, UNOBSERVED)
    with closing(model.generate(prompt, request.options, CancelToken())) as generation:
        yield from generation


def test_cancel_at_any_token_then_cancelled_and_the_next_request_is_answered(tmp_path, connect):
    cancel, at, plain = CancelToken(), 0, babbling(3)

    def script(ids):
        nonlocal at
        at -= 1
        if at == 0:
            cancel.cancel()
        return plain(ids)

    request = with_parameters(request_at(MARKED), temperature=0.8, seed=1)
    expected = complete(completer_of(babbling(3)), request)
    with running(listen_socket(tmp_path / "s"), token="", script=script):
        model = connect()
        for number in range(1, 12):
            cancel, at = CancelToken(), number
            try:
                found = complete(Completer(model), request)
            except Cancelled:
                found = expected
            assert evolve(found, cached_tokens=0) == evolve(expected, cached_tokens=0)


def test_session_of_the_engine_breaks_then_the_client_knows_and_the_engine_ends(tmp_path, connect):
    class Breaking(FakeSession):
        def forward(self, *args, **kwargs):
            raise BrokenSessionError("It broke.")

    with running(listen_socket(tmp_path / "s"), token="", session=Breaking(babbling(3))) as server:
        ended = Event()
        server.served.engine.breaks = lambda error: ended.set()
        with pytest.raises(BrokenSessionError, match="It broke"):
            complete(Completer(connect()), request_at(MARKED))
        assert ended.wait(PATIENCE)


def test_client_is_known_until_it_goes(server, connect):
    def clients():
        return server.on_loop(lambda: server.server.connections.clients)

    models = [connect(), connect()]
    assert clients() == 2
    complete(Completer(models[0]), request_at(MARKED))
    for left, model in zip((1, 0), models, strict=True):
        model.close()
        while clients() > left:
            pass
        assert clients() == left


def test_process_says_where_it_listens(tmp_path, monkeypatch):
    monkeypatch.setattr(command, "_agree", lambda settings, yes: None)
    monkeypatch.setattr(command, "_serve", lambda place, *others: place.listener.close())
    found = CliRunner().invoke(command.serve, ["--port", "0", "--announce", str(tmp_path / "where")])
    assert found.exit_code == 0, found.output
    said = json.loads((tmp_path / "where").read_text())
    assert said["process"] == os.getpid()
    assert said["port"] > 1023
