"""A model is downloaded after a question, if the client can ask one."""

import asyncio
import itertools

import pytest

from aide_lsp.errors import DownloadError, ModelError
from aide_lsp.loading import MissingModel
from aide_lsp.lsp.model.consent import waiting
from tests.lsp.fake_server import FakeCompleter
from tests.lsp.in_process import Connection
from tests.lsp.raw_client import inline_params
from tests.patience import PATIENCE

_ids = itertools.count(1000)
ASKED = {"experimental": {"aide": True}, "window": {"showMessage": {}}}
QUESTION = (
    "Aide needs its model, Coder 0.5B (0.5 GB). Download it once? After that, nothing is downloaded or sent."
)


def test_without_the_model_the_reason_says_how_to_get_it():
    assert waiting(MissingModel("Coder 0.5B", 491_400_064)) == (
        "Aide offers completions once its model, Coder 0.5B (0.5 GB), is there. "
        "Download it in Aide's menu, in Neovim with :Aide install."
    )


class Fresh:
    """A client on a machine without models."""

    def __init__(self, error=None) -> None:
        self.on_disk: set = set()
        self.loaded: list = []
        self.error = error
        self.connection = Connection(self._load, find_missing=self._missing, loading_seconds=0.05)
        self.server = self.connection.server

    def _missing(self, settings):
        if settings.model == "unknown":
            raise ModelError("Unknown model.")
        return None if settings.model in self.on_disk else MissingModel("Coder 0.5B", 491_400_064)

    def _load(self, settings, progress):
        self.loaded.append(settings.model)
        if self.error is not None:
            raise self.error
        self.on_disk.add(settings.model)
        return FakeCompleter(settings.model or "default")

    def begin(self, capabilities=ASKED, **options):
        options = {"ledger": "off", **options}
        params = {"processId": None, "capabilities": capabilities, "initializationOptions": options}
        self.connection.send("initialize", params, id="initialize")
        self.connection.send("initialized", {})

    async def until(self, holds):
        async with asyncio.timeout(PATIENCE):
            while not (found := holds()):
                await asyncio.sleep(0.001)
        return found

    def questions(self):
        return [one for one in self.connection.sent if one.get("method") == "window/showMessageRequest"]

    async def asked(self, number=1):
        """Wait for the question."""
        await self.until(lambda: len(self.questions()) >= number)
        return self.questions()[number - 1]

    def answer(self, request, answer):
        result = None if answer is None else {"title": answer}
        self.connection.inbox.put({"jsonrpc": "2.0", "id": request["id"], "result": result})

    async def state(self, state):
        await self.until(lambda: self.summary["state"] == state)

    @property
    def summary(self):
        return self.server.status.summary()

    async def run(self, command, *arguments):
        params, one = {"command": command, "arguments": list(arguments)}, next(_ids)
        self.connection.send("workspace/executeCommand", params, id=one)
        return (await self.connection.reply(one))["result"]


async def test_the_question_says_what_and_how_much_and_its_answer_loads_the_model():
    client = Fresh()
    client.begin()
    request = await client.asked()
    assert request["params"]["message"] == QUESTION
    assert [action["title"] for action in request["params"]["actions"]] == ["Download", "Not Now"]
    assert client.summary["state"] == "missing"
    assert "Coder 0.5B (0.5 GB)" in client.summary["message"]
    assert client.loaded == []
    client.answer(request, "Download")
    await client.state("ready")
    assert client.loaded == [None]


@pytest.mark.parametrize("answer", ["Not Now", None, "something else"])
async def test_without_agreement_nothing_is_downloaded_and_requests_get_the_reason(answer):
    client = Fresh()
    client.begin()
    client.answer(await client.asked(), answer)
    client.connection.open("x = ")
    client.connection.send("textDocument/inlineCompletion", inline_params(0, 4, "file:///a.py"), id="item")
    assert (await client.connection.reply("item"))["result"] == []
    assert client.summary["nothing"]["reason"] == "missing"
    # Settings that change something else are no reason to ask again.
    client.connection.send("workspace/didChangeConfiguration", {"settings": {"aide": {"topK": 7}}})
    await client.run("aide.status")
    assert client.summary["state"] == "missing"
    assert len(client.questions()) == 1
    assert client.loaded == []


async def test_a_client_that_refuses_to_ask_leaves_the_model_missing():
    client = Fresh()
    client.begin()
    request = await client.asked()
    client.connection.inbox.put({"jsonrpc": "2.0", "id": request["id"], "error": {"code": 1, "message": "x"}})
    assert (await client.run("aide.fetchModel"))["message"] == "The model is being downloaded."
    await client.state("ready")


async def test_the_command_downloads_it_later_and_the_question_that_is_still_open_changes_nothing():
    client = Fresh()
    client.begin()
    request = await client.asked()
    assert (await client.run("aide.fetchModel"))["state"] == "loading"
    await client.state("ready")
    client.answer(request, "Not Now")
    assert (await client.run("aide.fetchModel"))["message"] == "The model is on your disk already."
    assert client.loaded == [None]


async def test_the_command_tries_again_after_a_download_that_failed():
    client = Fresh(DownloadError("No network."))
    client.begin(download=True)
    await client.state("failed")
    client.error = None
    await client.run("aide.fetchModel")
    await client.state("ready")


@pytest.mark.parametrize(
    ("capabilities", "options"),
    [
        (ASKED, {"download": True}),
        ({"experimental": {"aide": True}}, {}),
        ({"window": {"showMessage": {}}}, {}),
        ({}, {}),
    ],
)
async def test_who_agreed_before_or_cannot_be_asked_gets_the_model_at_once(capabilities, options):
    client = Fresh()
    client.begin(capabilities, **options)
    await client.state("ready")
    assert client.questions() == []
    assert client.server.configuration.resolve().problems == ()


async def test_a_model_on_the_disk_needs_no_question():
    client = Fresh()
    client.on_disk.add(None)
    client.begin()
    await client.state("ready")
    assert client.questions() == []


async def test_selecting_a_model_is_agreement(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    client = Fresh()
    client.on_disk.add(None)
    client.begin()
    await client.state("ready")
    await client.run("aide.selectModel", {"model": "qwen2.5-coder-1.5b"})
    await client.until(lambda: client.loaded[-1:] == ["qwen2.5-coder-1.5b"])
    assert client.questions() == []


async def test_a_model_that_settings_name_is_asked_for():
    client = Fresh()
    client.on_disk.add(None)
    client.begin()
    await client.state("ready")
    client.connection.send("workspace/didChangeConfiguration", {"settings": {"aide": {"model": "other"}}})
    client.answer(await client.asked(), "Download")
    await client.until(lambda: client.loaded[-1:] == ["other"])


async def test_a_model_that_does_not_exist_is_not_asked_for():
    client = Fresh(ModelError("Unknown model."))
    client.begin(model="unknown")
    await client.state("failed")
    assert client.questions() == []
