"""A cancel is answered at once under a flood, and ends everything that the canceled request started."""

import time

import pytest

from tests.lsp.raw_client import RawClient

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


def test_cancels_under_a_flood_are_heard(client):
    """460 requests a second, each of which would never be answered."""
    client.open("#slow 3600")
    sent = []
    for _ in range(460):
        sent.append(client.ask(character=11))
        client.notify("$/cancelRequest", {"id": sent[-1]})
        time.sleep(1 / 460)
    for msg_id in sent:
        client.reply(msg_id)
