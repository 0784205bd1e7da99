"""Bodies that no honest client sends: each is refused with a sentence, and the engine goes on."""

import asyncio
import gzip
import json
from threading import Event

import pytest

from aide_lsp.completion.prompt import PartKind, PromptPart
from aide_lsp.serve import bodies
from aide_lsp.serve.answers import RefusedError
from aide_lsp.serve.bodies import DEEPEST, MOST_BYTES, MOST_VALUES, parse
from aide_lsp.serve.own_protocol import COUNTED_AT_ONCE
from aide_lsp.serve.protocols.fim_prompts import Texts, build
from tests.patience import wait_for
from tests.serve.serving import ask, generation, head, is_fine, read_answer, request, running

GENERATE = "/aide/v1/generate"


@pytest.fixture(scope="module")
def server():
    with running() as found:
        yield found


@pytest.fixture(autouse=True)
def still_fine(server):
    yield
    is_fine(server)


def refused(server, body, status=400, **how):
    """Assert that a body is refused with a sentence that repeats nothing of it; return the error's code."""
    answer = ask(server, "POST", GENERATE, body, **how)
    assert answer.status == status, answer.body
    error = answer.json()["error"]
    assert error["message"].endswith(".")
    assert len(answer.body) < 500
    assert "secret" not in error["message"]
    return error["code"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"secret",
        b"null",
        b"[]",
        b'"secret"',
        b"1",
        b"{",
        b'{"prompt": {"parts": [}',
        b"\xff\xfe{\x00}\x00",
        b'{"prompt": "\xff\xfe secret"}',
        b'{"prompt": "\xed\xa0\x80"}',
        b"\xef\xbb\xbf{}",
        b'{"x": NaN}',
        b'{"x": Infinity}',
        b'{"x": -Infinity}',
        b'{"x": "\x00"}',
        b"{'prompt': 1}",
        b"{} {}",
        b"{}]]}",
        b'{"x": ' + b"9" * 5000 + b"}",
        b'{"x": -' + b"9" * 100_000 + b"}",
        b'{"x": 0.' + b"9" * 100_000 + b"}",
        b'{"x": 1e' + b"9" * 100_000 + b"}",
    ],
    ids=lambda body: repr(body[:16]),
)
def test_body_that_is_no_json_object_then_refused(server, body):
    assert refused(server, body) == "invalid"


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'[{"a":'])
def test_body_that_is_nested_too_deeply_then_refused(server, opening):
    for depth in (DEEPEST + 1, 1_000, 100_000):
        assert refused(server, opening * depth) == "invalid"
        closing = b"1" + b"".join(
            {b"["[0]: b"]", b"{"[0]: b"}"}.get(c, b"") for c in reversed(opening * depth)
        )
        assert refused(server, b'{"x":' + opening * depth + closing + b"}") == "invalid"


def test_brackets_in_strings_then_no_depth():
    text = '[[[{{{\\"' * 10_000
    assert parse(json.dumps({"x": text}).encode()) == {"x": text}


def test_body_with_many_values_then_refused(server):
    assert refused(server, b'{"x":[' + b"0," * MOST_VALUES + b"0]}") == "invalid"


def test_body_that_says_it_is_too_large_then_refused_before_it_is_sent(server):
    for length in (str(MOST_BYTES + 1), "9" * 15):
        with server.connect() as connection:
            connection.sendall(head("POST", GENERATE, Content_Length=length))
            assert read_answer(connection).status == 413


def test_body_without_a_length_that_never_ends_then_refused(server):
    piece = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    with server.connect() as connection:
        connection.sendall(head("POST", GENERATE, Transfer_Encoding="chunked"))
        for _ in range(MOST_BYTES // 0x10000 + 1):
            connection.sendall(piece)
        assert read_answer(connection).status == 413


def test_body_that_is_refused_then_the_connection_is_good_for_the_next_request(server):
    with server.connect() as connection:
        connection.sendall(request("POST", GENERATE, b" " * (MOST_BYTES + 1)))
        assert read_answer(connection).status == 413
        connection.sendall(request())
        assert read_answer(connection).status == 200


def test_body_in_chunks_then_read(server):
    body = json.dumps(generation()).encode()
    chunks = b"".join(b"1;x=y\r\n%c\r\n" % byte for byte in body) + b"0\r\nTrailer: x\r\n\r\n"
    with server.connect() as connection:
        connection.sendall(head("POST", GENERATE, Transfer_Encoding="chunked") + chunks)
        assert read_answer(connection).status == 200


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, identity", "x"])
def test_compressed_body_then_refused_unread(server, encoding):
    bomb = gzip.compress(b" " * 10_000_000)
    assert refused(server, bomb, 415, Content_Encoding=encoding) == "encoding"


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": None},
        {"prompt": []},
        {"prompt": {"parts": {}}},
        {"prompt": {"parts": [None]}},
        {"prompt": {"parts": [{"kind": "secret", "text": ""}]}},
        {"prompt": {"parts": [{"kind": ["prefix"], "text": ""}]}},
        {"prompt": {"parts": [{"kind": "prefix", "text": 1}]}},
        {"prompt": {"parts": [{"kind": "prefix", "text": ""}] * 10_001}},
        {"prompt": {"parts": [], "document": "secret" * 1000}},
        {"prompt": {"parts": [], "healed": 7}},
        {"options": None},
        {"options": {}},
        {"traces": 1},
        {"traces": "secret"},
    ],
    ids=repr,
)
def test_part_that_is_none_then_refused(server, change):
    assert refused(server, generation() | change) == "invalid"


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("max_tokens", [-1, 1e9, 10**30, 0.5, "1", None, True, [], float(2**63)]),
        ("candidate", [-1, 2**31 + 1, 1.5, None]),
        ("deadline_ms", [-1, 10**12, None]),
        ("drawn_seed", [1.5, "secret", None, True, 10**4298 * 99]),
        ("min_confidence", [-0.1, 1.1, 10**400, None]),
        ("context_share", [-1, 2]),
        ("show", ["secret", 1, None, []]),
    ],
)
def test_option_out_of_range_then_refused(server, key, values):
    for value in values:
        body = generation()
        body["options"][key] = value
        assert refused(server, body) == "invalid", value


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("temperature", [-1, 1e9, "hot", 10**400, True]),
        ("top_p", [-0.5, 1.5, []]),
        ("top_k", [-1, 10**9, 1.5, {}]),
        ("num_context", [0, -1, 10**9, 10**40]),
        ("seed", [1.5, "seven", True]),
    ],
)
def test_parameter_out_of_range_then_refused(server, key, values):
    for value in values:
        body = generation()
        body["options"]["parameters"][key] = value
        assert refused(server, body) == "invalid", value


