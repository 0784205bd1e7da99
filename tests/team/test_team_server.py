"""The team server with real Ray and the real model: seeds, sessions, access, failures, changes."""

import asyncio
import json
import os
import pickle
import signal
import warnings
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from threading import Thread

import psutil
import pytest

pytest.importorskip("ray", reason="Ray is not installed here; `make test-team` has an environment with it")

with warnings.catch_warnings():
    # Ray's own code is not up to date.
    warnings.simplefilter("ignore")
    import grpc
    from ray.serve.generated import serve_pb2, serve_pb2_grpc

from aide_lsp.engines.remote.flavors.aide_serve import engine_of
from aide_lsp.errors import BusyError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.loading import load_engine
from aide_lsp.lsp.model.model_host import ModelHost
from aide_lsp.lsp.model.server_trouble import ServerTrouble
from aide_lsp.lsp.model.worker import Worker
from aide_lsp.serve.machine import machine_of
from aide_lsp.serve.served import MOST_AT_ONCE
from aide_lsp.settings.fields import Settings
from tests.patience import PATIENCE
from tests.team.team_server import (
    SECONDS,
    SMALL,
    TOKEN,
    generated,
    generation,
    options_of,
    prompt_of,
    running,
    until,
    working,
)

pytestmark = pytest.mark.real_model
TEXTS = [
    "def mean(values):\n    ",
    "class Stack:\n    def push(self, item):\n        ",
    "import json\n\ndef load(path):\n    ",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory, data):
    with running(tmp_path_factory.mktemp("team")) as found:
        yield found


@pytest.fixture(scope="module")
def expected(data):
    """What a plain engine in one process generates."""
    model = load_engine(Settings(threads=1), lambda done, text: None).session("alone")
    return {text: generated(model, text) for text in TEXTS}


@pytest.fixture(scope="module")
def expected_of(data):
    """What a plain engine generates with the small model, by what the answer says: in two recipes."""
    found = {}
    for recipe in ("exact", "fast"):
        engine = load_engine(Settings(model="small", recipe=recipe, threads=1), lambda done, text: None)
        model = engine.session("alone")
        found[machine_of(engine.info)] = {text: generated(model, text) for text in TEXTS}
    assert len({*map(str, found.values())}) == 2, "nothing would show which of them has answered"
    return found


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
                    stub.HandleRequest(
                        serve_pb2.ASGIRequest(pickled_request_metadata=message), timeout=PATIENCE
                    )
                codes.add(caught.value.code())
    assert grpc.StatusCode.UNAUTHENTICATED in codes
    assert not (tmp_path / "done").exists()


def test_whoever_disconnects_ends_the_generation_at_the_replica(server):
    session = "impatient"
    before = server.counted(session, "aide_cancelled_total")
    connection = HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
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
    def ask(name):
        with closing(server.model(name, restarts=0)) as model:
            return generated(model, TEXTS[0])

    until(lambda: len(server.replicas()) == 2)
    old = {one.pid for one in server.replicas()}
    with working(ask) as people:
        people.start("abc")
        server.apply(cache_mb=900)
        until(lambda: len(new := {one.pid for one in server.replicas()}) == 2 and not new & old)
        people.wait_for(1)
    assert not people.failed
    assert set(people.found) == {expected[TEXTS[0]]}


def test_each_model_is_at_its_own_path(server, expected, expected_of):
    texts = {**expected_of, server.ask()[1]["x-aide-machine"]: expected}
    for under, name in (("", "qwen2.5-coder-0.5b"), (SMALL, "small")):
        assert json.loads(server.ask(under=under)[2])["model"]["id"] == name
        headers, lines = server.lines("someone", TEXTS[0], under)
        assert text_in(lines) == texts[headers["x-aide-machine"]][TEXTS[0]]
        model = server.remote(under)
        assert model.info.id == name
        assert generated(model, TEXTS[1]) == texts[headers["x-aide-machine"]][TEXTS[1]]
        model.close()
        assert server.ask(under=under, token=None)[0] == 401


