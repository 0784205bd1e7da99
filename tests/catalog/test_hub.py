"""The Hugging Face Hub, replaced by a local server: ranges, interruptions, refusals, silence."""

import os
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from aide_lsp import __version__
from aide_lsp.catalog import hub
from aide_lsp.catalog.hub import append_from_hub
from aide_lsp.catalog.partial import PartialFile, SourceError, UnreachableError
from tools.generate.pages import REPOSITORY


def ignore(done):
    pass


class Hub(BaseHTTPRequestHandler):
    """Speaks like the Hub; `plan` on the server says how it misbehaves."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self.server.seen.append("HEAD")
        self.answer(body=False)

    def do_GET(self):
        self.server.seen.append(self.headers.get("Range", "GET"))
        self.answer(body=True)

    def answer(self, body):
        plan = self.server.plan
        self.server.headers.append({name.lower(): value for name, value in self.headers.items()})
        data, start, status = plan["data"], 0, plan.get("status", 200)
        if "token" in plan and self.headers.get("Authorization") != f"Bearer {plan['token']}":
            status = plan.get("refusal", 401)
        wanted = self.headers.get("Range")
        if wanted and plan.get("ranges", True) and status < 400:
            start, status = int(wanted.removeprefix("bytes=").rstrip("-")), 206
        if body and "body_status" in plan:
            status = plan["body_status"]
        elsewhere = plan.get("elsewhere") if status < 400 else None
        status = 302 if elsewhere else status
        self.send_response(status)
        if elsewhere:
            self.send_header("Location", elsewhere + self.path)
            self.send_header("X-Linked-Size", str(len(data)))
        self.send_header("Content-Length", str(len(data) - start if status < 300 else 0))
        self.send_header("ETag", f'"{plan["etag"]}"')
        self.send_header("X-Repo-Commit", "0" * 40)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.end_headers()
        if body and status < 300:
            self.wfile.write(data[start : start + plan.get("at_once", len(data))])
            if start + plan.get("at_once", len(data)) < len(data):
                self.close_connection = True


@contextmanager
def serving(tiny_model):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.seen, server.headers = [], []
    server.plan = {"data": tiny_model.data, "etag": tiny_model.card.sha256}
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def hub_server(tiny_model):
    with serving(tiny_model) as server:
        yield server


@pytest.fixture
def logged_in(monkeypatch, tmp_path):
    """The user has a token for the Hub, and a login for every host; returns the token."""
    monkeypatch.setenv("HF_TOKEN", "hf_of_the_user")
    (tmp_path / "netrc").write_text("default login me password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    return "hf_of_the_user"


@pytest.fixture
def partial(tiny_model, tmp_path):
    with PartialFile(tmp_path / "tiny.gguf", tiny_model.card.size, tiny_model.card.sha256) as file:
        yield file


def test_hub_gives_the_file(tiny_model, hub_source, hub_server, partial):
    append_from_hub(hub_source, partial, ignore, hub_server.url)
    assert partial.finish().read_bytes() == tiny_model.data
    assert hub_server.seen == ["HEAD", "GET"]


def test_hub_that_breaks_off_gets_a_request_for_the_rest(
    tiny_model, hub_source, hub_server, partial, monkeypatch
):
    hub_server.plan["at_once"] = 60_000
    append_from_hub(hub_source, partial, ignore, hub_server.url)
    assert partial.finish().read_bytes() == tiny_model.data
    assert hub_server.seen == ["HEAD", "GET", "bytes=60000-", "bytes=120000-"]


def test_hub_is_asked_only_for_what_is_missing(tiny_model, hub_source, hub_server, partial):
    partial.append(tiny_model.data[:1234])
    append_from_hub(hub_source, partial, ignore, hub_server.url)
    assert partial.finish().read_bytes() == tiny_model.data
    assert hub_server.seen == ["HEAD", "bytes=1234-"]


def test_hub_that_knows_no_ranges_starts_from_the_beginning(tiny_model, hub_source, hub_server, partial):
    partial.append(tiny_model.data[:1234])
    hub_server.plan["ranges"] = False
    append_from_hub(hub_source, partial, ignore, hub_server.url)
    assert partial.finish().read_bytes() == tiny_model.data


def test_hub_that_sends_nothing_is_given_up_after_pauses(hub_source, hub_server, partial, monkeypatch):
    pauses = []
    monkeypatch.setattr(hub.time, "sleep", pauses.append)
    hub_server.plan["at_once"] = 0
    with pytest.raises(UnreachableError):
        append_from_hub(hub_source, partial, ignore, hub_server.url)
    assert len(hub_server.seen) == len(pauses) + 2 < 10
    assert pauses == sorted(set(pauses))
    assert pauses[0] > 0


@pytest.mark.parametrize("status", [401, 403, 404, 410, 416])
def test_hub_that_refuses_the_file_itself_is_not_asked_again(hub_source, hub_server, partial, status):
    hub_server.plan["body_status"] = status
    with pytest.raises(SourceError, match=str(status)):
        append_from_hub(hub_source, partial, ignore, hub_server.url)
    assert hub_server.seen == ["HEAD", "GET"]


def test_hub_with_another_file_is_known_before_it_is_fetched(hub_source, hub_server, partial):
    hub_server.plan["etag"] = "b" * 64
    with pytest.raises(SourceError, match="has a file with this name that does not match"):
        append_from_hub(hub_source, partial, ignore, hub_server.url)
    hub_server.plan["etag"] = "short"
    hub_server.plan["data"] += b"more"
    with pytest.raises(SourceError, match="has a file with this name that does not match"):
        append_from_hub(hub_source, partial, ignore, hub_server.url)
    assert set(hub_server.seen) == {"HEAD"}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (404, "does not have the file"),
        (401, "requires a login"),
        (403, "requires a login"),
        (503, "it answered with status 503"),
    ],
)
def test_refusal_of_the_hub_is_reported_in_words(hub_source, hub_server, partial, status, expected):
    hub_server.plan["status"] = status
    with pytest.raises(SourceError, match=expected):
        append_from_hub(hub_source, partial, ignore, hub_server.url)
    assert hub_server.seen == ["HEAD"]


def test_public_file_is_requested_without_the_users_token(
    tiny_model, hub_source, hub_server, partial, logged_in
):
    """What is sent is all that `docs/privacy.md` names."""
    hub_server.plan["at_once"] = 100_000
    append_from_hub(hub_source, partial, ignore, hub_server.url)
    assert hub_server.seen == ["HEAD", "GET", "bytes=100000-"]
    sent = {"host", "accept", "accept-encoding", "connection", "user-agent", "x-amzn-trace-id"}
    page = (REPOSITORY / "docs" / "privacy.md").read_text(encoding="utf-8")
    assert [name for name in (*sent, "range", "aide/VERSION") if f"`{name}`" not in page] == []
    for headers in hub_server.headers:
        assert headers.keys() - {"range"} == sent
        assert headers["user-agent"] == f"aide/{__version__}"
    assert len({headers["x-amzn-trace-id"] for headers in hub_server.headers}) == 3


@pytest.mark.parametrize("refusal", [401, 403])
def test_hub_that_asks_for_a_login_gets_the_users_token(
    tiny_model, hub_source, hub_server, partial, logged_in, refusal
):
    hub_server.plan |= {"token": logged_in, "refusal": refusal, "at_once": 100_000}
    append_from_hub(hub_source, partial, ignore, hub_server.url)
    assert partial.finish().read_bytes() == tiny_model.data
    assert hub_server.seen == ["HEAD", "HEAD", "GET", "bytes=100000-"]
    sent = [headers.get("authorization") for headers in hub_server.headers]
    assert sent == [None, *[f"Bearer {logged_in}"] * 3]


def test_hub_that_refuses_the_users_token_too_says_so(hub_source, hub_server, partial, logged_in):
    hub_server.plan["token"] = "another"
    with pytest.raises(SourceError, match="requires a login with access to the repository"):
        append_from_hub(hub_source, partial, ignore, hub_server.url)
    assert hub_server.seen == ["HEAD", "HEAD"]


def test_token_that_the_user_keeps_to_commands_of_their_own_is_not_sent(
    hub_source, hub_server, partial, logged_in, monkeypatch
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DISABLE_IMPLICIT_TOKEN", True)
    hub_server.plan["token"] = logged_in
    with pytest.raises(SourceError, match="requires a login"):
        append_from_hub(hub_source, partial, ignore, hub_server.url)
    assert [headers.get("authorization") for headers in hub_server.headers] == [None]


def test_token_is_not_sent_to_where_the_hub_redirects(tiny_model, hub_source, hub_server, partial, logged_in):
    with serving(tiny_model) as storage:
        hub_server.plan |= {"token": logged_in, "elsewhere": storage.url}
        append_from_hub(hub_source, partial, ignore, hub_server.url)
    assert partial.finish().read_bytes() == tiny_model.data
    assert storage.seen == ["GET"]
    assert "authorization" not in storage.headers[0]


def test_hub_that_refuses_the_connection_is_reported(hub_source, partial):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(UnreachableError, match="connection refused"):
            append_from_hub(hub_source, partial, ignore, url)


def test_hub_that_does_not_answer_is_not_waited_for(hub_source, partial, monkeypatch):
    """The connection is taken and nothing comes: the limit over all holds."""
    monkeypatch.setattr(hub, "PATIENCE", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(UnreachableError, match="no answer in time"),
    ):
        append_from_hub(hub_source, partial, ignore, f"http://127.0.0.1:{silent.getsockname()[1]}")


def test_hub_that_is_switched_off_is_not_asked(hub_source, hub_server, partial, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(SourceError, match=r"is disabled \(HF_HUB_OFFLINE is set\)"):
        append_from_hub(hub_source, partial, ignore, hub_server.url)
    assert hub_server.seen == []


def test_copy_in_the_hub_cache_is_taken(tiny_model, hub_source, partial, tmp_path, monkeypatch):
    copy = tmp_path / "cached"
    copy.write_bytes(tiny_model.data)
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *args, **kwargs: str(copy))
    append_from_hub(hub_source, partial, ignore)
    assert partial.finish().read_bytes() == tiny_model.data


def test_copy_in_the_hub_cache_that_is_damaged_is_passed_over(
    tiny_model, hub_source, hub_server, partial, tmp_path, monkeypatch
):
    damaged = tmp_path / "cached"
    damaged.write_bytes(tiny_model.data[:-1] + bytes([tiny_model.data[-1] ^ 1]))
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *args, **kwargs: str(damaged))
    append_from_hub(hub_source, partial, ignore, hub_server.url)
    assert partial.finish().read_bytes() == tiny_model.data
    assert hub_server.seen == ["HEAD", "GET"]


@pytest.mark.parametrize("method", ["stat", "open"])
def test_copy_in_the_hub_cache_that_cannot_be_read_is_passed_over(
    tiny_model, hub_source, hub_server, partial, tmp_path, monkeypatch, method
):
    class Locked(type(tmp_path)):
        def refuse(self, *args, **kwargs):
            raise PermissionError(13, "Permission denied")

    setattr(Locked, method, Locked.refuse)
    (tmp_path / "cached").write_bytes(tiny_model.data)
    monkeypatch.setattr(hub, "_cached", lambda source: Locked(tmp_path / "cached"))
    append_from_hub(hub_source, partial, ignore, hub_server.url)
    assert partial.finish().read_bytes() == tiny_model.data
    assert hub_server.seen == ["HEAD", "GET"]


def test_address_that_is_none_is_a_refusal_in_words(tmp_path):
    """The library reads it when it is imported, so a process of its own looks."""
    environment = os.environ | {
        "HF_ENDPOINT": "http://[x",
        "PIP_NO_INDEX": "1",
        "AIDE_DATA_DIR": str(tmp_path),
        "HF_HOME": str(tmp_path),
    }
    command = [sys.executable, "-m", "aide_lsp", "models", "fetch", "smollm2-135m"]
    run = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert run.returncode == 1
    assert "correct HF_ENDPOINT" in run.stderr
    assert "unexpectedly" not in run.stderr
