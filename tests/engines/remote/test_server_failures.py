"""What fails is said once, in words, without text or key; and nothing a server does can do harm."""

import gzip
import socket
import ssl
import threading

import pytest

from aide_lsp.engines.remote.flavors.choice import ServerChoice
from aide_lsp.engines.remote.http import connection
from aide_lsp.engines.remote.http.connection import Connection
from aide_lsp.engines.remote.http.failures import MOST_WAIT, message_in, quoted, seconds_of
from aide_lsp.engines.remote.link import PAUSE_SECONDS
from aide_lsp.engines.remote.look import look_at_server
from aide_lsp.engines.remote.model import RemoteModel
from aide_lsp.engines.remote.open import open_remote_model
from aide_lsp.errors import ServerError, SettingsError
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.server_address import server_address
from aide_lsp.settings.fields import Parameters
from tests.engines.remote import kinds
from tests.engines.remote.stand_in import send, stand_in, status, stream, until_closed
from tests.engines.remote.test_server_kinds import OPTIONS, generated, prompt_of
from tests.patience import PATIENCE

PATH = "/v1/completions"
KEY = "sk-very-secret-key"
SOURCE = "password = 'hunter2 and more'\n"


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self):
        return self.now


def serving(answer, **others):
    """A server of a known kind that answers each completion in some way."""
    return stand_in(kinds.VLLM | {PATH: answer} | others)


def failure(model, options=OPTIONS):
    with pytest.raises(ServerError) as caught:
        generated(model, prompt_of(SOURCE), options)
    return caught.value


def raw(data, *, close=True):
    """Answer with these bytes."""

    def answer(handler, body):
        handler.wfile.write(data)
        handler.close_connection = close

    return answer


STATUS = {
    "key missing": (status(401, {"error": {"message": "no auth"}}), "key", "requires an API key"),
    "forbidden": (status(403), "key", "requires an API key"),
    "unknown model": (
        status(404, {"message": "The model `x` does not exist."}),
        "unknown-model",
        "does not have the model",
    ),
    "no such path": (status(404, "Not Found"), "unreadable", "no such service"),
    "busy": (status(429, "slow down", Retry_After="30"), "busy", "asks to wait 30 s"),
    "busy for a day": (status(429, "", Retry_After="86400"), "busy", "asks to wait 86,400 s"),
    "loading": (status(503, {"error": {"message": "Loading model"}}), "loading", "still loading"),
    "being loaded": (status(503, {"error": "The model is being loaded."}), "loading", "still loading"),
    "overloaded": (status(503, "The model is overloaded."), "server-failed", "failed (status 503: The model"),
    "not loaded": (status(503, "The model cannot be loaded."), "server-failed", "cannot be loaded"),
    "failed": (status(500, {"error": "out of memory"}), "server-failed", "out of memory"),
    "too long": (
        status(400, {"message": "This model's maximum context length is 10 tokens."}),
        "too-long",
        "Lower num_context",
    ),
    "rejected": (status(400, {"message": "no"}), "rejected", "rejects the request"),
    "redirect": (status(302, "", Location="http://127.0.0.1:1/"), "redirect", "Aide follows none"),
    "a page": (
        lambda handler, body: send(handler, 200, b"<html>\n<p>hello</p>", "text/html"),
        "unreadable",
        "no answer of a server for models",
    ),
    "error in the stream": (
        stream({"error": {"message": "CUDA error"}}),
        "server-failed",
        "failed while it generated: CUDA error",
    ),
    "no end": (stream(*kinds.choice_events("foo")[:-1], done=False), "broken-off", "too early"),
    "cut off": (
        raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\ndata: {"),
        "broken-off",
        "too early",
    ),
    "nothing": (raw(b""), "broken-off", "too early"),
    "no HTTP": (raw(b"SSH-2.0-OpenSSH\r\n"), "broken-off", "too early"),
    "compressed": (
        lambda handler, body: send(
            handler, 200, gzip.compress(bytes(10_000_000)), "text/event-stream", {"Content-Encoding": "gzip"}
        ),
        "unreadable",
        "compressed",
    ),
    "compressed error": (
        lambda handler, body: send(
            handler, 400, gzip.compress(b"hunter2"), "text/plain", {"Content-Encoding": "gzip"}
        ),
        "rejected",
        "rejects the request (status 400).",
    ),
    "no content": (status(204), "unreadable", "answers with status 204"),
    "endless header": (
        raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000),
        "broken-off",
        "too early",
    ),
    "endless line": (
        lambda handler, body: send(handler, 200, b"data: " + b"x" * 2_000_000),
        "unreadable",
        "a stream of data that is none",
    ),
}


