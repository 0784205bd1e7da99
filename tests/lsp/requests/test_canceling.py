"""A cancel is answered at once under a flood, and ends everything that the canceled request started."""

import time

import pytest

from tests.lsp.raw_client import RawClient, frame, inline_params

CANCELLED = -32800


@pytest.fixture
def client():
    with RawClient() as client:
        client.initialize()
        client.command("aide.status")
        yield client


def begun(client, count: int) -> None:
    """Wait until the model has begun so many completions."""
    while str(client.notifications).count("slow begins") < count:
        client.next_message()


def typed_along(client) -> tuple[int, int]:
    """Ask, type on, and ask again while the first completion is being made."""
    client.open("#slow 60")
    first = client.ask(trigger=2)
    begun(client, 1)
    place = {"line": 0, "character": 8}
    change = {"range": {"start": place, "end": place}, "text": " "}
    document = {"uri": "file:///a.py", "version": 2}
    client.notify("textDocument/didChange", {"textDocument": document, "contentChanges": [change]})
    second = client.ask(trigger=2)
    assert client.reply(first)["result"] == []
    return first, second


def test_cancel_of_the_newest_request_ends_also_what_was_going_on_for_it(client):
    _, second = typed_along(client)
    client.notify("$/cancelRequest", {"id": second})
    assert client.reply(second)["error"]["code"] == CANCELLED
    client.open("#stats", "file:///stats.py")
    (item,) = client.reply(client.ask(uri="file:///stats.py", trigger=2))["result"]
    assert "early 1" in item["insertText"]


def test_cancel_of_a_request_that_was_answered_ends_what_still_continues_for_it(client):
    first, second = typed_along(client)
    client.notify("$/cancelRequest", {"id": first})
    begun(client, 2)  # the worker is free for the second request
    client.notify("$/cancelRequest", {"id": second})
    assert client.reply(second)["error"]["code"] == CANCELLED


def test_request_that_waits_in_the_queue_is_cancelled_at_once_and_never_started(client):
    """The cancel is read while thousands of messages wait for the event loop."""
    client.open("x = 1\n" * 2000)
    requests = []
    for number in range(3000):
        request = {"jsonrpc": "2.0", "id": f"f{number}", "method": "textDocument/inlineCompletion"}
        requests.append(frame({**request, "params": inline_params(number % 2000, 99)}))
    cancel = {"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": "f2999"}}
    client.send_bytes(b"".join([*requests, frame(cancel)]))
    order = []
    while len(order) < 3000:
        message = client.next_message()
        if "method" not in message:
            order.append(message["id"])
    assert client.replies["f2999"][0]["error"]["code"] == CANCELLED
    assert order.index("f2999") < 2990


def test_cancels_under_a_flood_are_answered_soon(client):
    """460 requests a second; a bound for a busy machine, the benchmark has the figures."""
    client.open("#slow 0.5")
    sent, answered = {}, {}
    for _ in range(460):
        msg_id = client.ask(character=9)
        client.notify("$/cancelRequest", {"id": msg_id})
        sent[msg_id] = time.monotonic()
        time.sleep(1 / 460)
    for msg_id in sent:
        client.reply(msg_id)
        answered[msg_id] = time.monotonic()
    assert max(answered[msg_id] - sent[msg_id] for msg_id in list(sent)[-20:]) < 2
