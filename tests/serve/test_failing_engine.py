"""An engine that fails in a way nobody has thought of: whoever waits is told, and the log says where."""

import asyncio
from itertools import islice
from threading import Thread

import pytest

from aide_lsp.engines.local import LocalGeneration
from aide_lsp.errors import CrashError
from aide_lsp.serve import main
from aide_lsp.serve.listening import listen_tcp
from aide_lsp.serve.served import LOGGER
from tests.patience import PATIENCE
from tests.serve.serving import ask, generation, running

SECRET, TEXT = "a secret text", "def add(a, b):\n    return "


class Panic(BaseException):
    """What a library in Rust raises: no `Exception`."""


def failing(error, count):
    """Return what yields some pieces of a text, and then fails."""
    whole = LocalGeneration.__iter__

    def failing_pieces(self):
        yield from islice(whole(self), count)
        raise error

    return failing_pieces


@pytest.mark.parametrize("error", [ValueError(SECRET), Panic(SECRET)])
@pytest.mark.parametrize("count", [0, 2])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/aide/v1/generate", generation()),
        ("/v1/completions", {"prompt": TEXT, "stream": True}),
        ("/completion", {"prompt": TEXT, "stream": True}),
    ],
)
def test_generation_fails_then_its_client_is_told_and_the_log_says_where(
    monkeypatch, caplog, error, count, path, body
):
    monkeypatch.setattr(LocalGeneration, "__iter__", failing(error, count))
    with running() as server:
        found = ask(server, "POST", path, body)
        assert ask(server, path="/health").status == 200
    assert b'"code":"internal"' in found.body
    assert found.status == (200 if count else 500)
    said = "\n".join(record.getMessage() for record in caplog.records if record.name == LOGGER)
    assert type(error).__name__ in said
    assert "failing_pieces" in said
    assert SECRET not in said + found.body.decode()


def test_library_panics_while_the_engine_is_loaded_then_the_server_ends(monkeypatch):
    monkeypatch.setattr(main.WATCH, "deaf", main.WATCH.deaf)
    place, raised = listen_tcp("127.0.0.1", 0, None), []

    def load():
        raise Panic(SECRET)

    def serve():
        try:
            asyncio.run(main._serve(place, load, lambda engine: None, main.ServeOptions("token")))
        except CrashError as error:
            raised.append(str(error))

    thread = Thread(target=serve, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert raised == ["Internal error (Panic). Please report it, with the log."]
