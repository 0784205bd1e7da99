"""Hostile frames cost less than 64 MiB, honest large texts are served: measured on the real process."""

import json
import sys
from io import BytesIO
from pathlib import Path

import pytest

from aide_lsp.lsp.rpc.messages import UNREADABLE, WEIGHT_LIMIT, TooLarge, read_message, weight_of
from tests.lsp.raw_client import RawClient, frame
from tests.patience import PATIENCE

MIB = 2**20
LIMIT = 64 * MIB
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def memory(client) -> dict[str, int]:
    lines = Path(f"/proc/{client.process.pid}/status").read_text().splitlines()
    found = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Vm")}
    return {key: int(value) * 1024 for key, value in found.items()}


def in_a_message(values: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","id":"x","method":"aide/none","params":%s}' % values


def opening(text: bytes, uri: bytes = b"file:///big.py") -> bytes:
    item = b'{"uri":"%s","languageId":"python","version":1,"text":"%s"}' % (uri, text)
    return b'{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":%s}}' % item


def changing(count: int, change: bytes) -> bytes:
    params = b'{"textDocument":{"uri":"file:///a.py","version":2},"contentChanges":[%s]}'
    changes = b",".join([change] * count)
    return b'{"jsonrpc":"2.0","method":"textDocument/didChange","params":%s}' % (params % changes)


HOSTILE = {
    "string of 60 MiB": lambda: in_a_message(b'"%s"' % (b"x" * 60 * MIB)),
    "20 MB of {}": lambda: in_a_message(b"[%s{}]" % (b"{}," * 6_666_666)),
    "20 MB of [": lambda: b"[" * 20_000_000,
    "objects in objects": lambda: in_a_message(b"[%s0]" % (b'{"":{"":{"":0}}},' * 600_000)),
    "small numbers": lambda: in_a_message(b"[%s0]" % (b"9999," * 2_000_000)),
    "small strings": lambda: in_a_message(b"[%s0]" % (b'"ab",' * 2_000_000)),
    "under the limit": lambda: in_a_message(b"[%s0]" % (b'{"":0},' * 90_000)),
    "text of 22 MiB": lambda: in_a_message(b'"%s"' % (b"x" * 22 * MIB)),
    "text and an emoji": lambda: in_a_message('"{}\U0001f600"'.format("x" * 20 * MIB).encode()),
    "text and an escaped emoji": lambda: in_a_message(b'"%s\\ud83d\\ude00"' % (b"x" * 20 * MIB)),
    "quotes and backslashes": lambda: in_a_message(b'"%s"' % (rb"\"" * 10 * MIB)),
    "line ends": lambda: opening(rb"\n" * 4_900_000),
    "changes": lambda: changing(300_000, b'{"text":""}'),
    "wrong changes": lambda: changing(60_000, b'{"text":5}'),
    "names of documents": lambda: in_a_message(b"[%s0]" % (b'"uri":"x",' * 2_000_000)),
}


@pytest.fixture(scope="module")
def client():
    with RawClient() as client:
        client.initialize()
        client.command("aide.status")
        yield client


@linux_only
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_message_costs_little_memory_and_the_next_is_served(client, name):
    client.open("abc")
    client.command("aide.status")
    Path(f"/proc/{client.process.pid}/clear_refs").write_text("5")  # reset the peak
    before = memory(client)["VmRSS"]
    client.send_bytes(frame(HOSTILE[name]()))
    assert client.command("aide.status")["version"]
    after = memory(client)
    peak, kept = ((after[key] - before) / MIB for key in ("VmHWM", "VmRSS"))
    print(f"{name}: peak +{peak:.0f}, then +{kept:.0f} MiB")
    assert after["VmHWM"] - before < LIMIT


@linux_only
def test_promised_messages_that_never_come_cost_nothing():
    with RawClient() as client:
        client.initialize()
        client.command("aide.status")
        before = memory(client)["VmRSS"]
        client.send_bytes(b"Content-Length: %d\r\n\r\n{" % (64 * MIB))
        client.process.stdin.close()
        assert client.process.wait(PATIENCE) == 1
        assert before > 0


@linux_only
def test_flood_of_large_messages_waits_for_its_turn(client):
    before = memory(client)["VmRSS"]
    Path(f"/proc/{client.process.pid}/clear_refs").write_text("5")
    body = in_a_message(b"[%s0]" % (b'{"":0},' * 30_000))
    client.send_bytes(frame(body) * 60)
    assert client.command("aide.status")["version"]
    assert memory(client)["VmHWM"] - before < 2 * LIMIT


def reason(client, uri="file:///big.py") -> str | None:
    items = client.reply(client.ask(uri=uri))["result"]
    return None if items else client.command("aide.status")["lastRequest"]["reason"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (b"x = 1\\n" * 100_000, None),
        (b"x, y = {}, []\\n" * 300_000, None),
        ("x = 'é \U0001f600'\\n".encode() * 100_000, None),
        (b"x = 1\\n" * 3_000_000, "too-large"),
        (b"x" * 60_000_000, "too-large"),
    ],
    ids=["600 kB", "4 MB of code", "emoji", "20 MB", "60 MB"],
)
def test_large_text_is_served_or_the_reason_is_reported(client, text, expected):
    client.send_bytes(frame(opening(text)))
    assert reason(client) == expected
    client.notify("textDocument/didChange", {"textDocument": {"uri": "file:///big.py"}, "contentChanges": []})
    assert reason(client) == expected
    change = {"textDocument": {"uri": "file:///big.py", "version": 3}, "contentChanges": [{"text": "x = "}]}
    client.notify("textDocument/didChange", change)
    assert reason(client) is None
    client.notify("textDocument/didClose", {"textDocument": {"uri": "file:///big.py"}})
    assert reason(client) == "unknown-document"


