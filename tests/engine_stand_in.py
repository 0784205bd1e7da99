"""An engine of Aide's over HTTP, as simple as can be: one `LocalModel`, a thread for each connection.

It can be lost, hang, or answer with anything, at a chosen place.
"""

import json
import socketserver
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from aide_lsp import __version__
from aide_lsp.completion.observer import UNOBSERVED
from aide_lsp.engines.shared import stream, wire
from aide_lsp.explain.sent_trace import SentTrace
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.listening.private_socket import BACKLOG
from aide_lsp.server_address import ServerAddress

Disturb = Callable[[str, int], Any]
"""Called with `generate` and the number of each line, and with the names of other requests. What it returns
is written instead of the answer: bytes, after which the connection is closed. None: nothing is disturbed."""


class EngineStandIn:
    """Use as a context manager."""

    def __init__(self, model, *, path: Path | None = None, protocol: int = wire.PROTOCOL) -> None:
        self.model, self.path, self.protocol = model, path, protocol
        self.machine = "test"
        self.shorten = 0
        """After so many pieces a text ends; 0: where the model ends it."""
        self.disturb: Disturb = lambda name, line: None
        self.requests: list[tuple[str, dict[str, Any]]] = []
        self.sessions: set[str] = set()
        self.cancelled = threading.Event()
        self.lock = threading.Lock()
        self._open = set()
        stand_in = self

        class Handler(_Handler):
            engine = stand_in

        kind = socketserver.ThreadingUnixStreamServer if path else socketserver.ThreadingTCPServer
        # As many may wait as at the real one.
        kind = type("Listening", (kind,), {"request_queue_size": BACKLOG})
        self._server = kind(str(path) if path else ("127.0.0.1", 0), Handler)
        self._server.daemon_threads, self._server.block_on_close = True, False
        self._server.handle_error = lambda *_: None  # a client has gone

    @property
    def address(self) -> ServerAddress:
        if self.path:
            return ServerAddress("http://localhost", "the shared engine", True, str(self.path))
        host = f"127.0.0.1:{self._server.server_address[1]}"
        return ServerAddress(f"http://{host}", host, True)

    def names(self) -> list[str]:
        """What was asked, in order."""
        return [name for name, _ in self.requests]

    def kill(self) -> None:
        """End as a killed process does: all connections break."""
        self._server.shutdown()
        self._server.server_close()
        if self.path:
            self.path.unlink(missing_ok=True)
        for connection in [*self._open]:
            with suppress(OSError):
                connection.shutdown(2)

    def __enter__(self) -> "EngineStandIn":
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class _Handler(BaseHTTPRequestHandler):
    engine: EngineStandIn
    protocol_version = "HTTP/1.1"
    # Not Nagle's delay for each line; a Unix socket has none.
    disable_nagle_algorithm = False

    def setup(self) -> None:
        super().setup()
        self.engine._open.add(self.connection)

    def finish(self) -> None:
        self.engine._open.discard(self.connection)
        with suppress(OSError):
            super().finish()

    def log_message(self, *args: object) -> None:
        pass

    def address_string(self) -> str:
        return "client"

    def do_GET(self) -> None:
        self._answer(None)

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: Any) -> None:
        engine, name = self.engine, self.path.removeprefix("/aide/v1/")
        engine.requests.append((name, body))
        engine.sessions.add(self.headers.get("X-Session-Id"))
        with suppress(OSError):
            if (said := engine.disturb(name, -1)) is not None:
                self._break_off(said)
            elif name == "generate":
                self._generate(body)
            else:
                answer = self._other(name, body)
                self._json(404 if answer is None else 200, {} if answer is None else answer)

    def _other(self, name: str, body: Any) -> Any:
        engine, model = self.engine, self.engine.model
        if name == "engine":
            facts = {"protocol": engine.protocol, "aide": __version__, "machine": engine.machine}
            return facts | {"model": wire.from_info(model.info)}
        if name == "tokens":
            return {"counts": [model.count_tokens(text) for text in body["texts"]]}
        with engine.lock:
            if name == "prefill":
                prompt, options = self._asked(body)
                return {"tokens": model.prefill(prompt, options, CancelToken())}
            if name == "self-test":
                return {"passed": model.self_test()}
            if name == "release":
                model.release_memory()
                return {}
        return None

    def _asked(self, body: Any):
        return wire.to_prompt(body["prompt"]), wire.to_options(body["options"], self.engine.model.info.limits)

    def _generate(self, body: Any) -> None:
        prompt, options = self._asked(body)
        self.send_response(200)
        self.send_header("X-Aide-Machine", self.engine.machine)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self.count = 0
        observer = SentTrace(options.parameters, self._line) if body["traces"] else UNOBSERVED
        with self.engine.lock:
            generation = self.engine.model.generate(prompt, options, CancelToken(), observer)
            try:
                for number, piece in enumerate(generation, 1):
                    self._line(stream.text_line(piece, generation))
                    if number == self.engine.shorten:
                        break
            except OSError:
                self.engine.cancelled.set()
                raise
            finally:
                generation.close()
        self._line(stream.end_line(generation))
        self.wfile.write(b"0\r\n\r\n")

    def _line(self, data: Any) -> None:
        said = self.engine.disturb("generate", self.count)
        self.count += 1
        if said is not None:
            self._break_off(said)
            raise ConnectionAbortedError
        line = json.dumps(data).encode() + b"\n"
        self.wfile.write(b"%x\r\n%b\r\n" % (len(line), line))
        self.wfile.flush()

    def _break_off(self, said: bytes) -> None:
        self.wfile.write(said)
        self.wfile.flush()
        self.close_connection = True
        self.connection.shutdown(2)

    def _json(self, status: int, data: Any) -> None:
        body = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("X-Aide-Machine", self.engine.machine)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
