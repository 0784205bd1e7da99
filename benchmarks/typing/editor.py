"""A language server with an editor in front of it, as an engine for the replay of typing traces.

The editor behaves as VS Code does: didChange with ranges in UTF-16, one `textDocument/inlineCompletion` for
each change, `$/cancelRequest` for the previous one. When the server reports with `aide/ready` that an
abandoned request now has an answer, the editor requests it again, and it sends cursor moves with
`aide/cursor`, as Aide's extension does.
"""

import asyncio
import os
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from aide_lsp.errors import AideError
from benchmarks.typing.lsp_client import Connection, process_seconds
from benchmarks.typing.replay import Request, Tokens
from benchmarks.typing.sources import Source
from benchmarks.typing.trace import Event

INLINE = "textDocument/inlineCompletion"
INVOKED, AUTOMATIC = 1, 2
START_SECONDS = 900  # the server may fetch and convert its model first
COST = re.compile(r"request (\d+): .*tokens (\d+) prompt / (\d+) cached / (\d+) generated(.*)")
"""The line of Aide's log with the cost of a request. Other servers have no such figures."""
CAPABILITIES = {
    "general": {"positionEncodings": ["utf-16"]},
    "workspace": {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}},
    "window": {"workDoneProgress": True},
    "textDocument": {
        "synchronization": {"dynamicRegistration": True, "didSave": True},
        "inlineCompletion": {"dynamicRegistration": True},
    },
    "experimental": {"aide": True},
}


@frozen
class _Asked:
    """The newest request, to repeat it."""

    request: Request
    uri: str
    version: int
    text: str
    cursor: int


