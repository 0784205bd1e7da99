"""The team server with real Ray and the real model: seeds, sessions, access, failures, changes."""

import json
import os
import pickle
import signal
import warnings
from contextlib import closing
from http.client import HTTPConnection
from threading import Event, Thread

import psutil
import pytest

pytest.importorskip("ray", reason="Ray is not installed here; `make test-team` has an environment with it")

with warnings.catch_warnings():
    # Ray's own code is not up to date.
    warnings.simplefilter("ignore")
    import grpc
    from ray.serve.generated import serve_pb2, serve_pb2_grpc

from aide_lsp.inference.cancel import CancelToken
from aide_lsp.loading import load_engine
from aide_lsp.settings.fields import Settings
from tests.team.team_server import TOKEN, generation, options_of, prompt_of, running, until, write_config

pytestmark = pytest.mark.real_model
TEXTS = [
    "def mean(values):\n    ",
    "class Stack:\n    def push(self, item):\n        ",
    "import json\n\ndef load(path):\n    ",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with running(tmp_path_factory.mktemp("team")) as found:
        yield found


@pytest.fixture(scope="module")
def expected():
    """What a plain engine in one process generates."""
    model = load_engine(Settings(threads=1), lambda done, text: None).session("alone")
    return {text: generated(model, text) for text in TEXTS}


def generated(model, text):
    with closing(model.generate(prompt_of(text), options_of(), CancelToken())) as generation:
        return "".join(generation)


def text_in(lines):
    return "".join(line.get("text", "") for line in lines)


def test_two_replicas_give_the_bytes_of_a_plain_engine_and_name_their_kind(server, expected):
    sessions, kinds = server.two_sessions(), set()
    for text in TEXTS:
        answers = [server.lines(session, text) for session in sessions]
        assert [text_in(lines) for _, lines in answers] == [expected[text]] * 2
        kinds |= {headers["x-aide-machine"] for headers, _ in answers}
    assert kinds == {json.loads(server.ask()[2])["machine"]}


def test_requests_of_a_session_stay_at_one_replica(server):
    first, second = server.two_sessions()
    before = server.counted(first), server.counted(second)
    for _ in range(5):
        server.lines(first, "x = ", max_tokens=1)
    assert server.counted(first) == before[0] + 5
    assert server.counted(second) == before[1]


def test_behind_the_proxy_of_ray_only_those_with_the_token_may_ask(server):
    asked = [
        server.ask(token=None),
        server.ask(token="another-token-that-is-wrong"),
        server.ask("POST", "/aide/v1/generate", generation("x"), token=None),
        server.ask(path="/v1/models", token=None),
        server.ask(path="/metrics", token=None),
        server.ask(Host="rebound.example"),
        server.ask(Origin="http://page.example"),
    ]
    assert [status for status, _, _ in asked] == [401, 401, 401, 401, 401, 421, 403]
    assert all("error" in json.loads(body) for _, _, body in asked)
    assert server.ask(path="/health", token=None)[::2] == (200, b'{"status":"ready"}')
    assert server.ask(path="/nothing")[0] == 404


def test_nothing_listens_for_other_machines(server):
    found = [
        place.laddr
        for process in server.processes()
        for place in process.net_connections("inet")
        if place.status == psutil.CONN_LISTEN
    ]
    assert len(found) > 5
    assert {place.ip.removeprefix("::ffff:") for place in found} == {"127.0.0.1"}


class Harmful:
    """Creates a file when it is unpickled."""

    def __init__(self, file):
        self._file = file

    def __reduce__(self):
        return os.mkdir, (str(self._file),)


def test_messages_to_replicas_without_the_token_of_this_run_are_not_even_read(server, tmp_path):
    codes = set()
    for replica in server.replicas():
        for place in replica.net_connections("inet"):
            if place.status != psutil.CONN_LISTEN:
                continue
            with grpc.insecure_channel(f"127.0.0.1:{place.laddr.port}") as channel:
                stub = serve_pb2_grpc.ASGIServiceStub(channel)
                message = pickle.dumps(Harmful(tmp_path / "done"))
                with pytest.raises(grpc.RpcError) as caught:
                    stub.HandleRequest(serve_pb2.ASGIRequest(pickled_request_metadata=message), timeout=20)
                codes.add(caught.value.code())
    assert grpc.StatusCode.UNAUTHENTICATED in codes
    assert not (tmp_path / "done").exists()


def test_whoever_disconnects_ends_the_generation_at_the_replica(server):
    session = "impatient"
    before = server.counted(session, "aide_cancelled_total")
    connection = HTTPConnection("127.0.0.1", server.port, timeout=60)
    body = json.dumps(generation("# A long story:\n", max_tokens=4000))
    connection.request(
        "POST", "/aide/v1/generate", body, {"Authorization": f"Bearer {TOKEN}", "X-Session-Id": session}
    )
    assert connection.getresponse().readline()
    connection.close()
    until(lambda: server.counted(session, "aide_cancelled_total") > before)


def test_what_is_streamed_when_a_replica_dies_comes_from_the_other_one_not_twice(server, expected):
    sessions = server.two_sessions()
    models = [server.model(session) for session in sessions]
    generations = [model.generate(prompt_of(TEXTS[1]), options_of(), CancelToken()) for model in models]
    with closing(generations[0]), closing(generations[1]):
        streams = [iter(generation) for generation in generations]
        said = [next(stream) for stream in streams]
        dead = server.replicas()[0]
        dead.send_signal(signal.SIGKILL)
        said = [first + "".join(stream) for first, stream in zip(said, streams, strict=True)]
    for model in models:
        model.close()
    assert said == [expected[TEXTS[1]]] * 2
    until(lambda: len(server.replicas()) == 2 and dead.pid not in {one.pid for one in server.replicas()})
    for text in TEXTS:
        assert text_in(server.lines(sessions[0], text)[1]) == expected[text]


def test_a_changed_file_replaces_replicas_one_by_one_and_no_request_fails(server, expected):
    stop, found, failed = Event(), [], []

    def work(name):
        try:
            while not stop.is_set():
                model = server.model(name, restarts=0)
                found.append(generated(model, TEXTS[0]))
                model.close()
        except Exception as error:
            failed.append(repr(error))

    threads = [Thread(target=work, args=(f"worker-{number}",)) for number in range(3)]
    until(lambda: len(server.replicas()) == 2)
    old = {one.pid for one in server.replicas()}
    for thread in threads:
        thread.start()
    try:
        write_config(server.file, server.port, token_file=str(server.file.with_name("token")), cache_mb=900)
        server.process.send_signal(signal.SIGHUP)
        until(lambda: len(new := {one.pid for one in server.replicas()}) == 2 and not new & old)
        settled = len(found)
        until(lambda: failed or len(found) > settled + 3)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failed
    assert set(found) == {expected[TEXTS[0]]}


def test_a_file_that_is_not_valid_changes_nothing(server):
    before = {one.pid for one in server.replicas()}
    server.file.write_text("applications: none\n", encoding="utf-8")
    server.process.send_signal(signal.SIGHUP)
    until(lambda: "Everything stays as it was." in server.log.read_text())
    assert server.ask()[0] == 200
    assert {one.pid for one in server.replicas()} == before


def test_it_says_little_and_leaves_nothing_behind(tmp_path_factory, server):
    """Last: it ends the server."""
    left = server.processes()
    server.process.send_signal(signal.SIGINT)
    assert server.process.wait(120) == 0
    _, alive = psutil.wait_procs(left, timeout=30)
    assert not alive
    said = server.log.read_text()
    assert f"Aide serves with one model at {server.url}\n" in said
    assert TOKEN not in said
    assert "Traceback" not in said
