"""Connections of no honest client: the engine goes on, and an honest client is answered meanwhile."""

import contextlib
import socket
import struct
from pathlib import Path

import numpy as np
import pytest

from aide_lsp.serve import bodies, connections, generation, http_server
from aide_lsp.serve.listening import listen_tcp, open_tls
from tests.fakes import VOCAB_SIZE, FakeSession, continuing
from tests.patience import PATIENCE, wait_for
from tests.serve.serving import (
    ANSWER,
    ask,
    head,
    is_fine,
    read_answer,
    request,
    running,
    text_of,
    trusting,
)
from tests.serve.serving import generation as body_of

DATA = Path(__file__).parent / "data"
CERTIFICATE, KEY = DATA / "certificate.pem", DATA / "key.pem"
GENERATE = "/aide/v1/generate"
HIDDEN = head(path="/aide/v1/engine", Connection="close")


@pytest.fixture(scope="module")
def server():
    with running() as found:
        yield found


@pytest.fixture
def impatient(monkeypatch):
    """Clients have little time."""
    monkeypatch.setattr(connections, "HEAD_SECONDS", 2.0)
    monkeypatch.setattr(connections, "STALL_SECONDS", 0.5)
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.5)


def all_of(connection):
    """Return what comes until the connection is closed."""
    data = b""
    try:
        while piece := connection.recv(65_536):
            data += piece
    except ConnectionResetError:
        pass
    return data