@pytest.mark.parametrize(
    "text", ["\ud800", "a\udfffb", "\x00", "\ufeff\u202e", "é" * 999, "<|fim_prefix|>", ""]
)
def test_text_of_any_characters_then_generated(server, text):
    assert ask(server, "POST", GENERATE, generation(text)).status == 200


@pytest.mark.parametrize("texts", [None, "secret", [1], [None], ["a"] * 20_001, {"0": "a"}, [["a"]]])
def test_texts_that_are_none_then_refused(server, texts):
    assert ask(server, "POST", "/aide/v1/tokens", {"texts": texts}).status == 400


@pytest.mark.parametrize("name", ["", "a" * 65, "a b", "../x", "\xe9", "a\tb", "a,b", "*"])
def test_session_that_is_none_then_refused(server, name):
    assert refused(server, generation(), X_Session_Id=name) == "session"


def test_many_sessions_then_the_oldest_ends(server, monkeypatch):
    ended, end = [], server.served.engine.end_session
    monkeypatch.setattr("aide_lsp.engines.engine.MOST_SESSIONS", 5)
    monkeypatch.setattr(server.served.engine, "end_session", lambda name: ended.append(name) or end(name))
    for number in range(8):
        ask(server, "POST", "/aide/v1/tokens", {"texts": []}, X_Session_Id=f"many-{number}")
    assert ended[-3:] == ["many-0", "many-1", "many-2"]


def test_many_large_bodies_at_once_then_some_wait(monkeypatch):
    monkeypatch.setattr(bodies, "MOST_BYTES_AT_ONCE", 100_000)
    with running() as server, server.connect() as first:
        first.sendall(head("POST", GENERATE, Content_Length="90000") + b" " * 80_000)
        wait_for(lambda: server.served.bodies.reading >= 60_000)
        answer = ask(server, "POST", GENERATE, b" " * 50_000)
        assert (answer.status, answer.headers["retry-after"]) == (429, "1")
        first.sendall(b" " * 10_000)
        assert read_answer(first).status == 400
        is_fine(server)


def test_many_texts_wait_to_be_counted_then_other_long_ones_are_refused(monkeypatch):
    monkeypatch.setattr("aide_lsp.serve.served.MOST_AT_ONCE", 2)
    long = "a" * (COUNTED_AT_ONCE + 1)
    gate = Event()
    with running() as server:
        waiting = server.on_loop(
            lambda: [asyncio.ensure_future(server.served.count(gate.wait)) for _ in range(2)]
        )
        server.on_loop(lambda: None)  # they have begun
        try:
            answer = ask(server, "POST", "/aide/v1/tokens", {"texts": [long]})
            assert (answer.status, answer.json()["error"]["code"]) == (429, "busy")
        finally:
            gate.set()
        wait_for(lambda: all(one.done() for one in waiting))
        assert ask(server, "POST", "/aide/v1/tokens", {"texts": [long]}).json() == {"counts": [len(long)]}


def test_many_files_that_do_not_fit_then_each_is_counted_once(server):
    counted = []

    def count(text):
        counted.append(text)
        return len(text)

    files = [PromptPart(PartKind.EXCERPT, f"{number:05}") for number in range(1000)]
    texts = Texts("x = ", "", tuple(files))
    prompt = build(texts, server.served.engine.info, count, 100, cuts=True)
    assert prompt.parts[0] in files
    assert len(counted) < 1100


def test_body_that_does_not_arrive_then_refused(monkeypatch):
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.2)
    with running() as server, server.connect() as slow:
        slow.sendall(head("POST", GENERATE, Content_Length="1000") + b"{")
        assert read_answer(slow).status == 408


def test_refusals_then_what_is_said_is_no_part_of_what_was_sent():
    for body in (b'{"secret":', b'{"secret": NaN}', b"\xffsecret"):
        with pytest.raises(RefusedError) as found:
            parse(body)
        assert "secret" not in str(found.value)
