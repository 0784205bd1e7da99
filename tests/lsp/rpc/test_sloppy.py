"""What sloppy clients send: accepted where the meaning is plain, else the log says why. No silent loss."""

import itertools
import json

import pytest

from tests.lsp.raw_client import RawClient, frame, inline_params

INVALID_PARAMS = -32602
_numbers = itertools.count()


@pytest.fixture(scope="module")
def client():
    with RawClient() as client:
        client.initialize()
        yield client
        assert client.end() == 0


def shown(client, uri: str) -> str | None:
    """The length of a document's text, as the fake model's answer reports it."""
    items = client.reply(client.ask(line=1000, uri=uri))["result"]
    return items[0]["insertText"] if items else None


def of_length(count: int) -> str:
    return f"pass  # {count}"


def fresh() -> str:
    return f"file:///sloppy/{next(_numbers)}.py"


def logged(client) -> str:
    """What the server logged so far: log lines come one turn of the event loop after their cause."""
    client.command("aide.status")
    client.command("aide.status")
    logs = [one["params"]["message"] for one in client.notifications if one["method"] == "window/logMessage"]
    return "\n".join(logs)


@pytest.mark.parametrize(
    "item",
    [
        {"languageId": "python", "version": 1},
        {"languageId": "python"},
        {"version": 1},
        {},
        {"languageId": None, "version": None},
        {"languageId": 5, "version": "2"},
        {"languageId": "", "version": 3.0},
        {"languageId": "python", "version": 1.5},
        {"languageId": "python", "version": "v2"},
        {"languageId": "python", "version": -7},
        {"languageId": "python", "version": 10**15},
        {"languageId": "python", "version": {}},
        {"languageId": "python", "version": True, "somethingNew": [1]},
    ],
    ids=str,
)
def test_document_is_opened_whatever_language_and_version_say(client, item):
    uri = fresh()
    client.notify("textDocument/didOpen", {"textDocument": {"uri": uri, "text": "abc", **item}})
    assert shown(client, uri) == of_length(3)


@pytest.mark.parametrize("version", [2, 2.0, "2", None, "absent", 1.5, "v", [], -1, 2**40, False], ids=str)
@pytest.mark.parametrize("change", ["whole", "part"])
def test_change_is_taken_whatever_its_version_says(client, version, change):
    uri = fresh()
    client.open("abc", uri)
    document = {"uri": uri} if version == "absent" else {"uri": uri, "version": version}
    place = {"line": 0, "character": 3}
    event = (
        {"text": "abcde"} if change == "whole" else {"range": {"start": place, "end": place}, "text": "de"}
    )
    client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [event]})
    assert shown(client, uri) == of_length(5)


def at(line, character) -> dict:
    return {"line": line, "character": character}


@pytest.mark.parametrize(
    ("changes", "length"),
    [
        ([{"range": None, "text": "abcde"}], 5),
        ([{"range": None, "rangeLength": None, "text": "abcde"}], 5),
        ({"text": "abcde"}, 5),
        ([{"range": {"start": at(0.0, 0.0), "end": at(0.0, 3.0)}, "rangeLength": 3.0, "text": "x"}], 1),
        ([{"range": {"start": at(0, 0), "end": at(0, 3)}, "rangeLength": -1, "text": "x"}], 1),
        ([{"range": {"start": at(0, 0), "end": at(0, 3)}, "rangeLength": "many", "text": "x"}], 1),
        ([{"range": {"start": at(0, 0), "end": at(2**32 - 1, 2**32 - 1)}, "text": "x"}], 1),
        ([{"range": {"start": at(0, 0), "end": at(1e300, 0)}, "text": "x"}], 1),
        ([{"range": {"start": at(0, 3), "end": at(0, 0)}, "text": "x"}], 1),
        ([{"range": {"start": at(9, 9), "end": at(99, 0)}, "text": "x"}], 4),
        ([], 3),
        ([{"text": "a"}, {"range": {"start": at(0, 1), "end": at(0, 1)}, "text": "bc"}], 3),
    ],
    ids=str,
)
def test_change_is_taken_where_its_meaning_is_plain(client, changes, length):
    uri = fresh()
    client.open("abc", uri)
    client.notify(
        "textDocument/didChange", {"textDocument": {"uri": uri, "version": 2}, "contentChanges": changes}
    )
    assert shown(client, uri) == of_length(length)


