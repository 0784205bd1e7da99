"""Whatever the user does, the state says which completion is visible, and explaining explains that one."""

import asyncio
import tempfile
from itertools import count
from pathlib import Path
from random import Random
from unittest.mock import patch

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from aide_lsp.lsp.requests import prefetch
from aide_lsp.lsp.workspace.documents import Place, split_lines
from tests.fakes import END, FakeSession, babbling, completer_on
from tests.lsp.fake_server import load
from tests.lsp.in_process import Connection
from tests.lsp.test_items import COMPLETION
from tests.patience import PATIENCE

OPTIONS = {"temperature": 1.0, "maxTokens": 60, "show": "all", "workAhead": False}
ANOTHER = {
    "next": ("aide.candidate", {"step": 1}),
    "back": ("aide.candidate", {"step": -1}),
    "regenerate": ("aide.regenerate", {}),
    "previous": ("aide.previousSeed", {}),
}


def words(ids):
    """Logits of a model that writes short words of few letters, and ends after some."""
    logits = babbling(spread=1.0)(ids)
    logits[list(b"abc ")] += 12.0
    logits[END] += 10.5
    return logits


def load_writer(_settings, _progress):
    return completer_on(FakeSession(words), "writer")


class User:
    """Someone in an editor, and what they were given last."""

    def __init__(self, connection: Connection, folder: Path, seed: int | None = None) -> None:
        self.seed = seed  # set in the editor, which a project file cannot override
        self.connection, self.file = connection, folder / ".aide.toml"
        self.uri = (folder / "a.py").as_uri()
        self.text = "x = 1\ny = "
        self.version = 1
        self.ids = count(1)
        self.visible: dict | None = None
        self.rest = ""
        self.chosen = False
        connection.open(self.text, self.uri)

    async def ask(self, method: str, params: dict):
        number = next(self.ids)
        self.connection.send(method, params, id=number)
        reply = await self.connection.reply(number)
        assert "error" not in reply, reply
        return reply["result"]

    async def command(self, name: str, **more):
        at = {"uri": self.uri, "position": self.position()}
        return await self.ask("workspace/executeCommand", {"command": name, "arguments": [{**at, **more}]})

    def position(self) -> dict:
        lines = split_lines(self.text)
        return {"line": len(lines) - 1, "character": len(lines[-1])}

    async def request(self) -> None:
        context = {"triggerKind": 2}
        params = {"textDocument": {"uri": self.uri}, "position": self.position(), "context": context}
        items = await self.ask("textDocument/inlineCompletion", params)
        was, rest = self.visible, self.rest
        self.show(
            items[0]["command"]["arguments"][0] if items else None, items[0]["insertText"] if items else ""
        )
        if was is not None and self.chosen:
            assert (self.visible and self.visible["id"], self.rest) == (was["id"], rest)
        self.chosen = self.chosen and was is not None

    def show(self, facts: dict | None, text: str) -> None:
        self.visible, self.rest = facts, text

    async def another(self, name: str) -> None:
        command, more = ANOTHER[name]
        answer = await self.command(command, **more)
        if answer["insertText"]:
            if answer.get("reason") != "no-other":
                self.chosen = True
            self.show(answer, answer["insertText"])
        elif answer["reason"] != "no-previous":
            self.show(None, "")

    def type(self, length: int) -> None:
        typed = self.rest[:length] or "z"
        self.rest = self.rest[length:]
        if not self.rest:
            self.visible = None
        self.type_all(self.text + typed)

    def type_all(self, text: str) -> None:
        self.text = text
        self.version += 1
        document = {"uri": self.uri, "version": self.version}
        params = {"textDocument": document, "contentChanges": [{"text": self.text}]}
        self.connection.send("textDocument/didChange", params)

    async def act(self, action: str) -> None:
        if action == "request":
            await self.request()
        elif action in ANOTHER:
            await self.another(action)
        elif action in ("pin", "unpin"):
            if action == "unpin" or self.visible is not None:
                await self.command(f"aide.{action}Seed")
        elif action == "leave":
            place = {"uri": self.uri, "position": {"line": 0, "character": 0}}
            self.connection.send("aide/cursor", place)
            self.show(None, "")
        else:
            self.type(1 if action == "key" else max(1, self.rest.find(" ") + 1))
        await self.check()

    async def check(self) -> None:
        # All that was sent has been handled once this is answered.
        await self.ask("workspace/executeCommand", {"command": "aide.status", "arguments": []})
        shown = self.connection.server.status.summary()["shown"]
        if self.visible is None:
            assert shown is None
            return
        assert (shown["uri"], shown["seed"]) == (self.uri, self.visible["seed"])
        assert shown["candidate"] == self.visible["candidate"]
        assert shown["parameters"] == self.visible["parameters"]
        pinned = self.file.read_text() if self.file.exists() else ""
        is_pinned = f"seed = {shown['seed']}\n" in pinned if self.seed is None else shown["seed"] == self.seed
        assert shown["pinned"] == is_pinned

    async def explain(self) -> None:
        if self.visible is not None:
            named = {key: self.visible[key] for key in ("seed", "candidate", "parameters")}
            # Editors may say which completion they show.
            for arguments in ({}, named):
                answer = await self.command("aide.explain", **arguments)
                assert answer["asShown"] is True
                explained = answer["explanation"]["completion"]
                assert (explained["seed"], explained["candidate"]) == (named["seed"], named["candidate"])
                assert explained["text"].endswith(self.rest)
                # What has been typed of it is marked.
                typed = answer["explanation"]["typed"]
                assert explained["text"] == typed + self.rest
                await self.check()