@pytest.mark.parametrize("case", STATUS)
def test_what_happened_is_said_without_text_and_key(case):
    answer, kind, words = STATUS[case]
    with serving(answer) as server:
        error = failure(server.model())
        assert (error.kind, error.reason) == (kind, "server")
        assert words in str(error)
        assert server.choice().address.host in str(error)
        assert "hunter2" not in str(error)


def test_a_rejected_key_is_not_repeated_even_if_the_server_does():
    said = {"error": {"message": f"Incorrect API key provided: {KEY}"}}
    with serving(status(401, said)) as server:
        model = server.model(key=KEY)
        error = failure(model)
        assert "rejects the API key" in str(error)
        assert KEY not in f"{error}{error!r}{model.__dict__!r}{server.choice(key=KEY)!r}"
        assert server.requests[-1][2]["Authorization"] == f"Bearer {KEY}"


def test_source_that_a_server_repeats_is_not_quoted():
    with serving(
        lambda handler, body: status(422, {"detail": f"bad: {body['prompt']}"})(handler, body)
    ) as server:
        assert "hunter2" not in str(failure(server.model()))


def test_source_that_a_server_repeats_in_part_is_not_quoted():
    def invalid(handler, body):
        at = body["prompt"].index("password")
        said = f"1 error: input_value={{'prompt': '{body['prompt'][at : at + 24]}...'}}"
        status(422, {"error": {"message": said}})(handler, body)

    with serving(invalid) as server:
        error = str(failure(server.model()))
        assert "hunter2" not in error
        assert "(status 422)" in error


def test_what_a_server_says_is_understood_also_where_it_cannot_be_quoted():
    said = {"message": "The model `x` does not exist."}
    with serving(status(404, said)) as server, pytest.raises(ServerError) as caught:
        generated(server.model(), prompt_of("raise KeyError('does not exist')"))
    assert caught.value.kind == "unknown-model"
    assert "does not exist" not in str(caught.value)


@pytest.mark.parametrize("key", ["a b", "a\nb", "a\r\nX-Other: b", "ключ", "a\x00"])
def test_a_key_that_could_change_a_request_is_refused(key):
    with pytest.raises(SettingsError, match="API key"):
        Connection(server_address("http://127.0.0.1:9"), key)


def test_what_a_server_says_is_one_short_line():
    assert message_in('{"error": {"message": "a\\u001b[31m\\nb"}}') == "a\x1b[31m\nb"
    assert quoted("a\x1b[31m\nb.") == "a [31m b"
    assert len(quoted("x" * 1000)) == 200
    assert message_in("[" * 100_000) == "[" * 100_000
    headers = ("7", " 86400 ", "Fri, 31 Dec 1999 23:59:59 GMT", "\u0663")
    assert [seconds_of(header) for header in headers] == [7, 86400, 0, 0]


def test_after_a_failure_the_next_requests_fail_at_once_for_a_moment():
    with serving(status(500)) as server:
        clock = Clock()
        model = server.model(clock)
        first = failure(model)
        asked = len(server.requests)
        again = failure(model)
        assert (str(again), again.kind, len(server.requests)) == (str(first), first.kind, asked)
        clock.now += PAUSE_SECONDS
        server.answers[PATH] = kinds.no_suffix
        assert generated(model, prompt_of("x"))[0] == "foo(bar)\n"
        assert model.failure is None


def test_a_wish_to_wait_is_granted():
    with serving(status(429, "", Retry_After="30")) as server:
        clock = Clock()
        model = server.model(clock)
        failure(model)
        clock.now += 29
        asked = len(server.requests)
        assert failure(model).wait == 30
        assert len(server.requests) == asked
        clock.now += 1
        failure(model)
        assert len(server.requests) > asked


def test_a_wish_to_wait_for_a_day_is_granted_in_part():
    with serving(status(429, "", Retry_After="86400")) as server:
        assert failure(server.model()).wait == MOST_WAIT


def test_a_server_that_does_not_run_is_no_failure_to_open_and_is_found_when_it_does():
    with stand_in({}) as server:
        port = server.port
    model = open_remote_model(server.choice())
    assert failure(model).kind == "refused"
    with stand_in(kinds.VLLM, port) as server:
        model._link._paused_until = 0.0
        assert generated(model, prompt_of("x"))[0] == "foo(bar)\n"
        assert model.info.engine == "vLLM"
        model.close()


