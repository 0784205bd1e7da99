"""A server runs the model: completions, failures and what is said of them, and what is never sent."""

import asyncio
import json
from contextlib import ExitStack

import pytest
from attrs import evolve

from aide_lsp.completion.completer import Completer
from aide_lsp.loading import load_for_editor
from aide_lsp.lsp.model import server_trouble
from aide_lsp.lsp.workspace.documents import Place
from tests.fakes import ScriptedModel
from tests.llama_reference import llama_server
from tests.llama_stand_in import LlamaStandIn
from tests.lsp.in_process import Connection
from tests.patience import PATIENCE
from tests.tiny_model import tiny_gguf

URI = "file:///a.py"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch):
    monkeypatch.setattr(server_trouble, "FIRST_SECONDS", 0.05)
    monkeypatch.delenv("AIDE_API_KEY", raising=False)


@pytest.fixture
def llama():
    with LlamaStandIn() as running:
        yield running


class Editor(Connection):
    """An editor with Aide's own notifications."""

    def __init__(self, text="def f():\n    ", uri=URI):
        super().__init__(load_for_editor)
        self._count, self.uri, self._text, self._version = 0, uri, text, 1

    async def begin(self, llama, text=None, **options):
        await self.initialize(
            options={"engine": llama.url, "workAhead": False, "show": "all", **options},
            experimental={"aide": True},
        )
        self.open(self._text if text is None else text, self.uri)
        return self

    def type(self, typed):
        """Type at the end."""
        self.replace(self._text + typed)

    def replace(self, text):
        """Replace the whole text."""
        self._text, self._version = text, self._version + 1
        document = {"uri": self.uri, "version": self._version}
        self.send(
            "textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": self._text}]}
        )

    def request(self, method="textDocument/inlineCompletion"):
        """Ask for a completion at the end; return the request's number."""
        self._count += 1
        line = self._text.count("\n")
        position = {"line": line, "character": len(self._text) - self._text.rfind("\n") - 1}
        params = {"textDocument": {"uri": self.uri}, "position": position, "context": {"triggerKind": 2}}
        self.send(method, params, id=self._count)
        return self._count

    async def items(self):
        return (await self.reply(self.request(), PATIENCE))["result"]

    async def run(self, command, **arguments):
        self._count += 1
        params = {"command": command, "arguments": [arguments]}
        self.send("workspace/executeCommand", params, id=self._count)
        return (await self.reply(self._count, PATIENCE))["result"]

    async def status(self, holds):
        """Wait for a state; return it."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = [one["params"] for one in self.sent if one.get("method") == "aide/status"]
                if found and holds(found[-1]):
                    return found[-1]
                await asyncio.sleep(0.005)

    async def ready(self):
        """Wait until the waiting cursor is told to ask again."""
        async with asyncio.timeout(PATIENCE):
            while not any(one.get("method") == "aide/ready" for one in self.sent):
                await asyncio.sleep(0.005)

    @property
    def messages(self):
        return [one["params"]["message"] for one in self.sent if one.get("method") == "window/showMessage"]


async def test_a_server_completes_and_is_named_with_what_it_promises(llama):
    editor = await Editor().begin(llama)
    (item,) = await editor.items()
    assert item["insertText"] == "pass"
    facts = item["command"]["arguments"][0]
    server = {"host": llama.host, "loopback": True, "engine": "llama.cpp", "ignored": [], "replays": False}
    assert (facts["model"], facts["server"]) == ("stand-in", server)
    status = await editor.status(lambda status: status["shown"])
    assert (status["state"], status["model"]) == ("ready", "stand-in")
    assert (status["server"], status["device"], status["recipe"]) == (server | {"problem": None}, None, None)
    assert llama.prompts == ["# a.py\ndef f():\n   "]
    assert editor.messages == []


async def test_other_candidates_new_seeds_and_explanations_come_from_the_server(llama):
    editor = await Editor().begin(llama)
    await editor.items()
    where = {"uri": URI, "position": {"line": 1, "character": 4}}
    seeds = {body["seed"] for path, body, _ in llama.requests if path == "/completion"}
    llama.text = "return 1"
    again = await editor.run("aide.regenerate", **where)
    assert (again["insertText"], again["server"]["host"]) == ("return 1", llama.host)
    assert {body["seed"] for path, body, _ in llama.requests if path == "/completion"} > seeds
    explained = await editor.run("aide.explain", **where)
    assert explained["asShown"] is True
    assert explained["explanation"]["tokens"] == []
    assert f"llama.cpp at {llama.host} returns text only" in explained["explanation"]["why_no_tokens"]
    assert "returns text only" in explained["html"]


async def test_a_change_that_ends_a_request_closes_the_connection_and_the_next_request_is_answered(llama):
    editor = await Editor().begin(llama)
    llama.goes_on.clear()
    first = editor.request()
    async with asyncio.timeout(PATIENCE):
        while not llama.prompts:
            await asyncio.sleep(0.005)
    # Not typed at the cursor: then what the server says might still begin with it.
    editor.replace("def g():\n    x")
    second = editor.request()
    assert (await editor.reply(first, PATIENCE))["result"] == []
    assert await asyncio.to_thread(llama.left.wait, PATIENCE)
    llama.goes_on.set()
    assert [item["insertText"] for item in (await editor.reply(second, PATIENCE))["result"]] == ["pass"]


async def test_a_server_that_is_killed_is_reported_once_and_completes_again_once_it_is_back(llama):
    editor = await Editor().begin(llama)
    assert await editor.items()
    llama.__exit__()
    for key in "ab":
        editor.type(key)
        assert await editor.items() == []
    status = await editor.status(lambda status: status["state"] == "failed")
    assert (status["nothing"]["reason"], status["nothing"]["message"]) == ("server", status["message"])
    assert status["server"]["problem"] == status["message"]
    assert f"Nothing answers at {llama.host}" in status["message"]
    assert editor.messages == [f"Aide offers no completions. {status['message']}"]
    with LlamaStandIn("back", llama.port):
        # No key is pressed.
        await editor.ready()
        assert [item["insertText"] for item in await editor.items()] == ["back"]
        status = await editor.status(lambda status: status["state"] == "ready" and status["shown"])
        assert (status["server"]["problem"], status["nothing"]) == (None, None)
    editor.type("c")
    await editor.items()
    await editor.status(lambda status: status["state"] == "failed")
    # It has worked in between.
    assert len(editor.messages) == 2


async def test_llama_cpp_itself_when_it_is_killed_and_started_again_then_completions_go_on(tmp_path):
    tiny_gguf(tmp_path / "tiny.gguf")
    with ExitStack() as running:
        server = running.enter_context(llama_server(tmp_path / "tiny.gguf"))
        editor = await Editor().begin(server, maxTokens=4)
        await editor.items()
        status = await editor.status(lambda status: status["shown"] or status["nothing"])
        assert (status["state"], status["server"]["engine"], status["model"]) == (
            "ready",
            "llama.cpp",
            "tiny.gguf",
        )
        server.kill()
        editor.type("x")
        assert await editor.items() == []
        status = await editor.status(lambda status: status["state"] == "failed")
        assert status["nothing"]["reason"] == "server"
        port = int(server.url.rpartition(":")[2])
        # Not in this thread, whose loop asks meanwhile.
        await asyncio.to_thread(running.enter_context, llama_server(tmp_path / "tiny.gguf", port=port))
        await editor.ready()
        await editor.items()
        await editor.status(
            lambda status: status["state"] == "ready" and (status["nothing"] or {}).get("reason") != "server"
        )
    assert len(editor.messages) == 1


async def test_a_server_that_does_not_run_yet_keeps_nothing_from_starting(llama):
    llama.__exit__()
    editor = await Editor().begin(llama)
    assert (await editor.status(lambda status: status["state"] == "ready"))["server"]["engine"] == "server"
    assert await editor.items() == []
    with LlamaStandIn("late", llama.port):
        await editor.ready()
        assert [item["insertText"] for item in await editor.items()] == ["late"]
        assert (await editor.status(lambda status: status["shown"]))["server"]["engine"] == "llama.cpp"


async def test_a_key_that_is_missing_is_said_and_is_sent_but_never_repeated(llama, monkeypatch):
    llama.key = "sk-s3cret"
    editor = await Editor().begin(llama)
    assert await editor.items() == []
    status = await editor.status(lambda status: status["state"] == "failed")
    assert "requires an API key" in status["message"]
    assert "aide engine key" in status["message"]
    monkeypatch.setenv("AIDE_API_KEY", llama.key)
    await editor.run("aide.fetchModel")
    await editor.status(lambda status: status["state"] == "ready")
    assert [item["insertText"] for item in await editor.items()] == ["pass"]
    llama.key = "another"
    editor.type("x")
    assert await editor.items() == []
    assert "rejects the API key" in (await editor.status(lambda s: s["state"] == "failed"))["message"]
    assert "sk-s3cret" not in json.dumps(editor.sent)


async def test_a_server_of_another_kind_gets_no_text(llama):
    llama.page = b"<!doctype html><title>A router</title>"
    editor = await Editor("the_users_text = ").begin(llama)
    assert await editor.items() == []
    message = (await editor.status(lambda status: status["state"] == "failed"))["message"]
    assert llama.host in message
    assert "the_users_text" not in llama.received


async def test_a_server_that_fails_is_quoted_and_asked_again_only_for_completions(llama):
    llama.status = 500
    editor = await Editor().begin(llama)
    assert await editor.items() == []
    message = (await editor.status(lambda status: status["state"] == "failed"))["message"]
    assert "status 500: it is broken" in message
    await editor.ready()
    assert await editor.items() == []
    # It answers questions, but completes nothing: that is no news.
    assert len(editor.messages) == 1


async def test_a_silent_server_is_ended_by_the_deadline_and_is_no_failure(llama):
    llama.goes_on.clear()
    editor = await Editor().begin(llama, deadlineMs=300)
    assert await editor.items() == []
    status = await editor.status(lambda status: status["nothing"])
    assert (status["nothing"]["reason"], status["state"]) == ("timeout", "ready")


async def test_files_with_secrets_are_never_sent_whatever_is_set(llama, tmp_path):
    secret = tmp_path / ".env"
    secret.write_text("TOKEN=hunter2\n")
    editor = Editor("TOKEN=hunter2\nOTHER=", secret.as_uri())
    await editor.begin(llama, completeSecrets=True, contextShare=0.5)
    assert await editor.items() == []
    status = await editor.status(lambda status: status["document"])
    assert status["document"]["offScope"] == "engine"
    assert llama.host in status["document"]["off"]
    answer = await editor.run("aide.regenerate", uri=editor.uri, position={"line": 1, "character": 6})
    assert answer["reason"] == "off"
    other = tmp_path / "a.py"
    editor.uri, editor._text = other.as_uri(), "token = hunter2_of(OTHER)\ntoken = "
    editor.open(editor._text, editor.uri)
    assert await editor.items()
    assert "hunter2\n" not in llama.received
    assert "TOKEN" not in llama.received


async def test_files_that_are_off_are_not_sent(llama):
    editor = await Editor("the_users_text = ").begin(llama, off=["*.py"])
    assert await editor.items() == []
    assert "the_users_text" not in llama.received


async def test_settings_say_what_they_came_to_with_a_server(llama):
    editor = await Editor().begin(llama)
    await editor.items()
    report = await editor.run("aide.settings", uri=URI)
    assert f'"{llama.url}" (text is sent to {llama.host})' in report["text"]
    assert "no promise on this server" in report["text"]
    assert llama.host in report["html"]


async def test_parameters_without_effect_are_named_with_each_completion_and_in_the_state(llama):
    honored = frozenset({"temperature", "top_p", "num_context", "seed"})
    model = ScriptedModel({"": ["pass"]}, host="models.example.com", engine="DeepSeek", honored=honored)
    editor = Editor()
    editor.server.host._load = lambda settings, progress: Completer(model)
    await editor.begin(llama)
    (item,) = await editor.items()
    server = {
        "host": "models.example.com",
        "loopback": False,
        "engine": "DeepSeek",
        "ignored": ["topK"],
        "replays": False,
    }
    assert item["command"]["arguments"][0]["server"] == server
    assert (await editor.status(lambda status: status["shown"]))["server"] == server | {"problem": None}
    place = {"line": 1, "character": 4}
    explained = (await editor.run("aide.explain", uri=URI, position=place))["explanation"]
    found = (explained["host"], explained["ignored"], explained["replays"])
    assert found == ("models.example.com", ["top_k"], False)
    report = await editor.run("aide.settings", uri=URI)
    assert "50 (no effect on this server)" in report["text"]
    assert "Top K" in report["html"]


async def test_text_that_may_only_be_completed_here_is_not_sent_if_a_server_is_chosen_meanwhile(llama):
    """Its settings were those of the engine of this machine; the server is there when its turn comes."""
    editor = await Editor().begin(llama)
    place = Place(1, 4)
    async with asyncio.timeout(PATIENCE):
        while editor.server.documents.get(URI) is None:
            await asyncio.sleep(0.005)
    snapshot = editor.server.requests.snapshot(URI, place)
    snapshot = evolve(snapshot, settings=evolve(snapshot.settings, engine="local"))
    answer = await editor.server.requests.complete(snapshot)
    assert answer.reason == "stale"
    assert llama.prompts == []


async def test_the_server_before_gets_nothing_more_when_another_one_is_chosen(llama):
    editor = await Editor().begin(llama)
    await editor.items()
    engines = []

    def load(settings, progress):
        engines.append(settings.engine)
        return load_for_editor(settings, progress)

    editor.server.host._load = load
    with LlamaStandIn("other") as other:
        editor.send("workspace/didChangeConfiguration", {"settings": {"aide": {"engine": other.url}}})
        await editor.status(lambda status: (status["server"] or {}).get("host") == other.host)
        count = len(llama.requests)
        assert [item["insertText"] for item in await editor.items()] == ["other"]
        assert (engines, len(llama.requests)) == ([other.url], count)