async def run(actions, load=load_writer, **options) -> None:
    # The same seeds each time.
    with patch("secrets.randbits", Random(1).getrandbits), tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        connection = Connection(load)
        await connection.initialize(
            options={**OPTIONS, **options},
            folders=[folder.as_uri()],
            general={"positionEncodings": ["utf-32"]},
            experimental={"aide": True},
        )
        user = User(connection, folder, options.get("seed"))
        for action in actions:
            await user.act(action)
        await user.explain()


ACTIONS = ("request", "key", "word", "pin", "unpin", "leave", *ANOTHER)


@settings(max_examples=40)
@given(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=12))
def test_the_state_belongs_to_what_was_given_last(actions):
    asyncio.run(run(["request", *actions]))


@settings(max_examples=10)
@given(st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=8))
def test_it_does_so_with_a_fixed_seed_too(actions):
    asyncio.run(run(["request", *actions], seed=7))


def test_a_completion_that_the_cursor_left_is_visible_again_when_there_is_no_other():
    asyncio.run(run(["request", "leave", "next"], candidates=1))
    asyncio.run(run(["request", "leave", "regenerate"], temperature=0.0))


def test_it_is_explained_as_shown_after_each_of_them():
    for before in (["next"], ["key"], ["word"], ["next", "key"], ["next", "word"], ["regenerate"]):
        asyncio.run(run(["request", *before]))
        asyncio.run(run(["request", *before, "request"]))
    asyncio.run(run(["request", "regenerate", "previous"]))


async def test_an_answer_that_does_not_arrive_is_not_visible(tmp_path):
    connection = Connection(load_writer)
    await connection.initialize(options={**OPTIONS, "seed": 7})
    user = User(connection, tmp_path)
    await user.request()
    screen, requests = connection.server.screen, connection.server.requests
    snapshot = requests.snapshot(user.uri, Place(1, 4))
    visible = screen.visible
    task = asyncio.ensure_future(requests.complete(snapshot))
    async with asyncio.timeout(PATIENCE):
        while screen.visible is visible:
            await asyncio.sleep(0)
            if screen.visible is not visible:
                task.cancel()  # it comes with the answer
    with pytest.raises(asyncio.CancelledError):
        await task
    assert screen.visible is None


async def test_a_late_answer_to_a_superseded_request_changes_nothing_that_is_visible(tmp_path):
    connection = Connection(load("ok"))
    await connection.initialize()
    user = User(connection, tmp_path)
    user.type_all("#empty #slow 0.2")
    context = {"triggerKind": 2}
    params = {"textDocument": {"uri": user.uri}, "position": user.position(), "context": context}
    connection.send("textDocument/inlineCompletion", params, id="late")
    user.type_all("#drawn")
    await user.request()
    assert (await connection.reply("late"))["result"] == []
    async with asyncio.timeout(PATIENCE):
        while connection.server.requests._in_flight:
            await asyncio.sleep(0.001)
    await user.check()
    assert connection.server.screen.nothing is None


