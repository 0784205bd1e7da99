"""Commands that turn completions off: for a file, for a language, for some minutes."""

import asyncio
import os
import re
import tomllib
from pathlib import Path

import pytest
import pytest_lsp
from pytest_lsp import LanguageClient

from tests.lsp.clients import FAKE, VSCODE, begin, inline, open_text, run
from tests.lsp.in_process import Connection
from tests.patience import PATIENCE


@pytest.fixture
def user_file():
    """The settings file of the user that tests run as."""
    path = Path(os.environ["XDG_CONFIG_HOME"]) / "aide" / "settings.toml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    yield path
    path.unlink(missing_ok=True)


@pytest_lsp.fixture(config=FAKE)
async def editor(client: LanguageClient, user_file):
    await begin(client, VSCODE)
    yield
    await client.shutdown_session()


async def set_off(client, uri: str, scope: str, off: bool) -> dict:
    return await run(client, "aide.setOff", {"uri": uri, "scope": scope, "off": off})


async def test_a_file_is_turned_off_and_on_and_the_users_file_is_as_before(editor, user_file, tmp_path):
    before = '# mine\ntop_k = 3\noff = ["*.md"]\n'
    user_file.write_text(before)
    odd = open_text(editor, "x = ", (tmp_path / "a[1]{b} *.py").as_uri())
    other = open_text(editor, "x = ", (tmp_path / "a1b.py").as_uri())
    answer = await set_off(editor, odd, "file", True)
    assert answer["off"]
    assert answer["path"] == str(user_file)
    assert await inline(editor, odd) == []
    assert len(await inline(editor, other)) == 1
    answer = await set_off(editor, odd, "file", False)
    assert answer["message"] == "Completions are on for this file."
    assert len(await inline(editor, odd)) == 1
    assert user_file.read_text() == before


async def test_a_language_is_turned_off_and_on_without_a_trace(editor, user_file, tmp_path):
    user_file.write_text("[languages.go]\ntop_k = 3\n")
    uri = open_text(editor, "x = ", (tmp_path / "a.py").as_uri())
    go = open_text(editor, "x = ", (tmp_path / "a.go").as_uri(), "go")
    await set_off(editor, uri, "language", True)
    assert tomllib.loads(user_file.read_text())["languages"]["python"] == {"off": ["**"]}
    assert await inline(editor, uri) == []
    assert (await run(editor, "aide.settings", {"uri": uri}))["off"]["message"].endswith(
        'lists "**" under off in [languages.python].'
    )
    assert len(await inline(editor, go)) == 1
    await set_off(editor, uri, "language", False)
    assert tomllib.loads(user_file.read_text()) == {"languages": {"go": {"top_k": 3}}}
    assert len(await inline(editor, uri)) == 1


@pytest.mark.parametrize("scope", ["file", "language"])
async def test_on_without_a_scope_then_what_turned_it_off_is_removed(editor, user_file, tmp_path, scope):
    uri = open_text(editor, "x = ", (tmp_path / "a.py").as_uri())
    await set_off(editor, uri, scope, True)
    answer = await run(editor, "aide.setOff", {"uri": uri, "off": False})
    assert "Completions are on" in answer["message"]
    assert tomllib.loads(user_file.read_text()) == {}
    assert len(await inline(editor, uri)) == 1


async def test_what_a_project_turns_off_stays_off_and_the_message_says_so(editor, user_file, tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".aide.toml").write_text('off = ["*.py"]\n')
    uri = open_text(editor, "x = ", (tmp_path / "a.py").as_uri())
    answer = await set_off(editor, uri, "language", False)
    assert answer["off"]
    assert answer["path"] is None
    assert re.match(r"Completions stay off here\. .*\.aide\.toml lists \"\*\.py\"", answer["message"])
    assert not user_file.exists()


async def test_a_document_without_a_name_can_be_turned_off_by_its_language_only(editor, user_file):
    uri = open_text(editor, "x = ", "untitled:Untitled-1")
    await set_off(editor, uri, "language", True)
    assert await inline(editor, uri) == []


