"""What a broken or hostile client can send: each request is answered once, or the process ends cleanly."""

import json

import pytest

from aide_lsp.invisible import escaped
from tests.lsp.raw_client import RawClient, frame, inline_params
from tests.patience import PATIENCE

PARSE, INVALID_REQUEST, NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602
NOT_INITIALIZED, CANCELLED = -32002, -32800


@pytest.fixture(scope="module")
def client():
    """One server for all that it must survive."""
    with RawClient() as client:
        client.initialize()
        yield client
        assert client.end() == 0


def still_answers(client) -> bool:
    return client.command("aide.status")["version"] != ""


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"\xff\xfe",
        '{"jsonrpc": "2.0"}'.encode("utf-16"),
        b"[" * 100_000,
        b'{"id": ' + b"1" * 5000 + b"}",
    ],
    ids=["half", "empty", "no-utf8", "utf16", "deep", "digits"],
)
def test_body_that_is_no_json_gets_a_parse_error(client, body):
    client.replies.pop(None, None)
    client.send_bytes(frame(body))
    assert client.reply(None)["error"]["code"] == PARSE
    assert still_answers(client)


@pytest.mark.parametrize(
    "message",
    [
        [],
        [{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}],
        3,
        "text",
        None,
        {"jsonrpc": "2.0", "id": None, "method": "shutdown"},
        {"jsonrpc": "2.0", "id": [1], "method": "shutdown"},
        {"jsonrpc": "2.0", "id": True, "method": "shutdown"},
    ],
    ids=str,
)
def test_message_that_is_no_request_gets_an_error_without_id(client, message):
    client.replies.pop(None, None)
    client.send_bytes(frame(message))
    assert client.reply(None)["error"]["code"] == INVALID_REQUEST
    assert still_answers(client)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"jsonrpc": "2.0"}, INVALID_REQUEST),
        ({"jsonrpc": "2.0", "method": 5}, INVALID_REQUEST),
        ({"jsonrpc": "1.0", "method": "shutdown"}, INVALID_REQUEST),
        ({"method": "shutdown"}, INVALID_REQUEST),
        ({"jsonrpc": "2.0", "method": "initialize", "params": {"capabilities": {}}}, INVALID_REQUEST),
        ({"jsonrpc": "2.0", "method": "no/such/method"}, NOT_FOUND),
        ({"jsonrpc": "2.0", "method": "textDocument/rename", "params": {}}, NOT_FOUND),
        ({"jsonrpc": "2.0", "method": "x" * 100_000}, NOT_FOUND),
    ],
    ids=range(8),
)
def test_request_that_cannot_be_handled_gets_its_error(client, message, code):
    client.send_bytes(frame({"id": f"bad {message}"[:200], **message}))
    error = client.reply(f"bad {message}"[:200])["error"]
    assert error["code"] == code
    assert len(error["message"]) < 500


@pytest.mark.parametrize(
    "params",
    [
        None,
        [],
        5,
        {},
        {**inline_params(0, 0), "position": None},
        {**inline_params(0, 0), "position": {"line": -1, "character": 0}},
        {**inline_params(0, 0), "position": {"line": 0.5, "character": 0}},
        {**inline_params(0, 0), "position": {"line": 2**40, "character": 0}},
        {**inline_params(0, 0), "textDocument": {"uri": 5}},
        {**inline_params(0, 0), "context": {"triggerKind": "secret-text"}},
    ],
    ids=range(10),
)
def test_invalid_params_are_answered_with_the_place_but_not_the_value(client, params):
    reply = client.reply(client.request("textDocument/inlineCompletion", params))
    assert reply["error"]["code"] == INVALID_PARAMS
    assert "secret" not in json.dumps(reply)


def test_trigger_kind_of_an_old_client_library_is_accepted(client):
    assert client.reply(client.ask(trigger=0, uri="file:///none"))["result"] == []


def test_invalid_notifications_show_nothing_and_change_nothing(client):
    before = len(client.notifications)
    for method in ("textDocument/didOpen", "textDocument/didClose", "workspace/didChangeWorkspaceFolders"):
        for params in (None, [], {}, {"textDocument": 5}, {"secret": "text"}):
            client.notify(method, params)
    client.notify("$/unknown", {})
    client.notify("no/such/notification", {})
    client.notify("$/cancelRequest", {"id": [1]})
    client.notify("$/cancelRequest", None)
    client.notify("$/progress", {"token": 1, "value": 5})
    client.send_bytes(frame({"jsonrpc": "2.0", "id": 12345, "result": None}))
    client.send_bytes(frame({"jsonrpc": "2.0", "id": "none", "error": 3}))
    assert still_answers(client)
    shown = [message["method"] for message in client.notifications[before:]]
    assert "window/showMessage" not in shown
    assert "secret" not in json.dumps(client.notifications)