class EditorEngine:
    """A server with the editor in front of it. All methods belong to the event loop's thread."""

    def __init__(self, name: str, settings: dict[str, Any], folder: Path, debounce_ms: float = 0) -> None:
        self.name, self._settings, self._folder = name, settings, folder
        self._debounce = debounce_ms / 1000
        self._connection = Connection(settings, self._notified)
        self._versions: dict[int, int] = {}
        self._names: dict[int, str] = {}
        self._ids: dict[int, Request] = {}
        self._newest: _Asked | None = None
        self._opened, self._is_aide = 0, False
        self.server = "unknown server"
        """Name and version that the server reports."""
        self.messages: list[str] = []
        """What the server showed to the user."""

    async def start(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Start the server and wait until it answers; `env`: its environment, if it is not our own.

        Raises:
            AideError: it cannot be started, or its model cannot be loaded.
        """
        await self._connection.start(command, env)
        asked = self._connection.ask("initialize", self._initialize())
        found = await asyncio.wait_for(asked, START_SECONDS)
        info = found.get("serverInfo") or {}
        self.server = f"{info.get('name', 'unknown server')} {info.get('version', '')}".strip()
        self._connection.notify("initialized", {})
        commands = (found["capabilities"].get("executeCommandProvider") or {}).get("commands", [])
        self._is_aide = "aide.status" in commands
        if self._is_aide:
            await self._wait_until_ready()
        await self._warm_up()

    async def stop(self) -> None:
        """End the server."""
        await self._connection.stop()

    def begin(self) -> None:
        """Close the files of the previous trace; those of the next one are other documents."""
        for file in list(self._names):
            self._connection.notify("textDocument/didClose", {"textDocument": {"uri": self._uri(file)}})
        self._names.clear()
        self._opened += 1
        self._newest = None

    def open(self, file: int, source: Source, text: str) -> None:
        """Open a file."""
        self._versions[file] = 1
        self._names[file] = self._name(source)
        document = {"uri": self._uri(file), "languageId": source.language, "version": 1, "text": text}
        self._connection.notify("textDocument/didOpen", {"textDocument": document})

    def _name(self, source: Source) -> str:
        """Return where in the folder a file is opened."""
        # A name of its own for each trace, because the server may remember what it did in a document.
        return f"{self._opened}/{Path(source.name.split()[-1]).name}"

    def edit(self, file: int, event: Event, before: str, after: str) -> None:
        """Send a change of a file's text."""
        self._versions[file] += 1
        change = {
            "range": {"start": position(before, event.start), "end": position(before, event.end)},
            # Deprecated, but VS Code sends it.
            "rangeLength": utf16(before[event.start : event.end]),
            "text": event.text,
        }
        document = {"uri": self._uri(file), "version": self._versions[file]}
        self._connection.notify(
            "textDocument/didChange", {"textDocument": document, "contentChanges": [change]}
        )

    def jump(self, file: int, text: str, cursor: int) -> None:
        """Send a cursor move. Only Aide's own extension does that."""
        if self._is_aide:
            place = {"uri": self._uri(file), "position": position(text, cursor)}
            self._connection.notify("aide/cursor", place)

    def ask(self, file: int, text: str, cursor: int) -> Request:
        """Request a completion, as an editor does automatically."""
        request = Request(time.perf_counter(), asyncio.get_running_loop().create_future())
        asked = self._newest = _Asked(request, self._uri(file), self._versions[file], text, cursor)
        if self._debounce:
            asyncio.get_running_loop().call_later(self._debounce, self._send_if_newest, asked)
        else:
            self._send(asked, AUTOMATIC)
        return request

    def limit(self, request: Request) -> None:
        """Cancel; if the server reports later that it has the answer, request it again."""
        self._cancel(request)

    def drop(self, request: Request) -> None:
        """Cancel for good."""
        if self._newest is not None and self._newest.request is request:
            self._newest = None
        self._cancel(request)

    @property
    def pid(self) -> int:
        """Process id of the server."""
        return self._connection.pid

    def cpu_seconds(self) -> float:
        """CPU seconds of the server and of its children that still run."""
        return process_seconds(self._connection.pid)

    def _send_if_newest(self, asked: _Asked) -> None:
        if self._newest is asked:
            self._send(asked, AUTOMATIC)

    def _send(self, asked: _Asked, kind: int) -> None:
        request = asked.request
        params = {
            "textDocument": {"uri": asked.uri},
            "position": position(asked.text, asked.cursor),
            "context": {"triggerKind": kind},
        }
        number, reply = self._connection.request(INLINE, params)
        self._ids[number] = request

        def came(reply: "asyncio.Future[Any]") -> None:
            if reply.exception() is None:
                request.answer(offered(reply.result(), asked.text, asked.cursor))
            elif number in self._ids:  # otherwise it was canceled, and the reply says so
                request.fail(str(reply.exception()))

        reply.add_done_callback(came)

    def _cancel(self, request: Request) -> None:
        for number in [number for number, other in self._ids.items() if other is request]:
            if not request.answered.done():
                self._connection.notify("$/cancelRequest", {"id": number})
                del self._ids[number]

    def _notified(self, method: str, params: Any) -> None:
        if method == "window/logMessage" and (cost := COST.search(params["message"])):
            request = self._ids.get(int(cost[1]))
            if request is not None:
                # A cached answer costs nothing now; the line says what it cost when it was generated.
                again = "from the completion cache" in cost[5]
                prompt, cached, generated = (int(number) for number in cost.groups()[1:4])
                request.tokens = Tokens(prompt, prompt, 0) if again else Tokens(prompt, cached, generated)
        elif method in ("window/showMessage", "window/showMessageRequest"):
            self.messages.append(params["message"])
        elif method == "aide/ready" and (asked := self._newest) is not None:
            there = (asked.uri, asked.version, position(asked.text, asked.cursor))
            ready = (params["uri"], params["version"], params["position"])
            if ready == there and not asked.request.answered.done():
                # As Aide's extension does: VS Code sets no time limit for an explicit request.
                self._send(asked, INVOKED)

    def _uri(self, file: int) -> str:
        return (self._folder / self._names[file]).as_uri()

    def _initialize(self) -> dict[str, Any]:
        root = self._folder.as_uri()
        return {
            "processId": os.getpid(),
            "clientInfo": {"name": "benchmarks.typing"},
            "rootUri": root,
            "workspaceFolders": [{"uri": root, "name": self._folder.name}],
            "capabilities": CAPABILITIES,
            "initializationOptions": self._settings,
        }

    async def _wait_until_ready(self) -> None:
        command = {"command": "aide.status", "arguments": [{}]}
        end = time.perf_counter() + START_SECONDS
        while time.perf_counter() < end:
            status = await self._connection.ask("workspace/executeCommand", command)
            if status["state"] == "ready":
                return
            if status["state"] == "failed":
                raise AideError(status["message"])
            await asyncio.sleep(0.2)
        raise AideError(f"The model was not loaded within {START_SECONDS} seconds.")

    async def _warm_up(self) -> None:
        """Request once: the first answer of a process costs more than any later one."""
        self.begin()
        source = Source("warm-up.py", "python", "def add(a, b):\n    return ")
        self.open(0, source, source.text)
        request = self.ask(0, source.text, len(source.text))
        await asyncio.wait([request.answered], timeout=START_SECONDS)
        if request.fault is not None or not request.answered.done():
            raise AideError(request.fault or f"{self.server} did not answer.")
        self.drop(request)


def utf16(text: str) -> int:
    """Return the length in UTF-16 units."""
    return len(text.encode("utf-16-le")) // 2


def position(text: str, offset: int) -> dict[str, int]:
    """Return the position of a code point as editors count: lines end with a line feed."""
    start = text.rfind("\n", 0, offset) + 1
    return {"line": text.count("\n", 0, start), "character": utf16(text[start:offset])}


def offered(result: Any, text: str, cursor: int) -> str:
    """Return what the first item would put at the cursor; empty: nothing, or it changes other text.

    It may replace the beginning of what follows in the line: what it puts there again is no part of it.
    """
    items = result.get("items", []) if isinstance(result, dict) else result or []
    if not items:
        return ""
    new, replaced = items[0]["insertText"], items[0].get("range")
    if isinstance(new, dict):
        new = new["value"]
    if replaced is None:
        return str(new)
    at, begin, end = position(text, cursor), replaced["start"], replaced["end"]
    is_here = begin["character"] <= at["character"] <= end["character"]
    if not is_here or not begin["line"] == at["line"] == end["line"]:
        return ""
    line = text[:cursor].rpartition("\n")[2]
    held = line.encode("utf-16-le")[2 * begin["character"] :].decode("utf-16-le", "replace")
    right = text[cursor:].partition("\n")[0].encode("utf-16-le")[: 2 * (end["character"] - at["character"])]
    put = str(new).removesuffix(right.decode("utf-16-le", "replace"))
    return put[len(held) :] if put.startswith(held) else ""
