"""A small server in this process that answers as llama.cpp does: it says what it is told to, and can fail.

The real one (`llama_reference.py`) says whether this one is like it.
"""

import json
import re
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

CONTROL = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>", "<|fim_pad|>", "<|endoftext|>")
FIRST_ID = 0x110000
"""Tokens of text are its code points, and those of control tokens are beyond them."""
_LITERAL = re.compile(r'root ::= "((?:[^"\\]|\\.)*)"')


class LlamaStandIn:
    """The server. `with` runs it; another one can take its port later."""

    def __init__(self, text: str = "pass", port: int = 0) -> None:
        self.text = text
        """What it completes with, everywhere."""
        self.status: int | None = None
        """The status of all answers to requests for completions; None: 200."""
        self.key: str | None = None
        """The API key that it wants for everything but `/health`."""
        self.page: bytes | None = None
        """A page that it answers everything with, as another kind of server does."""
        self.goes_on = Event()
        """Whether it generates: otherwise it is silent after the request."""
        self.goes_on.set()
        self.left = Event()
        """A client has closed the connection while it was silent."""
        self.requests: list[tuple[str, Any, dict[str, str]]] = []
        """Path, body, and headers of all requests."""
        self._server = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._server.daemon_threads = True

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._server.server_address[1]

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def host(self) -> str:
        """Its host, as Aide writes it."""
        return f"127.0.0.1:{self.port}"

    @property
    def prompts(self) -> list[str]:
        """The texts of all prompts that it got."""
        bodies = [body for path, body, _ in self.requests if path == "/completion"]
        return ["".join(chr(one) for one in body["prompt"] if one < FIRST_ID) for body in bodies]

    @property
    def received(self) -> str:
        """All that it got."""
        return json.dumps([(path, body) for path, body, _ in self.requests]) + "".join(self.prompts)

    def __enter__(self) -> "LlamaStandIn":
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self.goes_on.set()
        self._server.shutdown()
        self._server.server_close()


def _handler(server: LlamaStandIn) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers one request."""

        def do_GET(self) -> None:
            self._answer(None)

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def log_message(self, *args: object) -> None:
            """Log nothing."""

        def _answer(self, body: Any) -> None:
            server.requests.append((self.path, body, dict(self.headers)))
            if server.page is not None:
                self._send(200, server.page, "text/html")
            elif server.key and self.headers.get("Authorization") != f"Bearer {server.key}":
                self._json({"error": {"code": 401, "message": "Invalid API Key"}}, 401)
            elif self.path == "/completion" and server.status:
                self._json({"error": {"code": server.status, "message": "it is broken"}}, server.status)
            elif self.path == "/completion":
                with suppress(OSError):
                    self._complete(body)
            else:
                found = _FACTS.get(self.path.partition("?")[0])
                self._json(_tokenized(body) if self.path == "/tokenize" else found, 200 if found else 404)

        def _complete(self, body: Any) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            while not server.goes_on.wait(0.005):
                try:
                    self.wfile.write(b":\n\n")
                except OSError:
                    server.left.set()
                    return
            literal = _LITERAL.match(body.get("grammar", ""))
            healed = json.loads(f'"{literal[1]}"') if literal else ""
            pieces = [healed, *re.findall(r"\s*\S+|\s+", server.text)] if body["n_predict"] else []
            for piece in pieces:
                self._event({"content": piece, "tokens": [ord(one) for one in piece], "stop": False})
            counts = {"tokens_evaluated": len(body["prompt"]), "tokens_predicted": len(pieces)}
            self._event({"content": "", "tokens": [], "stop": True, "stop_type": "eos", **counts})

        def _event(self, event: Any) -> None:
            self.wfile.write(b"data: " + json.dumps(event).encode() + b"\n\n")

        def _json(self, found: Any, status: int) -> None:
            self._send(status, json.dumps(found or {"error": "not found"}).encode(), "application/json")

        def _send(self, status: int, data: bytes, kind: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler


_FACTS = {
    "/props": {"default_generation_settings": {"n_ctx": 4096}, "build_info": "b1", "bos_token": ""},
    "/v1/models": {"data": [{"id": "stand-in", "meta": {"n_vocab": 1000}}]},
    "/health": {"status": "ok"},
    "/tokenize": {"tokens": []},
}


def _tokenized(body: Any) -> Any:
    if body.get("with_pieces"):
        known = [name for name in CONTROL if name in body["content"]]
        return {"tokens": [{"id": FIRST_ID + CONTROL.index(name), "piece": name} for name in known]}
    parts = body["content"] if isinstance(body["content"], list) else [body["content"]]
    return {
        "tokens": [one for part in parts for one in ([part] if isinstance(part, int) else map(ord, part))]
    }