def test_change_that_cannot_be_read_ends_completions_until_the_document_is_opened_again(client):
    client.open("x = ")
    assert client.reply(client.ask())["result"]
    client.notify(
        "textDocument/didChange", {"textDocument": {"uri": "file:///a.py"}, "contentChanges": "oops"}
    )
    assert client.reply(client.ask())["result"] == []
    assert client.command("aide.status")["lastRequest"]["reason"] == "unknown-document"
    client.open("x = ")
    assert client.reply(client.ask())["result"]


def test_id_in_use_is_refused_and_the_first_request_still_answered(client):
    client.open("#slow 0.2", "file:///id.py")
    for _ in range(2):
        message = {"jsonrpc": "2.0", "id": "twice", "method": "textDocument/inlineCompletion"}
        client.send_bytes(frame({**message, "params": inline_params(0, 99, "file:///id.py")}))
    client.reply("twice")
    while len(client.replies["twice"]) < 2:
        client.next_message()
    assert client.replies["twice"][0]["error"]["code"] == INVALID_REQUEST
    assert client.replies["twice"][1]["result"]


def test_fault_of_ours_is_answered_without_traceback_path_or_text(client):
    client.open("#crash secret text", "file:///crash.py")
    assert client.reply(client.ask(uri="file:///crash.py"))["result"] == []
    last = client.command("aide.status")["lastRequest"]
    assert last["reason"] == "error"
    assert "RuntimeError" in last["message"]
    said = json.dumps([last, client.notifications])
    assert "Traceback" not in said
    assert "secret" not in said
    assert "/aide_lsp/" not in said


@pytest.mark.parametrize(
    "data",
    [
        b"Content-Length: 10000000000000\r\n\r\n{}",
        b"Content-Length: -5\r\n\r\n{}",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 2\r\n\r\n{}",
    ],
    ids=["huge", "negative", "http"],
)
def test_frame_out_of_step_ends_the_process_with_code_one(data):
    with RawClient() as client:
        client.initialize()
        client.send_bytes(data)
        assert client.process.wait(PATIENCE) == 1


def test_life_of_a_server_refuses_what_comes_at_the_wrong_time():
    with RawClient() as client:
        client.notify("textDocument/didOpen", {"textDocument": {}})
        early = client.request("textDocument/inlineCompletion", inline_params(0, 0))
        assert client.reply(early)["error"]["code"] == NOT_INITIALIZED
        for params in (None, [], {"capabilities": 5}, {"capabilities": {}, "processId": "x"}):
            assert client.reply(client.request("initialize", params))["error"]["code"] == INVALID_PARAMS
        unknown = {"textDocument": {"completion": {"completionItemKind": {"valueSet": [999]}}, "new": 1}}
        assert client.initialize(unknown)["serverInfo"]["name"] == "aide-lsp"
        client.result("shutdown")
        late = client.request("textDocument/inlineCompletion", inline_params(0, 0))
        assert client.reply(late)["error"]["code"] == INVALID_REQUEST
        client.notify("exit")
        assert client.process.wait(PATIENCE) == 0


def test_lower_case_headers_with_bare_line_feeds_are_served():
    with RawClient() as client:
        body = json.dumps({"jsonrpc": "2.0", "id": "lf", "method": "shutdown"}).encode()
        client.send_bytes(b"content-length: %d\n\n" % len(body) + body)
        assert client.reply("lf")["error"]["code"] == NOT_INITIALIZED


def test_messages_and_status_hold_no_escape_sequences_of_a_repository(tmp_path):
    """Names in a repository that reach a log, a message or a status bar show what they are."""
    evil = "a\x1b[31mb\u202ec\u200bd\x9be"
    quoted = json.dumps(evil)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".aide.toml").write_text(f"preset = {quoted}\n{quoted} = 1\noff = [{quoted}]\n")
    uri = (tmp_path / f"{evil}.py").as_uri()
    with RawClient() as client:
        client.initialize()
        client.open("x = 1", uri)
        client.reply(client.ask(uri=uri))
        status = client.command("aide.status", {"uri": uri})
        assert client.end() == 0
    said = [*status["settingsProblems"], client.stderr.decode()]
    said += [one["params"]["message"] for one in client.notifications if "message" in one["params"]]
    assert any("\\u001b[31mb\\u202ec\\u200bd\\u009be" in text for text in said)
    assert [text for text in said if escaped(text) != text] == []