def test_another_kind_of_server_that_comes_back_is_found_out():
    clock = Clock()
    with stand_in(kinds.VLLM) as server:
        port, model = server.port, server.model(clock)
        generated(model, prompt_of("x"))
        assert (model.info.engine, model.info.honored >= {"top_k"}) == ("vLLM", True)
    model = type(model)(server.choice(), clock)
    with stand_in(kinds.OTHER, port):
        clock.now += PAUSE_SECONDS
        assert generated(model, prompt_of("x"))[0] == "foo(bar)\n"
        assert (model.info.engine, "top_k" in model.info.honored) == ("OpenAI-style server", False)
        model.close()


def test_a_server_whose_model_does_not_suit_the_settings_is_back():
    with stand_in(kinds.VLLM) as server:
        model = server.model(format="mellum")
        with pytest.raises(SettingsError):
            model.connect(CancelToken())
        assert model.is_back()


@pytest.mark.parametrize("ending", ["/v1", "/v1/", "/v1/completions", "/v1/chat/completions"])
def test_an_address_may_end_with_a_path_of_the_server(ending):
    with stand_in(kinds.VLLM) as server:
        model = RemoteModel(ServerChoice(server_address(server.url + ending)))
        assert generated(model, prompt_of("x"))[0] == "foo(bar)\n"
        model.close()


def test_the_limit_of_one_request_cannot_end_the_next():
    with stand_in(kinds.VLLM) as server:
        asked, before = Connection(server_address(server.url)), set(threading.enumerate())
        asked.ask("/v1/models", cancel=CancelToken())
        left = set(threading.enumerate()) - before
        assert [one for one in left if isinstance(one, threading.Timer)] == []
        asked.close()


def test_one_connection_serves_many_requests():
    with stand_in(kinds.VLLM) as server:
        model = server.model()
        for _ in range(3):
            generated(model, prompt_of("x"))
        assert server.connections == 1


def test_a_kept_connection_that_the_server_has_closed_is_made_again():
    def closing(handler, body):
        kinds.no_suffix(handler, body)
        handler.close_connection = True

    with serving(closing) as server:
        model = server.model()
        for _ in range(3):
            assert generated(model, prompt_of("x"))[0] == "foo(bar)\n"


def test_what_is_closed_early_closes_the_connection():
    def endless(handler, body):
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(b'data: {"choices": [{"text": "foo"}]}\n\n')
        until_closed(handler, body)

    with serving(endless) as server:
        model = server.model()
        generation = model.generate(prompt_of("x"), OPTIONS, CancelToken())
        assert next(iter(generation)) == "foo"
        generation.close()
        assert server.closed.wait(PATIENCE)
        assert generation.finish_reason == "stop"