async def late_and_empty(connection, user) -> None:
    """Request a completion that comes late and is empty, as a client does that stops waiting."""
    user.type_all("#empty #slow 0.2")
    params = {"textDocument": {"uri": user.uri}, "position": user.position(), "context": {"triggerKind": 2}}
    connection.send("textDocument/inlineCompletion", params, id="late")
    async with asyncio.timeout(PATIENCE):
        while not connection.server.requests._in_flight:
            await asyncio.sleep(0.001)
    connection.send("$/cancelRequest", {"id": "late"})  # as VS Code does after 750 ms
    assert "error" in await connection.reply("late")


async def test_a_client_that_no_longer_waits_learns_why_it_gets_nothing(tmp_path):
    connection = Connection(load("ok"))
    await connection.initialize(experimental={"aide": True})
    user = User(connection, tmp_path)
    await late_and_empty(connection, user)
    async with asyncio.timeout(PATIENCE):
        while connection.server.screen.nothing is None:
            await asyncio.sleep(0.001)
    assert connection.server.screen.nothing.why.reason == "nothing-left"


async def test_a_late_reason_says_nothing_about_where_the_user_went_meanwhile(tmp_path):
    connection = Connection(load("ok"))
    await connection.initialize(experimental={"aide": True})
    user = User(connection, tmp_path)
    await late_and_empty(connection, user)
    place = {"uri": user.uri, "position": {"line": 0, "character": 3}}
    connection.send("aide/cursor", place)
    async with asyncio.timeout(PATIENCE):
        while connection.server.requests._in_flight or connection.server.status._busy:
            await asyncio.sleep(0.001)
    assert connection.server.screen.nothing is None


async def test_a_late_reason_replaces_no_completion_that_was_chosen_meanwhile(tmp_path):
    connection = Connection(load("ok"))
    await connection.initialize(experimental={"aide": True})
    user = User(connection, tmp_path)
    await late_and_empty(connection, user)
    requests = connection.server.requests
    snapshot = requests.snapshot(user.uri, Place(0, len(user.text)))
    requests.shown.choose(snapshot, evolve(COMPLETION, text="x"))
    async with asyncio.timeout(PATIENCE):
        while requests._in_flight or connection.server.status._busy:
            await asyncio.sleep(0.001)
    assert connection.server.screen.visible is not None


async def test_a_client_that_no_longer_waits_is_notified_once_the_model_is_loaded(tmp_path):
    connection = Connection(load(f"when {tmp_path / 'go'}"), loading_seconds=0.1)
    parameters = {"processId": None, "capabilities": {"experimental": {"aide": True}}}
    connection.send("initialize", {**parameters, "initializationOptions": {"ledger": "off"}}, id="initialize")
    connection.send("initialized", {})
    user = User(connection, tmp_path)
    await late_and_empty(connection, user)
    async with asyncio.timeout(PATIENCE):
        while connection.server.screen.nothing is None:
            await asyncio.sleep(0.001)
    assert connection.server.screen.nothing.why.reason == "loading"
    (tmp_path / "go").touch()
    async with asyncio.timeout(PATIENCE):
        while not any(message.get("method") == "aide/ready" for message in connection.sent):
            await asyncio.sleep(0.001)


async def test_what_is_generated_ahead_is_what_is_generated_on_request(monkeypatch, tmp_path):
    monkeypatch.setattr(prefetch, "SHOWN_SECONDS", 0.0)
    texts = []
    for ahead in (True, False):
        connection = Connection(load_writer)
        await connection.initialize(
            options={**OPTIONS, "workAhead": ahead, "seed": 7}, experimental={"aide": True}
        )
        user = User(connection, tmp_path)
        await user.request()
        completer = connection.server.host.completer
        requests = connection.server.requests
        visible = requests.shown.screen.visible
        candidates = requests.shown.candidates.of(visible.snapshot, visible.completion)
        async with asyncio.timeout(PATIENCE):
            while ahead and not candidates.is_complete:
                await asyncio.sleep(0.001)
        if ahead:  # what is there needs no model
            monkeypatch.setattr(completer, "complete", None)
            assert len(candidates.found) > 1
        answers = [await user.command("aide.candidate", step=1) for _ in range(3)]
        texts.append([answer["insertText"] for answer in answers])
    assert texts[0] == texts[1]
