"""A language client that costs almost nothing: JSON-RPC with a server process, over its stdin and stdout.

Requests of the server are reported like notifications, and answered at once.
"""

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import psutil

from aide_lsp.errors import AideError

OWN_SERVER = (sys.executable, "-P", "-m", "aide_lsp.lsp.main")
"""Aide's server in this environment, whatever modules the current folder has."""
PIPE_BYTES = 1 << 22
ENDING_SECONDS = 20


class Connection:
    """A running server. All methods belong to the event loop's thread."""

    def __init__(self, settings: dict[str, Any], notified: Callable[[str, Any], None]) -> None:
        self._settings, self._notified = settings, notified
        self._replies: dict[int, asyncio.Future[Any]] = {}
        self._next = 0
        self._gone: AideError | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._command: Sequence[str] = ()

    async def start(self, command: Sequence[str], env: Mapping[str, str] | None = None) -> None:
        """Start the server; `env`: its environment, if it is not that of this process.

        Raises:
            AideError: there is no such program.
        """
        self._command = command
        # A file, not a pipe: a pipe that no one reads would stop a talkative server.
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                limit=PIPE_BYTES,
                env=env,
            )
        except OSError as error:
            self._errors.close()
            raise AideError(f"The language server cannot be started with {command[0]}: {error}") from None
        self._reading = asyncio.ensure_future(self._read())

    @property
    def pid(self) -> int:
        """Process id of the server."""
        assert self._process is not None
        return self._process.pid

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, params: Any) -> tuple[int, "asyncio.Future[Any]"]:
        """Send a request; return its id and a future for the reply.

        The future fails with an `AideError` if the server answers with an error, or is gone.
        """
        self._next += 1
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if self._gone is not None:
            reply.set_exception(self._gone)
            return self._next, reply
        self._replies[self._next] = reply
        self._send({"jsonrpc": "2.0", "id": self._next, "method": method, "params": params})
        return self._next, reply

    async def ask(self, method: str, params: Any) -> Any:
        """Send a request and wait for its reply."""
        return await self.request(method, params)[1]

    async def stop(self) -> None:
        """Shut the server down; whatever it started ends too."""
        process = self._process
        if process is None:
            return
        with suppress(psutil.NoSuchProcess):
            # Before the server ends: afterwards its children can no longer be found.
            children = psutil.Process(process.pid).children(recursive=True)
            with suppress(AideError, TimeoutError):
                await asyncio.wait_for(self.ask("shutdown", None), ENDING_SECONDS)
                self.notify("exit", None)
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), ENDING_SECONDS)
            for one in children:
                with suppress(psutil.NoSuchProcess):
                    one.kill()
        if process.returncode is None:
            process.kill()
            await process.wait()
        if self._reading is not None:
            await self._reading
        self._errors.close()

    def _send(self, message: dict[str, Any]) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        body = json.dumps(message).encode()
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    async def _read(self) -> None:
        assert self._process is not None
        stream = self._process.stdout
        assert stream is not None
        try:
            while header := await stream.readuntil(b"\r\n\r\n"):
                length = next(
                    int(line.partition(b":")[2])
                    for line in header.split(b"\r\n")
                    if line.lower().startswith(b"content-length:")
                )
                self._take(json.loads(await stream.readexactly(length)))
        except (asyncio.IncompleteReadError, ConnectionError):
            self._ended()

    def _take(self, message: dict[str, Any]) -> None:
        if "method" not in message:
            reply = self._replies.pop(message.get("id", -1), None)
            if reply is None or reply.done():
                return
            if "error" in message:
                reply.set_exception(AideError(f"The server answered: {message['error'].get('message')}"))
                reply.exception()  # marked as seen: nobody may be waiting for it
            else:
                reply.set_result(message.get("result"))
        elif "id" in message:
            items = message.get("params") or {}
            asked = message["method"] == "workspace/configuration"
            result = [self._settings for _ in items.get("items", [])] if asked else None
            self._notified(message["method"], items)
            self._send({"jsonrpc": "2.0", "id": message["id"], "result": result})
        else:
            self._notified(message["method"], message.get("params"))

    def _ended(self) -> None:
        self._errors.seek(0)
        last = self._errors.read().decode("utf-8", "replace").strip().splitlines()[-5:]
        self._gone = AideError("\n".join([f"The language server {self._command[0]} ended.", *last]))
        for reply in self._replies.values():
            if not reply.done():
                reply.set_exception(self._gone)
                reply.exception()
        self._replies.clear()


def process_seconds(pid: int) -> float:
    """Return the CPU seconds of a process and its children."""
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                total += times.user + times.system
    return total
