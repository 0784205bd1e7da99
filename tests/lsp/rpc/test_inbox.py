"""Messages are handled in order, and an async handler begins before the next message is handled."""

import asyncio

import pytest

from aide_lsp.lsp.rpc.inbox import Inbox
from tests.lsp.fake_server import FakeCompleter
from tests.lsp.in_process import Connection
from tests.lsp.raw_client import inline_params
from tests.patience import PATIENCE

pytestmark = pytest.mark.asyncio
ALL = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 99}}


async def test_a_task_that_a_message_starts_takes_its_first_step_before_the_next_message():
    inbox = Inbox(lambda body: None, leave=lambda reason: None)
    happened, tasks = [], []

    async def work(number):
        happened.append(f"step {number}")
        await asyncio.sleep(0)

    def handle(message):
        happened.append(f"message {message['id']}")
        tasks.append(asyncio.ensure_future(work(message["id"])))

    for number in range(100):
        inbox.put({"method": "m", "id": number})
    inbox.open(asyncio.get_running_loop(), handle)
    while len(happened) < 200:
        await asyncio.sleep(0)
    assert happened == [f"{what} {number}" for number in range(100) for what in ("message", "step")]


async def test_a_handler_that_fails_does_not_stop_the_messages():
    inbox = Inbox(lambda body: None, leave=lambda reason: None)
    loop, handled = asyncio.get_running_loop(), []
    loop.set_exception_handler(lambda loop, context: None)

    def handle(message):
        handled.append(message["id"])
        raise ValueError

    for number in range(3):
        inbox.put({"method": "m", "id": number})
    inbox.open(loop, handle)
    while len(handled) < 3:
        await asyncio.sleep(0)


async def test_the_first_message_is_waited_for_if_what_came_before_was_canceled_at_once():
    inbox = Inbox(lambda body: None, leave=lambda reason: None)
    inbox.put({"method": "m", "id": 1})
    inbox.put({"method": "$/cancelRequest", "params": {"id": 1}})
    first = asyncio.create_task(asyncio.to_thread(inbox.first))
    done, _ = await asyncio.wait([first], timeout=0.2)
    assert not done
    inbox.put({"method": "initialize", "id": 2})
    assert (await first)["id"] == 2


@pytest.fixture
def texts(monkeypatch):
    """The texts that were completed."""
    found = []

    def complete(self, request, *rest):
        found.append(request.text)
        return original(self, request, *rest)

    original = FakeCompleter.complete
    monkeypatch.setattr(FakeCompleter, "complete", complete)
    return found


async def test_a_request_is_about_the_text_as_it_was_before_the_messages_that_follow(texts):
    """All of them are there before the event loop handles the first."""
    client = Connection()
    await client.initialize()
    for number in range(20):
        uri = f"file:///{number}.py"
        client.open(f"asked {number}", uri)
        client.send("textDocument/inlineCompletion", inline_params(0, 99, uri, trigger=2), id=number)
        client.send(
            "textDocument/didChange",
            {
                "textDocument": {"uri": uri, "version": 2},
                "contentChanges": [{"range": ALL, "text": "changed"}],
            },
        )
    for number in range(20):
        assert (await client.reply(number))["result"] == []  # stale
    assert texts == [f"asked {number}" for number in range(20)]


async def test_requests_of_one_document_are_begun_in_order_and_only_the_newest_is_answered():
    client = Connection()
    await client.initialize()
    client.open("#slow 0.05")
    for number in range(20):
        client.send("textDocument/inlineCompletion", inline_params(0, 99), id=number)
    answers = [(await client.reply(number))["result"] for number in range(20)]
    assert [bool(answer) for answer in answers] == [False] * 19 + [True]


async def test_a_request_that_is_cancelled_in_the_queue_is_answered_at_once_and_never_begun(texts):
    client = Connection()
    await client.initialize()
    for name in ("first", "cancelled"):
        client.open(name, f"file:///{name}.py")
        client.send("textDocument/inlineCompletion", inline_params(0, 99, f"file:///{name}.py"), id=name)
    client.send("$/cancelRequest", {"id": "cancelled"})
    # The event loop has not handled any of them.
    assert (client.sent[-1]["id"], client.sent[-1]["error"]["code"]) == ("cancelled", -32800)
    await client.reply("first")
    client.open("last", "file:///last.py")
    client.send("textDocument/inlineCompletion", inline_params(0, 99, "file:///last.py"), id="last")
    await client.reply("last")
    assert "cancelled" not in texts
    assert sum(message.get("id") == "cancelled" for message in client.sent) == 1


async def test_a_request_cancelled_before_it_began_is_begun_for_a_client_that_is_notified_later():
    """The cancel has been read already when the event loop takes the request."""
    client = Connection()
    await client.initialize(experimental={"aide": True})
    client.inbox.notifies_later = True
    client.open("x = ")
    client.send("textDocument/inlineCompletion", inline_params(0, 99, trigger=2), id=1)
    client.send("$/cancelRequest", {"id": 1})
    assert (await client.reply(1))["error"]["code"] == -32800
    async with asyncio.timeout(PATIENCE):
        while not any(message.get("method") == "aide/ready" for message in client.sent):
            await asyncio.sleep(0.001)
    assert sum(message.get("id") == 1 for message in client.sent) == 1
