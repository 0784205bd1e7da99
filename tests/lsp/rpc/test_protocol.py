"""Whatever the params are: exactly one reply to each request, none to a notification, no pop-up."""

import asyncio
import copy
import json
import logging

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lsprotocol import types as t

from aide_lsp.lsp import handlers
from aide_lsp.lsp.commands import dispatch
from aide_lsp.lsp.logs import ClientHandler
from aide_lsp.lsp.server import Server
from tests.lsp.fake_server import load
from tests.lsp.raw_client import inline_params
from tests.patience import PATIENCE

URI = "file:///a.py"
PLACE = {"textDocument": {"uri": URI}, "position": {"line": 0, "character": 1}}
SPAN = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 1}}
DOCUMENT = {"uri": URI, "languageId": "python", "version": 1, "text": "x = "}
REGENERATE = {"uri": URI, "position": PLACE["position"], "seed": 5, "parameters": {"topK": 3}}
VALID = {
    "textDocument/inlineCompletion": inline_params(0, 1),
    "textDocument/completion": PLACE,
    "workspace/executeCommand": {"command": "aide.regenerate", "arguments": [REGENERATE]},
    "initialize": {
        "processId": None,
        "rootUri": None,
        "capabilities": {"general": {"positionEncodings": ["utf-8"]}},
        "initializationOptions": {"ledger": "off"},
    },
    "textDocument/didOpen": {"textDocument": DOCUMENT},
    "textDocument/didChange": {
        "textDocument": {"uri": URI, "version": 2},
        "contentChanges": [{"range": SPAN, "text": "y"}, {"text": "all"}],
    },
    "textDocument/didClose": {"textDocument": {"uri": URI}},
    "workspace/didChangeConfiguration": {"settings": {"aide": {"topK": 7, "temperature": 0.5}}},
    "workspace/didChangeWorkspaceFolders": {
        "event": {
            "added": [{"uri": "file:///b", "name": "b"}],
            "removed": [{"uri": "file:///c", "name": "c"}],
        }
    },
    "workspace/didChangeWatchedFiles": {"changes": [{"uri": "file:///b/.aide.toml", "type": 2}]},
    "$/setTrace": {"value": "verbose"},
    "$/cancelRequest": {"id": 3},
}
# These end the server, which the other tests do.
ENDS = {"exit", "shutdown"}
METHODS = sorted(method for method in t.METHOD_TO_TYPES if method not in ENDS)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["\ud800", "x" * 5000, "file:///a.py", "utf-16"]),
)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(value, path=()):
    """All paths into a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from places(inner, (*path, key))


@st.composite
def messages(draw):
    """A method with valid params in which one place is replaced, removed or left; or with anything."""
    if draw(st.booleans()):
        return draw(st.sampled_from(METHODS)), draw(JSON)
    method = draw(st.sampled_from(sorted(VALID)))
    params = copy.deepcopy(VALID[method])
    path = draw(st.sampled_from(list(places(params))))
    if not path:
        return method, draw(JSON | st.just(params))
    holder = params
    for key in path[:-1]:
        holder = holder[key]
    if draw(st.booleans()):
        del holder[path[-1]]
    else:
        holder[path[-1]] = draw(JSON)
    return method, params


class Recorder:
    """A stand-in for the transport."""

    def __init__(self) -> None:
        self.sent: list = []

    def write(self, body: bytes) -> None:
        self.sent.append(json.loads(body))


async def converse(script) -> list:
    """Send (method, params, is request) to a server that is initialized; return what it sent."""
    recorder = Recorder()
    server = Server(recorder, load("ok"), ClientHandler(), loading_seconds=0.05)
    handlers.register(server)
    dispatch.register(server)
    server.protocol.receive(
        {"jsonrpc": "2.0", "id": "first", "method": "initialize", "params": VALID["initialize"]}
    )
    server.protocol.receive({"jsonrpc": "2.0", "method": "initialized", "params": {}})
    for number, (method, params, is_request) in enumerate(script):
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        server.protocol.receive({**message, "id": number} if is_request else message)
        await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE):
        while server.protocol._running:
            await asyncio.sleep(0.001)
    return recorder.sent


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(messages(), st.booleans()), max_size=20))
def test_each_request_gets_exactly_one_reply_and_nothing_pops_up(script):
    requests = [
        (method, params, is_request or (method in VALID and "did" not in method and "$" not in method))
        for (method, params), is_request in script
    ]
    logger = logging.getLogger("aide")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        sent = asyncio.run(converse(requests))
    finally:
        logger.setLevel(level)
    replies = [message["id"] for message in sent if "method" not in message]
    expected = ["first", *(number for number, (_, _, is_request) in enumerate(requests) if is_request)]
    assert sorted(map(str, replies)) == sorted(map(str, expected))
    for message in sent:
        text = json.dumps(message)
        assert "Traceback" not in text
        assert "aide_lsp/" not in text
        # The one thing worth showing is a wrong setting.
        if message.get("method") == "window/showMessage":
            assert message["params"]["message"].startswith("Aide: ")
            assert "workspace/didChangeConfiguration" in text or "editor settings" in text
