"""The server on the real model: what it says does not depend on who attacks it meanwhile."""

import json

import pytest
from attrs import evolve

from aide_lsp.loading import load_engine
from aide_lsp.settings.fields import Settings
from tests.patience import wait_for
from tests.serve.serving import ask, generation, head, request, running
from tests.serve.test_hostile_connections import close_at_once

pytestmark = pytest.mark.real_model
GENERATE = "/aide/v1/generate"
CODE = "import os\n\n\ndef size_of(path):\n    return os."
JUNK = [b"", b"\x00" * 100, b"GET", b"{" * 100_000, b'{"prompt": NaN}', b"\xff" * 1000, b"9" * 5000]


@pytest.fixture(scope="module")
def server(real_model_dir):
    engine = load_engine(evolve(Settings(), provider="cpu"), lambda share, sentence: None)
    with running(engine=engine) as found:
        yield found


def lines_of(answer):
    """Return all that a stream says but for the time it took."""
    assert answer.status == 200
    found = answer.lines()
    for line in found:
        line.get("end", line).pop("timings")
    return found


def test_attacks_of_every_kind_meanwhile_then_the_same_bytes(server):
    body = generation(CODE, max_tokens=24)
    before = lines_of(ask(server, "POST", GENERATE, body, X_Session_Id="honest"))
    assert "end" in before[-1]
    data, slow = request("POST", GENERATE, generation("x = " * 200, max_tokens=500), X_Session_Id="rude"), []
    for round_ in range(3):
        for junk in JUNK:
            with server.connect() as connection:
                connection.sendall(head("POST", GENERATE, Content_Length=str(len(junk))) + junk)
        for end in (10, len(data) - 1, len(data)):
            connection = server.connect()
            connection.sendall(data[:end])
            close_at_once(connection)
        silent = server.connect()
        silent.sendall(
            request("POST", GENERATE, generation("y = ", max_tokens=200), X_Session_Id=f"s{round_}")
        )
        slow.append(silent)
        assert lines_of(ask(server, "POST", GENERATE, body, X_Session_Id="honest")) == before
    for connection in slow:
        close_at_once(connection)
    wait_for(lambda: server.served.at_once == 0)
    # Also where nothing is cached.
    assert lines_of(ask(server, "POST", GENERATE, body, X_Session_Id="another")) == before


@pytest.mark.parametrize(
    "text", ["\ud800\udfff", "\x00" * 50, "<|fim_middle|><|endoftext|>", "\U0010ffff" * 100]
)
def test_text_of_any_characters_then_answered(server, text):
    assert "end" in ask(server, "POST", GENERATE, generation(text, max_tokens=3)).lines()[-1]
    counts = ask(server, "POST", "/aide/v1/tokens", {"texts": [text]}).json()["counts"]
    assert counts[0] > 0


def test_prompt_that_is_larger_than_the_model_takes_then_refused_in_words(server):
    answer = ask(server, "POST", GENERATE, generation("x = 1\n" * 40_000))
    error = json.loads(answer.body)["error"]
    assert answer.status >= 400
    assert "tokens" in error["message"]