@pytest.mark.parametrize(
    "changes",
    [
        None,
        5,
        [None],
        [{}],
        [{"text": None}],
        [{"text": 5}],
        [{"range": 5, "text": "x"}],
        [{"range": {}, "text": "x"}],
        [{"range": [], "text": "x"}],
        [{"range": {"start": at(0, 0)}, "text": "x"}],
        [{"range": {"start": at(-1, 0), "end": at(0, 0)}, "text": "x"}],
        [{"range": {"start": at(0.5, 0), "end": at(1, 0)}, "text": "x"}],
        [{"range": {"start": at(True, 0), "end": at(1, 0)}, "text": "x"}],
        [{"range": {"start": at(float("nan"), 0), "end": at(1, 0)}, "text": "x"}],
        [{"range": {"start": at(0, 0), "end": at(float("inf"), 0)}, "text": "x"}],
        [{"text": "abcd"}, {"text": 5}],
    ],
    ids=str,
)
def test_change_without_a_meaning_is_logged_and_the_text_not_guessed(client, changes):
    uri = fresh()
    client.open("abc", uri)
    before = logged(client).count("textDocument/didChange was ignored")
    client.notify(
        "textDocument/didChange", {"textDocument": {"uri": uri, "version": 2}, "contentChanges": changes}
    )
    assert shown(client, uri) is None
    assert client.command("aide.status")["lastRequest"]["reason"] == "unknown-document"
    assert logged(client).count("textDocument/didChange was ignored") == before + 1
    client.open("abcd", uri)
    assert shown(client, uri) == of_length(4)


@pytest.mark.parametrize(
    "item",
    [{"uri": "file:///sloppy/none.py"}, {"uri": "file:///sloppy/none.py", "text": None}, {"text": "x"}, 5],
)
def test_opening_without_a_text_or_a_uri_is_logged(client, item):
    before = logged(client).count("textDocument/didOpen was ignored")
    client.notify("textDocument/didOpen", {"textDocument": item})
    assert logged(client).count("textDocument/didOpen was ignored") == before + 1
    assert shown(client, "file:///sloppy/none.py") is None


def test_changes_of_a_document_that_is_not_open_are_logged_once(client):
    uri, before = fresh(), logged(client).count("not open")
    for number in range(3):
        document = {"uri": uri, "version": number}
        client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": "x"}]})
    assert logged(client).count("not open") == before + 1


@pytest.mark.parametrize("method", ["textDocument/inlineCompletion", "textDocument/completion"])
@pytest.mark.parametrize(
    "context",
    ["absent", None, {}, [], {"triggerKind": 0}, {"triggerKind": 1.0}, {"triggerKind": None}],
    ids=str,
)
def test_request_is_answered_whatever_its_context_says(client, method, context):
    uri = fresh()
    client.open("abc", uri)
    params = {**inline_params(0.0, 3.0, uri), "context": context}
    if context == "absent":
        del params["context"]
    assert client.reply(client.request(method, params))["result"]


@pytest.mark.parametrize(
    "folder", ["a" * 300, "/".join(["a"] * 3000), "loop/x"], ids=["name", "path", "loop"]
)
def test_document_in_a_folder_that_the_system_refuses_is_served(client, tmp_path, folder):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    before = len(client.notifications)
    uri = f"{tmp_path.as_uri()}/{folder}/a.py"
    client.open("abc", uri)
    assert shown(client, uri) == of_length(3)
    client.notify("textDocument/didChange", {"textDocument": {"uri": uri}, "contentChanges": [{"text": "x"}]})
    assert shown(client, uri) == of_length(1)
    messages = [one for one in client.notifications[before:] if one["method"] == "window/showMessage"]
    assert messages == []


