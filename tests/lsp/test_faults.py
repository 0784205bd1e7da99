"""The real server when something below it fails: it says so in a sentence, and it lives."""

import pytest

from raw_client import RawClient


@pytest.fixture(scope="module")
def client():
    with RawClient() as client:
        client.initialize()
        yield client


@pytest.mark.parametrize(
    "kind",
    ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "PanicException", "StopIteration", "MemoryError"],
)
def test_whatever_a_completion_raises_the_request_has_a_reason_and_the_next_one_works(client, kind):
    client.open(f"#raise {kind} secret", f"file:///{kind}.py")
    assert client.reply(client.ask(uri=f"file:///{kind}.py"))["result"] in (None, [], {"items": []})
    last = client.command("aide.status")["lastRequest"]
    assert (last["shown"], last["reason"]) == (False, "error")
    assert kind in last["message"]
    client.open("x = ", "file:///fine.py")
    assert client.reply(client.ask(uri="file:///fine.py"))["result"]
    assert "secret" not in str(client.notifications)