@pytest.mark.parametrize("headers", [b"", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_cancel_closes_the_connection_before_the_first_byte(headers):
    reached = threading.Event()

    def waiting(handler, body):
        handler.wfile.write(headers)
        reached.set()
        until_closed(handler, body)

    with serving(waiting) as server:
        model, cancel = server.model(), CancelToken()
        threading.Thread(target=lambda: (reached.wait(PATIENCE), cancel.cancel())).start()
        with pytest.raises(Cancelled):
            generated_with(model, cancel)
        assert server.closed.wait(PATIENCE)
        server.answers[PATH] = kinds.no_suffix
        assert generated(model, prompt_of("x"))[0] == "foo(bar)\n"  # a cancel is no failure


def generated_with(model, cancel):
    return "".join(model.generate(prompt_of("x"), OPTIONS, cancel))


def test_a_deadline_ends_a_slow_answer_without_a_failure():
    options = GenerationOptions(Parameters(), max_tokens=9, deadline_ms=1000)
    with serving(until_closed) as server:
        model = server.model()
        model.connect(CancelToken())
        text, generation = generated(model, prompt_of("x"), options)
        assert (text, generation.finish_reason, model.failure) == ("", "timeout", None)
        assert server.closed.wait(PATIENCE)


def test_no_certificates_are_read_for_this_machine(monkeypatch):
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *_, **__: pytest.fail("read"))
    monkeypatch.setattr(ssl.SSLContext, "load_default_certs", lambda *_, **__: pytest.fail("read"))
    with stand_in(kinds.VLLM) as server:
        assert generated(server.model(), prompt_of("x"))[0] == "foo(bar)\n"


def test_no_proxy_is_used_for_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    with stand_in(kinds.VLLM) as server:
        assert generated(server.model(), prompt_of("x"))[0] == "foo(bar)\n"


@pytest.mark.parametrize("host", ["no-such-host.invalid", "no..name.invalid", f"{'a' * 64}.invalid"])
def test_a_host_without_an_address_is_named(host):
    report = look_at_server(ServerChoice(server_address(f"https://{host}")))
    assert (report.problem_kind, report.name) == ("unknown-host", "")
    assert host in report.problem


@pytest.fixture
def no_lookup(monkeypatch):
    """A resolver that does not answer while a test runs."""
    reached, released = threading.Event(), threading.Event()
    reached.gave_up = threading.Event()

    def look_up(*given, **named):
        reached.set()
        released.wait(PATIENCE)
        reached.gave_up.set()
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield reached
    released.set()


def test_a_name_that_is_never_looked_up_is_not_waited_for(no_lookup, monkeypatch):
    monkeypatch.setattr(connection, "CONNECT_SECONDS", {True: 0.01, False: 0.01})
    report = look_at_server(ServerChoice(server_address("https://models.example.com")))
    assert report.problem_kind == "unreachable"
    assert "could not be looked up" in report.problem


def test_a_cancel_ends_a_lookup(no_lookup, monkeypatch):
    monkeypatch.setattr(connection, "CONNECT_SECONDS", {True: 60.0, False: 60.0})
    cancel, asked = CancelToken(), Connection(server_address("https://models.example.com"))
    threading.Thread(target=lambda: (no_lookup.wait(PATIENCE), cancel.cancel())).start()
    with pytest.raises(Cancelled):
        asked.ask("/v1/models", cancel=cancel, seconds=60)
    assert not no_lookup.gave_up.is_set()


@pytest.mark.parametrize(
    ("variable", "value", "kind", "words"),
    [
        ("HTTPS_PROXY", "gopher://me:s3cret@127.0.0.1:1", "proxy", "expected an address such as http://"),
        ("ALL_PROXY", "http://me:s3cret@127.0.0.1:port", "proxy", "expected an address such as http://"),
        ("SSL_CERT_FILE", "/s3cret/no-such-file.pem", "tls", "SSL_CERT_FILE"),
    ],
)
def test_an_environment_that_cannot_be_used_is_said_without_what_it_holds(
    monkeypatch, variable, value, kind, words
):
    monkeypatch.setenv(variable, value)
    report = look_at_server(ServerChoice(server_address("https://models.example.com")))
    assert (report.problem_kind, words in report.problem) == (kind, True)
    assert "s3cret" not in report.problem


@pytest.mark.parametrize("proxy", ["http://127.0.0.1:1", "http://no-such-proxy.invalid:3128"])
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_does_not_answer_is_not_taken_for_the_server(monkeypatch, proxy, scheme):
    variable = f"{scheme.upper()}_PROXY"
    monkeypatch.setenv(variable, proxy)
    report = look_at_server(ServerChoice(server_address(f"{scheme}://models.example.com")))
    assert report.problem_kind == "proxy"
    named, _, rest = report.problem.removeprefix("Your proxy (").partition(")")
    assert variable in named.split(", ")
    assert rest.startswith(" does not connect to models.example.com.")


@pytest.fixture
def tunnels():
    """The address of a proxy that connects to whatever it is asked for: a server that never says a word."""
    accepted, ended = [], threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def connect():
            connection, _ = listening.accept()
            accepted.append(connection)
            connection.recv(10_000)
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            ended.wait(PATIENCE)

        thread = threading.Thread(target=connect, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        ended.set()
        thread.join(PATIENCE)
        for connection in accepted:
            connection.close()


def test_a_server_that_is_silent_behind_a_proxy_is_not_the_proxys_fault(monkeypatch, tunnels):
    monkeypatch.setitem(connection.CONNECT_SECONDS, False, 0.2)
    monkeypatch.setenv("HTTPS_PROXY", tunnels)
    report = look_at_server(ServerChoice(server_address("https://models.example.com")))
    assert (report.problem_kind, "models.example.com did not answer" in report.problem) == ("timeout", True)


def test_http_on_a_port_for_https_is_said():
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer():
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        address = server_address(f"https://127.0.0.1:{listening.getsockname()[1]}")
        report = look_at_server(ServerChoice(address))
    assert report.problem_kind == "tls"


def test_a_look_says_what_a_server_is_and_how_fast():
    with stand_in(kinds.VLLM) as server:
        report = look_at_server(server.choice())
        assert (report.problem, report.name, report.model, report.ignored) == ("", "vLLM", "coder", ())
        assert report.round_trip_ms > 0
        assert report.first_token_ms > 0
        assert report.text == "foo(bar)\n"


def test_a_look_says_what_is_the_matter():
    with stand_in(kinds.OTHER) as server:
        assert "Unknown format" in look_at_server(server.choice(format="no")).problem
    with serving(status(401)) as server:
        report = look_at_server(server.choice())
        assert (report.name, report.problem_kind) == ("vLLM", "key")