def test_document_is_served_where_the_system_denies_looking_for_settings(tmp_path, monkeypatch):
    """Tests may run as root, whom nothing is denied: so the refusal is made."""
    from pathlib import Path

    from aide_lsp.lsp.workspace.client_settings import Configuration
    from aide_lsp.settings.reader import SettingsReader

    def denied(path, **_):
        raise PermissionError(13, "Permission denied")

    configuration = Configuration(SettingsReader(tmp_path / "none.toml"))
    monkeypatch.setattr(Path, "stat", denied)
    assert configuration.resolve((tmp_path / "a.py").as_uri()).off is None


@pytest.mark.parametrize("msg_id", [7001.0, "7002", -7003, 0, 2**53, ""], ids=str)
def test_id_of_a_request_may_be_a_float_or_any_text(client, msg_id):
    client.open("#slow 30", "file:///sloppy/ids.py")
    message = {"jsonrpc": "2.0", "id": msg_id, "method": "textDocument/inlineCompletion"}
    client.send_bytes(frame({**message, "params": inline_params(0, 99, "file:///sloppy/ids.py")}))
    client.notify("$/cancelRequest", {"id": msg_id})
    reply = client.reply(msg_id)
    assert (reply["id"], reply["error"]["code"]) == (msg_id, -32800)


@pytest.mark.parametrize(
    "params",
    [
        {"processId": 1.0},
        {"processId": "1"},
        {"processId": 0},
        {"processId": -5},
        {"processId": 2.0**70},
        {"capabilities": None},
        {"capabilities": []},
        {"workspaceFolders": {"uri": "file:///a"}},
        {"workspaceFolders": ["file:///a", None, 5, {"uri": 5}, {"name": "x"}]},
        {"workspaceFolders": "file:///a", "rootUri": 5, "rootPath": 7},
        {"initializationOptions": [], "clientInfo": 5, "trace": 5},
    ],
    ids=str,
)
def test_initialize_is_taken_where_its_meaning_is_plain(params):
    from aide_lsp.lsp.client import read_profile

    profile = read_profile({"processId": None, "capabilities": {}, **params})
    given = params.get("processId")
    assert profile.process_id == (None if given is None else int(given))
    if "workspaceFolders" in params:
        assert profile.folders == ("file:///a",)


def test_initialize_with_a_float_as_process_id_and_id_is_answered():
    with RawClient() as client:
        message = {"jsonrpc": "2.0", "id": 1.0, "method": "initialize"}
        client.send_bytes(frame({**message, "params": {"processId": 1.0, "capabilities": {}}}))
        assert client.reply(1)["result"]["serverInfo"]["name"] == "aide-lsp"
        client.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [{"uri": "file:///b"}]}})
        client.notify("workspace/didChangeWorkspaceFolders", {"event": {"removed": {"uri": "file:///b"}}})
        for params in (None, [], {"settings": None}, {"settings": 5}, {}):
            client.notify("workspace/didChangeConfiguration", params)
        client.command("aide.status")
        client.notify("workspace/didChangeWorkspaceFolders", {"event": None})
        assert "ignored" in logged(client)


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"processId": 5.5, "capabilities": {}}, "processId"),
        ({"processId": True, "capabilities": {}}, "processId"),
        ({"processId": "9" * 5000, "capabilities": {}}, "processId"),
        ({"capabilities": 5}, "capabilities"),
        ([], "must be an object"),
    ],
    ids=range(5),
)
def test_initialize_that_is_refused_says_which_value_and_what_is_expected(params, said):
    with RawClient() as client:
        error = client.reply(client.request("initialize", params))["error"]
        assert (error["code"], said in error["message"]) == (INVALID_PARAMS, True)
        assert "9999" not in json.dumps(error)
