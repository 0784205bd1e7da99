"""A client that speaks bytes: for what a proper client library would not let us send."""

import json
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

from tests.patience import PATIENCE

FAKE_SERVER = str(Path(__file__).with_name("fake_server.py"))
ROOT = Path(__file__).parents[2]


def frame(message) -> bytes:
    """Put a message, or a body that is bytes already, into a frame."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def command(*arguments: str, script: str = FAKE_SERVER) -> list[str]:
    """The command line of the fake server, or of another script next to it."""
    return [sys.executable, str(Path(__file__).parent / script), *arguments]


class RawClient:
    """A server process and what it sent. Requests get ids 1, 2, 3 ..."""

    def __init__(self, *arguments: str, read: bool = True, script: str = FAKE_SERVER, **process) -> None:
        self.process = subprocess.Popen(
            command(*arguments, script=script),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            **process,
        )
        self.messages: Queue = Queue()
        self.notifications: list = []
        self.replies: dict = {}
        self.stderr = b""
        self._next = 0
        self._threads = [Thread(target=self._read_stderr, daemon=True)]
        if read:
            self._threads.append(Thread(target=self._read, daemon=True))
        for thread in self._threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.process.kill()
        self.process.wait()
        for thread in self._threads:
            thread.join(PATIENCE)
            # Closing what it reads would wait for it forever.
            assert not thread.is_alive(), "a process that the server has started holds its output open"
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with suppress(BrokenPipeError):
                stream.close()

    def send_bytes(self, data: bytes) -> None:
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def request(self, method: str, params=None, **more) -> int:
        """Send a request; return its id."""
        self._next += 1
        message = {"jsonrpc": "2.0", "id": self._next, "method": method, "params": params, **more}
        self.send_bytes(frame(message))
        return self._next

    def notify(self, method: str, params=None) -> None:
        self.send_bytes(frame({"jsonrpc": "2.0", "method": method, "params": params}))

    def reply(self, msg_id, seconds: float = PATIENCE) -> dict:
        """Wait for the reply to a request."""
        while msg_id not in self.replies:
            self._take(self.messages.get(timeout=seconds))
        return self.replies[msg_id][0]

    def result(self, method: str, params=None):
        """Send a request, wait, return its result."""
        return self.reply(self.request(method, params))["result"]

    def next_message(self, seconds: float = PATIENCE):
        """Wait for the next message, whatever it is; None at the end."""
        message = self.messages.get(timeout=seconds)
        self._take(message)
        return message

    def rest(self) -> None:
        """Take all messages until the server ends."""
        while (message := self.messages.get(timeout=PATIENCE)) is not None:
            self._take(message)

    def drain(self) -> None:
        """Take what has come so far."""
        try:
            while True:
                self._take(self.messages.get_nowait())
        except Empty:
            return

    def initialize(self, capabilities=None, initialized: bool = True, **more) -> dict:
        params = {"processId": None, "rootUri": None, "capabilities": capabilities or {}, **more}
        result = self.result("initialize", params)
        if initialized:
            self.notify("initialized", {})
        return result

    def open(self, text: str, uri: str = "file:///a.py") -> None:
        document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": document})

    def ask(self, line: int = 0, character: int = 1000, uri: str = "file:///a.py", trigger: int = 1) -> int:
        """Ask for an inline completion; return the request's id."""
        return self.request("textDocument/inlineCompletion", inline_params(line, character, uri, trigger))

    def command(self, name: str, *arguments):
        return self.result("workspace/executeCommand", {"command": name, "arguments": list(arguments)})

    def end(self) -> int:
        """Shut down properly; return the exit code."""
        self.request("shutdown")
        self.notify("exit")
        self.rest()
        return self.process.wait(PATIENCE)

    def _take(self, message) -> None:
        if message is None:
            raise EOFError("the server ended")
        if "method" in message:
            self.notifications.append(message)
        else:
            self.replies.setdefault(message["id"], []).append(message)

    def _read(self) -> None:
        stream = self.process.stdout
        while True:
            header = stream.readline()
            if not header:
                self.messages.put(None)
                return
            # Anything else on stdout would be an error of the server.
            assert header.startswith(b"Content-Length: "), header
            assert stream.readline() == b"\r\n"
            self.messages.put(json.loads(stream.read(int(header.split()[1]))))

    def _read_stderr(self) -> None:
        for line in self.process.stderr:
            self.stderr += line


def inline_params(line: int, character: int, uri: str = "file:///a.py", trigger: int = 1) -> dict:
    return {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": trigger},
    }
