"""A server in this process and what it sends, for tests that look inside."""

import asyncio
import json

from aide_lsp.lsp import handlers
from aide_lsp.lsp.commands import dispatch
from aide_lsp.lsp.logs import ClientHandler
from aide_lsp.lsp.rpc.inbox import Inbox
from aide_lsp.lsp.server import Server
from tests.lsp.fake_server import load
from tests.patience import PATIENCE


class Connection:
    """A server, fed through an inbox as the transport does it. Needs a running loop."""

    def __init__(self, load_completer=None, **options) -> None:
        self.sent: list = []
        self.server = Server(self, load_completer or load("ok"), ClientHandler(), **options)
        handlers.register(self.server)
        dispatch.register(self.server)
        self.inbox = Inbox(self.write, leave=lambda reason: None)
        self.inbox.open(asyncio.get_running_loop(), self.server.take)

    def write(self, body: bytes) -> None:
        """Stand for the transport."""
        self.sent.append(json.loads(body))

    def send(self, method: str, params=None, **more) -> None:
        """Queue a message; nothing is handled before the next `await`."""
        self.inbox.put({"jsonrpc": "2.0", "method": method, "params": params, **more})

    def open(self, text: str, uri: str = "file:///a.py") -> None:
        document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        self.send("textDocument/didOpen", {"textDocument": document})

    async def initialize(self, *, options=None, folders=(), **capabilities) -> None:
        """Initialize, and wait until the model is loaded."""
        # Completions of tests do not belong into the ledger of whoever runs them.
        params = {
            "processId": None,
            "capabilities": capabilities,
            "initializationOptions": {"ledger": "off", **(options or {})},
            "workspaceFolders": [{"uri": uri, "name": uri} for uri in folders],
        }
        self.send("initialize", params, id="initialize")
        self.send("initialized", {})
        async with asyncio.timeout(PATIENCE):
            while self.server.host.completer is None:
                await asyncio.sleep(0.001)

    async def reply(self, msg_id, seconds: float = PATIENCE) -> dict:
        """Wait for the reply to a request."""
        async with asyncio.timeout(seconds):
            while True:
                for message in self.sent:
                    if message.get("id") == msg_id and "method" not in message:
                        return message
                await asyncio.sleep(0.001)
