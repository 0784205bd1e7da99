"""Every place that holds settings, and how an editor sees them take effect."""

import pytest
import pytest_lsp
from lsprotocol import types as t
from pygls.exceptions import JsonRpcException
from pytest_lsp import LanguageClient

from tests.lsp.clients import FAKE, NEOVIM, VSCODE, announces, begin, inline, open_text, run


@pytest.fixture
def user_file(tmp_path, monkeypatch):
    """The user's own settings file, in a home of their own."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    path = tmp_path / "config" / "aide" / "settings.toml"
    path.parent.mkdir(parents=True)
    return path


@pytest_lsp.fixture(config=FAKE)
async def editor(client: LanguageClient):
    yield
    await client.shutdown_session()


async def made_with(client, uri: str) -> dict:
    """The parameters that an item for this document was made with."""
    (item,) = await inline(client, uri)
    return item.command.arguments[0]["parameters"]


def opened(client, path, language: str = "python") -> str:
    return open_text(client, "x", path.as_uri(), language)


@pytest.mark.parametrize("capabilities", [announces(watched=True), announces(watched=False)])
@pytest.mark.parametrize("name", [".aide.toml", "pyproject.toml"])
async def test_saved_change_holds_for_the_next_request(editor, tmp_path, capabilities, name):
    """With or without a notification; a change of the same size within one clock tick is noticed too."""
    head = "[tool.aide]\n" if name == "pyproject.toml" else ""
    await begin(editor, capabilities, [tmp_path.as_uri()])
    uri = opened(editor, tmp_path / "a.py")
    for top_k in (11, 12, 13):
        (tmp_path / name).write_text(f"{head}top_k = {top_k}\n")
        assert (await made_with(editor, uri))["topK"] == top_k
    (tmp_path / name).unlink()
    assert (await made_with(editor, uri))["topK"] == 50
    watched = [watcher["globPattern"] for watcher in registered_watchers(editor)]
    expected = capabilities.workspace.did_change_watched_files.dynamic_registration
    assert (f"**/{name}" in watched) == expected


def registered_watchers(client) -> list:
    options = [one.register_options for one in client.registrations]
    return [watcher for one in options for watcher in as_json(one)["watchers"]]


def as_json(value):
    return value if isinstance(value, dict) else value._asdict()


async def test_language_and_glob_of_the_project_count(editor, tmp_path):
    (tmp_path / ".aide.toml").write_text(
        "top_k = 5\n[languages.rust]\ntop_k = 6\n['tests/**']\ntop_k = 7\n", encoding="utf-8"
    )
    await begin(editor, VSCODE, [tmp_path.as_uri()])
    assert (await made_with(editor, opened(editor, tmp_path / "a.py")))["topK"] == 5
    assert (await made_with(editor, opened(editor, tmp_path / "a.rs", "rust")))["topK"] == 6
    assert (await made_with(editor, opened(editor, tmp_path / "tests" / "b.rs", "rust")))["topK"] == 7


async def test_editor_may_send_languages_globs_and_presets(editor, tmp_path):
    editor.set_configuration(
        {
            "aide": {
                "topK": 5,
                "languages": {"go": {"topK": 6, "seed": None}, "rust": {"preset": "mine"}},
                "globs": {"gen/**": {"topK": 8}},
                "presets": {"mine": {"topK": 9}},
            }
        }
    )
    await begin(editor, NEOVIM, [tmp_path.as_uri()])
    got = {
        name: (await made_with(editor, opened(editor, tmp_path / name, language)))["topK"]
        for name, language in (("a", "go"), ("b", "rust"), ("gen/c", "go"), ("d", "c"))
    }
    assert got == {"a": 6, "b": 9, "gen/c": 8, "d": 5}


async def test_file_that_is_off_gets_nothing_and_shows_why(editor, tmp_path):
    (tmp_path / ".aide.toml").write_text('off = ["secrets/**"]\n')
    await begin(editor, VSCODE, [tmp_path.as_uri()])
    assert await inline(editor, opened(editor, tmp_path / "secrets" / "a.py")) == []
    last = (await run(editor, "aide.status"))["lastRequest"]
    assert last["reason"] == "off"
    assert str(tmp_path / ".aide.toml") in last["message"]
    assert "secrets/**" in last["message"]
    assert await inline(editor, opened(editor, tmp_path / "a.py")) != []
    argument = {"uri": (tmp_path / "secrets" / "a.py").as_uri(), "position": {"line": 0, "character": 1}}
    assert (await run(editor, "aide.regenerate", argument))["reason"] == "off"


async def test_command_reports_values_with_their_origin(user_file, client_with, tmp_path):
    user_file.write_text("top_p = 0.4\nmax_num_context = 2000\n")
    (tmp_path / ".aide.toml").write_text('preset = "creative"\nnum_context = 3000\ntop_k = 9\n')
    client = await client_with()
    client.set_configuration({"aide": {"topK": 11}})
    await begin(client, VSCODE, [tmp_path.as_uri()])
    uri = opened(client, tmp_path / "a.py")
    report = await run(client, "aide.settings", {"uri": uri, "parameters": {"topP": 0.1}})
    settings, project = report["settings"], str(tmp_path / ".aide.toml")
    assert (settings["topK"]["value"], settings["topK"]["source"]) == (11, "editor settings")
    assert [one["source"] for one in settings["topK"]["overrode"]] == [project, "default"]
    assert (settings["topP"]["value"], settings["topP"]["source"]) == (0.1, "this request")
    assert [one["value"] for one in settings["topP"]["overrode"]] == [0.95, 0.4, 0.95]
    assert settings["temperature"]["preset"] == "creative"
    assert (settings["numContext"]["value"], settings["numContext"]["loweredFrom"]) == (2000, 3000)
    assert settings["topK"]["maximum"] == 1000
    assert project in report["text"]
    assert (await made_with(client, uri))["numContext"] == 2000
    (message,) = client.messages
    assert "lowered to 2000" in message.message
    assert str(tmp_path / ".aide.toml") in message.message


@pytest.fixture
async def client_with():
    """Start the server now, in the environment of the test."""
    clients = []

    async def start():
        client = await FAKE.start()
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.shutdown_session()
        await client.stop()


async def test_all_problems_of_all_files_come_in_one_message_and_once(user_file, client_with, tmp_path):
    user_file.write_text("top_p = 3\n[presets.mine]\ntop_kk = 1\n")
    (tmp_path / ".aide.toml").write_text("temprature = 1\n['[']\ntop_k = 0\n")
    client = await client_with()
    client.set_configuration({"aide": {"seed": "one"}})
    await begin(client, VSCODE, [tmp_path.as_uri()])
    uri = opened(client, tmp_path / "a.py")
    for _ in range(3):
        await made_with(client, uri)
    (message,) = client.messages
    assert message.type == t.MessageType.Warning
    parts = ("top_p", "top_kk", '"temperature"', "unclosed [", "seed", str(user_file))
    assert [part for part in parts if part not in message.message] == []


async def test_status_lists_no_problems_of_documents_that_were_closed_or_of_files_that_are_gone(
    user_file, client_with, tmp_path
):
    client = await client_with()
    await begin(client, announces(watched=False))
    for name in ("closed", "deleted", "open"):
        (tmp_path / name).mkdir()
        (tmp_path / name / ".aide.toml").write_text("top_kk = 1\n")
        open_text(client, "x", (tmp_path / name / "a.py").as_uri())

    async def places():
        problems = (await run(client, "aide.status"))["settingsProblems"]
        return [name for name in ("closed", "deleted", "open") if any(f"/{name}/" in one for one in problems)]

    assert await places() == ["closed", "deleted", "open"]
    client.text_document_did_close(
        t.DidCloseTextDocumentParams(t.TextDocumentIdentifier((tmp_path / "closed" / "a.py").as_uri()))
    )
    (tmp_path / "deleted" / ".aide.toml").unlink()
    assert await places() == ["open"]


async def test_one_request_does_not_go_over_the_cap_of_the_user(user_file, client_with, tmp_path):
    user_file.write_text("max_num_context = 600\n")
    client = await client_with()
    await begin(client, VSCODE)
    uri = opened(client, tmp_path / "a.py")
    argument = {"uri": uri, "position": {"line": 0, "character": 1}}
    with pytest.raises(JsonRpcException, match="700 is more than your maxNumContext, which is 600"):
        await run(client, "aide.regenerate", argument | {"parameters": {"numContext": 700}})
    made = await run(client, "aide.regenerate", argument | {"parameters": {"numContext": 500}})
    assert made["parameters"]["numContext"] == 500