@pytest.mark.parametrize(
    ("name", "user", "project", "editor", "scope"),
    [
        ("a.py", "off = ['{path}']", "", [], "file"),
        ("a.py", "[languages.Python]\noff = ['**']", "", [], "language"),
        ("a.py", "off = ['**']", "", [], "user"),
        ("a.py", "[languages.python]\noff = ['*.py']", "", [], "user"),
        ("a.py", "['*.py']\noff = ['{path}']", "", [], "user"),
        ("a.py", "", "off = ['*.py']", [], "project"),
        ("a.py", "", "[languages.python]\noff = ['**']", [], "project"),
        ("a.py", "", "", ["*.py"], "editor"),
        (".env", "", "", [], "secret"),
        ("a.py", "", "", [], None),
    ],
)
async def test_the_state_says_what_can_turn_completions_on_again(
    user_file, tmp_path, name, user, project, editor, scope
):
    (tmp_path / ".aide.toml").write_text(project)
    user_file.write_text(user.replace("{path}", str(tmp_path / name)))
    connection = Connection()
    await connection.initialize(options={"off": editor}, folders=[tmp_path.as_uri()])
    uri = (tmp_path / name).as_uri()
    connection.open("x = ", uri)
    connection.send("aide/cursor", {"uri": uri, "position": {"line": 0, "character": 4}})
    while (document := connection.server.status.summary()["document"]) is None:
        await asyncio.sleep(0.001)
    places = {"project": str(tmp_path / ".aide.toml"), "user": str(user_file)}
    places |= dict.fromkeys(("file", "language"), str(user_file))
    assert (document["offScope"], document["offPath"]) == (scope, places.get(scope))
    assert (document["off"] is None) == (scope is None)
    if scope in ("file", "language"):
        arguments = [{"uri": uri, "scope": scope, "off": False}]
        connection.send("workspace/executeCommand", {"command": "aide.setOff", "arguments": arguments}, id=5)
        assert "Completions are on" in (await connection.reply(5))["result"]["message"]


@pytest.mark.parametrize(
    "invalid", [{}, {"off": True}, {"scope": "folder", "off": True}, {"scope": "file", "off": 1}]
)
async def test_invalid_arguments_of_set_off_are_refused(editor, invalid):
    with pytest.raises(Exception, match=r"aide\.setOff takes one object"):
        await run(editor, "aide.setOff", {"uri": "file:///a.py", **invalid})


class Clock:
    """The time of day, moved by hand."""

    now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


async def snoozed(connection, minutes) -> dict:
    argument = {"command": "aide.snooze", "arguments": [{"minutes": minutes}]}
    connection.send("workspace/executeCommand", argument, id="snooze")
    return await connection.reply("snooze")


def state(connection) -> tuple:
    summary = connection.server.status.summary()
    return summary["state"], summary["message"]


async def test_snooze_says_until_when_and_ends_by_itself(monkeypatch):
    monkeypatch.setattr("aide_lsp.lsp.requests.snooze.MOST_SECONDS", 0.01)
    connection = Connection()
    clock = connection.server.snooze._clock = Clock()
    await connection.initialize()
    answer = (await snoozed(connection, 5))["result"]
    assert re.fullmatch(r"Completions are snoozed until \d\d:\d\d\.", answer["message"])
    assert state(connection) == ("paused", answer["message"])
    clock.now += 299
    await asyncio.sleep(0.05)
    assert state(connection)[0] == "paused"
    clock.now += 1
    async with asyncio.timeout(PATIENCE):
        while state(connection)[0] != "ready":
            await asyncio.sleep(0.001)
    assert connection.server.snooze.sentence == ""


@pytest.mark.parametrize("command", ["aide.resume", "aide.pause"])
async def test_resume_ends_a_snooze_and_pause_makes_it_last(command):
    connection = Connection()
    await connection.initialize()
    await snoozed(connection, 5)
    connection.send("workspace/executeCommand", {"command": command, "arguments": [{}]}, id="next")
    await connection.reply("next")
    assert connection.server.snooze.sentence == ""
    assert state(connection)[0] == ("ready" if command == "aide.resume" else "paused")


@pytest.mark.parametrize("minutes", [0, -5, 1.5, "5", True, 10**9, None])
async def test_snooze_takes_a_whole_number_of_minutes(minutes):
    connection = Connection()
    await connection.initialize()
    assert "whole number from 1 to 1440" in (await snoozed(connection, minutes))["error"]["message"]