def test_a_replica_that_is_full_says_so_and_editors_wait_for_the_next_key(server, expected_of):
    until(lambda: len(server.replicas("small")) == 1)
    model, busy = server.remote(SMALL), 'aide_refused_total{reason="busy"}'
    body = json.dumps(generation(TEXTS[0], max_tokens=1800, temperature=0.0))
    before = server.counted("", busy, SMALL)
    with ExitStack() as held:
        asked = []

        def is_full():
            one = held.enter_context(closing(HTTPConnection("127.0.0.1", server.port, timeout=SECONDS)))
            headers = {"Authorization": f"Bearer {TOKEN}", "X-Session-Id": f"holds-{len(asked)}"}
            one.request("POST", f"{SMALL}/aide/v1/generate", body, headers)
            asked.append(one)
            return server.counted("", busy, SMALL) > before

        until(is_full)
        assert len(asked) > MOST_AT_ONCE
        status, headers, said = server.ask(
            "POST", "/aide/v1/generate", generation(TEXTS[0]), session="one-more", under=SMALL
        )
        assert (status, json.loads(said)["error"]["code"]) == (429, "busy")
        assert int(headers["retry-after"]) >= 1
        # It does not ask again for the same key.
        before = server.counted("", busy, SMALL)
        with pytest.raises(BusyError):
            generated(model, TEXTS[0])
        assert server.counted("", busy, SMALL) == before + 1
    # Those who held it have gone.
    until(lambda: not server.counted("", "aide_running", SMALL) + server.counted("", "aide_waiting", SMALL))
    machine = engine_of(model.facts).machine
    assert generated(model, TEXTS[0]) == expected_of[machine][TEXTS[0]]
    model.close()


def test_replicas_come_with_the_load_and_go_after_it_and_no_request_fails(server, expected_of):
    (said,) = {server.ask(under=SMALL)[1]["x-aide-machine"]}
    wanted = expected_of[said][TEXTS[0]]
    scaling = {
        "max_replicas": 2,
        "target_ongoing_requests": 8,
        "upscale_delay_s": 0.5,
        "downscale_delay_s": 2,
        "look_back_period_s": 2,
    }
    server.apply(scaling=scaling)

    def ask(name):
        return text_in(server.lines(name, TEXTS[0], SMALL)[1])

    with working(ask) as few, working(ask) as many:
        few.start(f"few-{number}" for number in range(6))
        many.start(f"many-{number}" for number in range(24))
        until(lambda: len(server.replicas("small")) == 2 or few.failed or many.failed)
        few.wait_for(10)
        many.stop()
        # They go on asking, also the replica that is about to go.
        until(lambda: len(server.replicas("small")) == 1 or few.failed)
        few.wait_for(10)
    assert (many.failed, few.failed) == ([], [])
    assert {*many.found, *few.found} == {wanted}


def test_the_model_changes_while_people_type_then_each_text_is_all_of_one_and_says_of_which(
    server, expected_of
):
    server.apply(scaling={"min_replicas": 2, "max_replicas": 2})
    until(lambda: len(server.replicas("small")) == 2)
    machines = list(expected_of)
    choose = {name: TEXTS[number % len(TEXTS)] for number, name in enumerate("abcd")}

    def ask(name):
        headers, lines = server.lines(name, choose[name], SMALL)
        return headers["x-aide-machine"], choose[name], text_in(lines)

    def edit(name):
        """Ask as an editor does, for one key."""
        return editors[name].ask(choose[name])

    with working(ask) as programs, working(edit) as people:
        editors = {name: Editor(server) for name in "abcd"}
        programs.start("ab")
        people.start("abcd")
        people.wait_for(8)
        server.apply(small={"recipe": "fast"}, scaling={"min_replicas": 2, "max_replicas": 2})
        for one in (programs, people):
            until(lambda one=one: one.failed or {found[0] for found in one.found[-8:]} == {machines[1]})
    for editor in editors.values():
        editor.close()
    assert (programs.failed, people.failed) == ([], [])
    for machine, text, said in (*programs.found, *people.found):
        assert said == expected_of[machine][text]
    for one in (programs, people):
        assert {machine for machine, _, _ in one.found} == {*machines}


class Editor:
    """What holds the model in a language server, in a thread of its own."""

    def __init__(self, server):
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = server
        self._host = self._run(self._begin())

    async def _begin(self):
        def ignore(*_):
            """Nothing else is looked at."""

        def reload(settings):
            self._tasks.append(asyncio.ensure_future(host.load(settings, print)))

        def load(settings, progress):
            return self._server.remote(SMALL)

        trouble = ServerTrouble(ignore, ignore, ignore, ignore)
        host = ModelHost(Worker(), load, ignore, trouble, ignore, reload)
        settings = Settings(engine=f"{self._server.url}{SMALL}")
        self._tasks = []
        host.claim(settings)
        await host.load(settings, print)
        return host

    def _run(self, task):
        return asyncio.run_coroutine_threadsafe(task, self._loop).result(SECONDS)

    def ask(self, text):
        """Return which kind of machine has answered, what was asked, and what it said."""

        def job(model):
            said = generated(model, text)
            return engine_of(model.facts).machine, text, said

        return self._run(self._host.run(job, CancelToken(), SECONDS))

    def close(self):
        """End the thread."""
        self._host.completer.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


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
    _, alive = psutil.wait_procs(left, timeout=PATIENCE)
    assert not alive
    said = server.log.read_text()
    assert f"Aide serves with 2 models (/, {SMALL}) at {server.url}\n" in said
    assert TOKEN not in said
    assert "Traceback" not in said