def close_at_once(connection):
    """Close a connection as a process does that is killed."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def cancelled(server):
    """Return how many generations were canceled."""
    text = server.served.metrics.text(None, 0)
    lines = [line for line in text.splitlines() if line.startswith("aide_cancelled_total ")]
    return int(lines[0].split()[1]) if lines else 0


# -- what is no HTTP


@pytest.mark.parametrize(
    "lines",
    [
        "Content-Length: 0\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 0",
        "Content-Length: 0\r\nContent-Length: 5",
        "Content-Length: 0, 5",
        "Content-Length: +0",
        "Content-Length: -1",
        "Content-Length: 0x0",
        "Content-Length: 0_0",
        "Content-Length: \xb2",
        "Content-Length : 0",
        "Content-Length:",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding : chunked",
        "X: y\r\n Content-Length: 0",
        "X: \x00",
        "X: a\rContent-Length: 0",
        "X\x00: a",
        ": a",
        "no colon",
        "Host: evil.example.com",
    ],
)
def test_head_that_two_servers_could_read_in_two_ways_then_refused_and_nothing_after_it_is_read(
    impatient, lines
):
    with running() as server:
        data = head("POST", GENERATE)[:-2] + lines.encode("latin-1") + b"\r\n\r\n0\r\n\r\n" + HIDDEN
        with server.connect() as connection:
            connection.sendall(data)
            answers = all_of(connection)
        assert b"HTTP/1.1 200" not in answers
        is_fine(server)


@pytest.mark.parametrize(
    "chunks",
    [
        b"FFFFFFFFFFFFFFFFFFFF\r\n",
        b"-1\r\n",
        b"0x5\r\nhello\r\n",
        b"5\nhello\n0\n\n",
        b"5\r\nhello0\r\n\r\n",
        b"5 5\r\nhello\r\n",
        b"\r\n\r\n",
        b"5;" + b"x" * 100_000,
        b"g\r\n",
    ],
    ids=lambda chunks: repr(chunks[:12]),
)
def test_chunks_that_are_none_then_refused_and_nothing_after_them_is_read(impatient, chunks):
    with running() as server, server.connect() as connection:
        connection.sendall(head("POST", GENERATE, Transfer_Encoding="chunked") + chunks + HIDDEN)
        answers = all_of(connection)
        assert b"HTTP/1.1 200" not in answers
        is_fine(server)


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /health\r\n\r\n",
        b"GET /health HTTP/9.9\r\n\r\n",
        b"GET  /health HTTP/1.1\r\n\r\n",
        b"GET /he alth HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x00" * 1_000,
        b"\r\n" * 50_000,
        b"A" * 100_000,
        b"GET /health HTTP/1.1\r\n" + b"X: " + b"a" * 100_000,
        b"GET /health HTTP/1.1\r\n" + b"X: y\r\n" * 50_000,
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n\r\n",
        b'Content-Length: 50\r\n\r\n{"jsonrpc":"2.0","id":1,"method":"initialize"}',
    ],
    ids=lambda data: repr(data[:16]),
)
def test_bytes_that_are_no_request_then_refused_and_the_end(impatient, server, data):
    with server.connect() as connection:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data)
        answer = all_of(connection)
    assert not answer or answer.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 421 "))
    assert b"HTTP/1.1 200 " not in answer
    is_fine(server)


@pytest.mark.parametrize("what", ["websocket", "h2c", "TLS/1.2"])
def test_upgrade_then_answered_as_without(server, what):
    keys = {"Sec_WebSocket_Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec_WebSocket_Version": "13"}
    assert ask(server, token=None, Connection="Upgrade", Upgrade=what, **keys).status == 401
    answer = ask(server, Connection="Upgrade", Upgrade=what, **keys)
    assert (answer.status, answer.json()["protocol"]) == (200, 1)
    is_fine(server)


def test_requests_in_one_go_then_each_is_answered_in_order(server):
    with server.connect() as connection:
        connection.sendall(request("POST", GENERATE, body_of()) + request() + head(path="/nothing"))
        file = connection.makefile("rb")
        found = [read_answer(_Reader(file)).status for _ in range(3)]
    assert found == [200, 200, 404]


class _Reader:
    """A connection whose bytes are read through one buffer."""

    def __init__(self, file):
        self._file = file

    def makefile(self, mode):
        return self._file


# -- slow ones


def test_head_that_never_ends_then_the_connection_is_closed(impatient):
    with running() as server, server.connect() as silent, server.connect() as slow, server.connect() as known:
        known.sendall(request())
        assert read_answer(known).status == 200
        known.sendall(b"GET ")
        slow.settimeout(0.05)
        for _ in range(1_000):
            try:
                slow.sendall(b"X")
                if slow.recv(1) == b"":
                    break
            except TimeoutError:
                continue
            except (BrokenPipeError, ConnectionResetError):
                break
        else:
            pytest.fail("each byte gave it more time")
        assert all_of(silent) == b""
        assert all_of(known) == b""
        is_fine(server)


def test_client_that_may_ask_then_it_stays_connected_and_a_stranger_does_not(impatient):
    with running() as server, server.connect() as client, server.connect() as stranger:
        client.sendall(request())
        stranger.sendall(head(path="/health", token=None))
        assert read_answer(client).status == read_answer(stranger).status == 200
        assert all_of(stranger) == b""
        client.sendall(request())
        assert read_answer(client).status == 200


def test_stranger_who_sends_an_endless_body_then_closed(impatient):
    with running() as server, server.connect() as stranger:
        stranger.sendall(head("POST", GENERATE, token=None, Transfer_Encoding="chunked"))
        try:
            while True:
                stranger.sendall(b"400\r\n" + b"x" * 0x400 + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        is_fine(server)


SHORT = continuing({"b) + ": ANSWER})


def talkative(ids):
    """A script that says x without end, but for one text."""
    if b"(b) + " in bytes(one if one < 256 else 0 for one in ids):
        return SHORT(ids)
    logits = np.zeros(VOCAB_SIZE, dtype=np.float32)
    logits[ord("x")] = 20.0
    return logits


def slow_reader(server, name="slow"):
    """Return a client that asks for a long text and reads nothing of it."""
    connection = server.connect()
    connection.sendall(request("POST", GENERATE, body_of(max_tokens=3000), X_Session_Id=name))
    return connection


@pytest.fixture
def small_buffers():
    """Where to listen so that the system keeps little for clients that do not read."""

    def listen(tls=None):
        place = listen_tcp("127.0.0.1", 0, tls)
        place.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        place.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        return place

    return listen


@pytest.fixture
def narrow(small_buffers):
    """A server that says much."""
    with running(small_buffers(), session=FakeSession(talkative)) as found:
        yield found


def test_reader_that_reads_nothing_then_the_model_is_free_and_it_is_dropped(impatient, narrow):
    readers = [slow_reader(narrow, name) for name in "abc"]
    assert text_of(ask(narrow, "POST", GENERATE, body_of("a(b) + "))) == ANSWER
    wait_for(lambda: len(narrow.server.connections) == 0)
    for reader in readers:
        answer = all_of(reader)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert not answer.endswith(b"0\r\n\r\n"), "it was sent all of it"
        reader.close()
    assert text_of(ask(narrow, "POST", GENERATE, body_of("a(b) + "))) == ANSWER


def test_reader_over_tls_then_all_of_it_or_dropped(small_buffers, monkeypatch):
    client = trusting(CERTIFICATE)
    with running(small_buffers(open_tls(CERTIFICATE, KEY)), session=FakeSession(talkative)) as server:
        with server.connect(client) as reader:
            reader.sendall(request("POST", GENERATE, body_of(max_tokens=3000), X_Session_Id="reads"))
            assert text_of(read_answer(reader)) == "x" * 3000
        monkeypatch.setattr(connections, "STALL_SECONDS", 0.5)
        with server.connect(client) as silent:
            silent.sendall(request("POST", GENERATE, body_of(max_tokens=3000), X_Session_Id="silent"))
            wait_for(lambda: len(server.server.connections) == 1)
            wait_for(lambda: len(server.server.connections) == 0)
        assert text_of(ask(server, "POST", GENERATE, body_of("a(b) + "), tls=client)) == ANSWER


def test_reader_that_reads_nothing_then_only_so_much_is_kept_for_it(monkeypatch, narrow):
    monkeypatch.setattr(generation, "MOST_PENDING", 20_000)
    with slow_reader(narrow):
        wait_for(lambda: cancelled(narrow) == 1)


def test_reader_that_reads_slowly_then_it_gets_all_of_it(narrow):
    with slow_reader(narrow) as reader:
        file = reader.makefile("rb", 64)
        assert text_of(read_answer(_Reader(file))) == "x" * 3000


# -- sudden ends


def test_connection_that_breaks_off_anywhere_in_a_request_then_nothing_happens(server):
    data = request("POST", GENERATE, body_of())
    for end in [*range(0, len(data), 23), len(data)]:
        connection = server.connect()
        connection.sendall(data[:end])
        close_at_once(connection)
    is_fine(server)
    wait_for(lambda: server.server.connections.clients == 0)


def test_connection_that_breaks_off_anywhere_in_an_answer_then_the_generation_ends():
    with running(script=talkative) as server:
        for count in (1, 100, 1_000, 5_000):
            connection = server.connect()
            connection.sendall(request("POST", GENERATE, body_of(max_tokens=3000)))
            connection.recv(count)
            close_at_once(connection)
        wait_for(lambda: not server.server.connections.clients)
        wait_for(lambda: server.served.at_once == 0)
        assert ask(server, "POST", "/aide/v1/tokens", {"texts": ["a"]}).status == 200


@pytest.mark.parametrize("path", [GENERATE, "/aide/v1/prefill"])
def test_client_that_goes_while_the_model_runs_then_canceled(path):
    with running() as server:
        server.session.hold = True
        connection = server.connect()
        connection.sendall(request("POST", path, body_of()))
        assert server.session.running.wait(PATIENCE)
        close_at_once(connection)
        # Otherwise the held forward would fail the test: nothing else ends it.
        wait_for(lambda: cancelled(server) == 1)
        server.session.hold = False
        wait_for(lambda: server.served.at_once == 0)
        is_fine(server)


def test_client_that_goes_while_it_waits_then_its_text_is_never_read():
    with running() as server:
        server.session.hold = True
        first, second = server.connect(), server.connect()
        first.sendall(request("POST", GENERATE, body_of("first return "), X_Session_Id="a"))
        assert server.session.running.wait(PATIENCE)
        second.sendall(request("POST", GENERATE, body_of("second return "), X_Session_Id="b"))
        wait_for(lambda: server.served.at_once == 2)
        close_at_once(second)
        wait_for(lambda: len(server.server.connections) == 1)
        close_at_once(first)
        wait_for(lambda: cancelled(server) == 2)
        server.session.hold = False
        is_fine(server)
        assert not [
            ids for ids, _, _ in server.session.forwards if bytes(i for i in ids if i < 256)[:6] == b"second"
        ]


# -- many


def test_thousand_silent_connections_then_clients_are_answered_and_stay():
    with running() as server, server.connect() as client:
        client.sendall(request())
        assert read_answer(client).status == 200
        strangers = [server.connect() for _ in range(http_server.MOST_CONNECTIONS + 50)]
        try:
            is_fine(server)
            assert len(server.server.connections) <= http_server.MOST_CONNECTIONS
            client.sendall(request())
            assert read_answer(client).status == 200
        finally:
            for stranger in strangers:
                stranger.close()
        is_fine(server)


def test_thousand_requests_at_once_then_each_is_answered_or_told_to_wait():
    with running() as server:
        connections_ = [server.connect() for _ in range(500)]
        for number, connection in enumerate(connections_):
            connection.sendall(request("POST", GENERATE, body_of(), X_Session_Id=f"s{number}"))
        answers = [read_answer(connection) for connection in connections_]
        for connection in connections_:
            connection.close()
        assert {answer.status for answer in answers} <= {200, 429}
        assert all(text_of(answer) == ANSWER for answer in answers if answer.status == 200)
        assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status == 429)
        assert any(answer.status == 200 for answer in answers)
        is_fine(server)


def test_more_connections_than_fit_then_the_oldest_idle_one_goes(monkeypatch):
    monkeypatch.setattr(http_server, "MOST_CONNECTIONS", 3)
    with running() as server:
        server.session.hold = True
        busy = server.connect()
        busy.sendall(request("POST", GENERATE, body_of()))
        assert server.session.running.wait(PATIENCE)
        older, newer = server.connect(), server.connect()
        for one in (older, newer):
            one.sendall(request())
            assert read_answer(one).status == 200
        with server.connect() as last:
            last.sendall(request())
            assert read_answer(last).status == 200
            assert all_of(older) == b""
            newer.sendall(request())
            assert read_answer(newer).status == 200
        for one in (busy, older, newer):
            one.close()
