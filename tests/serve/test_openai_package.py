"""The openai package, as people use it, with `aide serve`."""

import pytest
from openai import APIError, AuthenticationError, BadRequestError, NotFoundError, OpenAI, RateLimitError

from aide_lsp.errors import BusyError
from tests.fakes import FakeSession
from tests.patience import PATIENCE
from tests.serve.serving import TOKEN, running

TEXT = "def add(a, b):\n    return "
ANSWER = "a + b\n"


def client_of(server, key=TOKEN, **how):
    host, port = server.address
    return OpenAI(base_url=f"http://{host}:{port}/v1", api_key=key, timeout=PATIENCE, max_retries=0, **how)


@pytest.fixture(scope="module")
def server():
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def client(server):
    with client_of(server) as found:
        yield found


def test_models(client):
    assert [one.id for one in client.models.list()] == ["fake"]


def test_completion(client):
    found = client.completions.create(
        model="fake", prompt=TEXT, suffix="\n", temperature=0, seed=1, max_tokens=20, extra_body={"top_k": 5}
    )
    assert (found.choices[0].text, found.choices[0].finish_reason) == (ANSWER, "stop")
    assert found.usage is not None
    assert found.usage.total_tokens == found.usage.prompt_tokens + found.usage.completion_tokens
    assert found.system_fingerprint is not None
    assert found.system_fingerprint.startswith("fake/")


def test_stream(client):
    stream = client.completions.create(
        model="fake", prompt=TEXT, temperature=0, stream=True, stream_options={"include_usage": True}
    )
    *found, last = stream
    assert "".join(one.choices[0].text for one in found) == ANSWER
    assert (found[-1].choices[0].finish_reason, last.choices) == ("stop", [])
    assert last.usage.completion_tokens > 0


def test_a_stream_that_is_closed_then_the_model_stops_and_goes_on_with_the_next():
    endless = FakeSession(lambda ids: [float(token == 97) for token in range(263)])
    with running(session=endless) as server, client_of(server) as client:
        stream = client.completions.create(
            model="fake", prompt="a", temperature=0, max_tokens=4000, stream=True
        )
        assert next(iter(stream)).choices[0].text == "a"
        stream.close()
        found = client.completions.create(model="fake", prompt="b", temperature=0, max_tokens=2)
        assert found.choices[0].text == "aa"
        assert len(endless.forwards) < 2000


def test_errors(server, client):
    with pytest.raises(BadRequestError, match="temperature: expected a number") as caught:
        client.completions.create(model="fake", prompt=TEXT, temperature=1.7)
    assert (caught.value.param, caught.value.code) == ("temperature", "invalid")
    with pytest.raises(NotFoundError, match="Use /v1/completions"):
        client.chat.completions.create(model="fake", messages=[{"role": "user", "content": "x"}])
    with client_of(server, "another") as stranger, pytest.raises(AuthenticationError, match="not the one"):
        stranger.completions.create(model="fake", prompt=TEXT)


def test_a_failure_in_the_middle_of_a_stream_then_an_error_and_no_text_that_is_cut():
    def failing(count):
        if count > 20:
            raise RuntimeError("the tests want it")

    session = FakeSession(lambda ids: [float(token == 97) for token in range(263)], on_forward=failing)
    with running(session=session) as server, client_of(server) as client:
        stream = client.completions.create(
            model="fake", prompt="a", temperature=0, max_tokens=400, stream=True
        )
        with pytest.raises(APIError):
            list(stream)


def test_too_much_to_do_then_an_error_that_says_when_to_try_again(monkeypatch):
    def is_full():
        raise BusyError("Too many requests are waiting.", 2.0)

    with running() as server, client_of(server) as client:
        monkeypatch.setattr(server.served.engine, "check", is_full)
        with pytest.raises(RateLimitError, match="Too many requests are waiting") as caught:
            client.completions.create(model="fake", prompt=TEXT)
        assert caught.value.response.headers["retry-after"] == "2"