def test_change_that_is_too_large_makes_the_text_unknown_until_it_is_sent_again(client):
    client.open("abc", "file:///p/ä.py")
    uri = json.dumps("file:///p/ä.py").encode()
    document = b'"textDocument":{"uri":%s,"version":2}' % uri
    params = b'{%s,"contentChanges":[{"text":"%s"}]}' % (document, b"x" * 30_000_000)
    change = b'{"jsonrpc":"2.0","method":"textDocument/didChange","params":%s}' % params
    client.send_bytes(frame(change))
    assert reason(client, "file:///p/ä.py") == "too-large"
    client.open("abc", "file:///p/ä.py")
    assert reason(client, "file:///p/ä.py") is None


def test_request_that_is_too_large_is_answered_with_the_limit(client):
    client.replies.pop(None, None)
    client.send_bytes(frame(in_a_message(b'"%s"' % (b"x" * 30 * MIB))))
    assert "up to 24 MiB" in client.reply(None)["error"]["message"]


def read(body: bytes):
    return read_message(BytesIO(body), len(body), lambda weight: None)[0]


def test_brackets_in_strings_are_no_values():
    text = rb"[{,\"\\" * 400_000
    assert read(b'{"text":"%s"}' % text)["text"] == '[{,"\\' * 400_000
    assert weight_of(b'["%s"]' % text) < WEIGHT_LIMIT
    assert weight_of(b"[%s]" % (b"[" * 400_000)) > WEIGHT_LIMIT


@pytest.mark.parametrize("cut", range(-3, 4))
def test_escapes_at_the_edges_of_pieces_are_understood(cut):
    body = b'["%s%s","%s"]' % (b"x" * (65536 - 2 + cut), b'\\\\\\"', b"," * 300_000)
    assert weight_of(body) < WEIGHT_LIMIT


@pytest.mark.parametrize("at", [0, 65_500, 65_530, 100_000, 30_000_000])
def test_documents_of_a_message_that_is_not_read_are_found(at):
    body = b'["%s",{"uri":"file:///\\u00e4\\"b.py"}]' % (b"x" * at) + b" " * 30_000_000
    found = read(body)
    assert isinstance(found, TooLarge)
    assert found.uris == ('file:///ä"b.py',)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_said_to_be_none(body):
    assert read(body) is UNREADABLE
