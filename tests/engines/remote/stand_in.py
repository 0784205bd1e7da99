"""A server whose answers a test writes down: it behaves as the documentation of a kind of server says."""

import json
import socket
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aide_lsp.engines.remote.flavors.choice import ServerChoice
from aide_lsp.engines.remote.model import RemoteModel
from aide_lsp.server_address import server_address
from tests.patience import PATIENCE


class StandIn:
    """A running server. `answers` maps a path to what it answers: JSON, or a function of handler and body."""

    def __init__(self, answers, port=0):
        self.answers = answers
        self.requests = []
        """(path, parsed body, headers) of each request."""
        self.connections = 0
        self.closed = threading.Event()
        """Set when a client has closed a connection that `until_closed` watches."""
        self._http = ThreadingHTTPServer(("127.0.0.1", port), _handler(self))
        self._http.daemon_threads = True
        self._open = []
        self._models = []
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def port(self):
        return self._http.server_address[1]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def paths(self):
        return [path for path, _, _ in self.requests]

    def body(self, path):
        """The latest body that was sent to a path."""
        return next(body for sent, body, _ in reversed(self.requests) if sent == path)

    def choice(self, **settings):
        return ServerChoice(server_address(self.url), **settings)

    def model(self, clock=None, **settings):
        choice = self.choice(**settings)
        self._models.append(RemoteModel(choice, clock) if clock else RemoteModel(choice))
        return self._models[-1]

    def stop(self):
        for model in self._models:
            model.close()
        self._http.shutdown()
        self._http.server_close()
        for connection in self._open:
            connection.close_connection = True
            with suppress(OSError):
                connection.connection.shutdown(socket.SHUT_RDWR)


@contextmanager
def stand_in(answers, port=0):
    server = StandIn(answers, port)
    try:
        yield server
    finally:
        server.stop()


def stream(*events, done=True, content_type="text/event-stream"):
    """Answer with a stream of server-sent events."""

    def answer(handler, body):
        data = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        send(handler, 200, (data + ("data: [DONE]\n\n" if done else "")).encode(), content_type)

    return answer


def lines(*events):
    """Answer with one JSON object per line."""
    data = "".join(json.dumps(event) + "\n" for event in events).encode()
    return lambda handler, body: send(handler, 200, data, "application/x-ndjson")


def status(number, said="", **headers):
    """Answer with a status."""
    data = said if isinstance(said, str) else json.dumps(said)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler, body: send(handler, number, data.encode(), "application/json", named)


def send(handler, number, data, content_type="application/json", headers=None):
    handler.send_response(number)
    handler.send_header("Content-Type", content_type)
    handler.send_header("Content-Length", str(len(data)))
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)


def until_closed(handler, body):
    """Answer nothing, and wait until the client closes the connection."""
    handler.connection.settimeout(PATIENCE)
    if handler.connection.recv(1) == b"":
        handler.stand_in.closed.set()
    handler.close_connection = True


def _handler(server):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        stand_in = server

        def setup(self):
            super().setup()
            server.connections += 1
            server._open.append(self)

        def do_GET(self):
            self._answer(None)

        def do_POST(self):
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def log_message(self, *given):
            pass

        def _answer(self, body):
            server.requests.append((self.path, body, dict(self.headers)))
            found = server.answers.get(self.path, status(404, {"detail": "Not Found"}))
            if not callable(found):
                found = status(200, found)
            found(self, body)

    return Handler
