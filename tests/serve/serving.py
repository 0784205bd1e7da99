"""A server in a thread of its own, on a fake model, and clients that speak to it byte by byte."""

import asyncio
import json
import socket
import ssl
from contextlib import contextmanager
from threading import Event, Thread

from attrs import frozen

from aide_lsp.completion.prompt import PartKind, Prompt, PromptPart
from aide_lsp.engines.engine import Engine
from aide_lsp.engines.local import LoadedModel
from aide_lsp.engines.shared.wire import from_options, from_prompt
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.serve.access import Rules
from aide_lsp.serve.app import create_app
from aide_lsp.serve.http_server import HttpServer
from aide_lsp.serve.listening import ListeningPlace, listen_tcp
from aide_lsp.serve.served import Served
from aide_lsp.settings.fields import Parameters
from tests.fakes import ByteTokenizer, FakeSession, continuing, description
from tests.patience import PATIENCE

TOKEN = "a-token-of-the-tests"
ANSWER = "a + b\n"


@frozen
class Running:
    """A server that runs."""

    place: ListeningPlace
    served: Served
    server: HttpServer
    session: FakeSession
    loop: asyncio.AbstractEventLoop
    ended: Event
    "Set when it has ended."

    @property
    def address(self):
        """What a socket connects to."""
        return str(self.place.path) if self.place.path else self.place.listener.getsockname()[:2]

    def connect(self, tls=None):
        """Return a connected socket. A test that waits for longer than its limit fails."""
        connection = socket.socket(self.place.listener.family)
        connection.settimeout(PATIENCE)
        connection.connect(self.address)
        return connection if tls is None else tls.wrap_socket(connection, server_hostname="localhost")

    def on_loop(self, function):
        """Call a function on the server's thread; return its result."""

        async def call():
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(PATIENCE)


@contextmanager
def running(
    place=None, *, token=TOKEN, names=(), script=None, session=None, loaded=True, idle=0.0, engine=None
):
    """Start a server; stop it in the end."""
    place = place or listen_tcp("127.0.0.1", 0, None)
    place.listener.listen(1_024)  # so that nobody has to wait for the thread
    session = session or FakeSession(script or continuing({"return ": ANSWER}))
    engine = engine or Engine(LoadedModel(ByteTokenizer(), session, description()))
    served, begun, ended, box = Served(engine if loaded else None), Event(), Event(), []

    async def serve():
        rules = Rules(token, place.names | frozenset(names))
        server = HttpServer(create_app(served, rules), place, idle_minutes=idle)
        served.connections = lambda: len(server.connections)
        served.clients = lambda: server.connections.sessions
        box.append(Running(place, served, server, session, asyncio.get_running_loop(), ended))
        begun.set()
        await server.serve()
        ended.set()

    thread = Thread(target=asyncio.run, args=(serve(),), daemon=True)
    thread.start()
    assert begun.wait(PATIENCE)
    (found,) = box
    try:
        yield found
    finally:
        session.hold = False
        if thread.is_alive():
            found.loop.call_soon_threadsafe(found.server.stop)
        thread.join(PATIENCE)
        assert not thread.is_alive()


@frozen
class Answer:
    """What came back."""

    status: int
    headers: dict
    body: bytes

    def json(self):
        return json.loads(self.body)

    def lines(self):
        return [json.loads(line) for line in self.body.splitlines()]


def head(method="GET", path="/health", *, token=TOKEN, host="localhost", **headers):
    """Return the head of a request; None leaves a header out."""
    given = {"Host": host, "Authorization": f"Bearer {token}" if token else None} | headers
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in given.items() if value is not None]
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "", ""]).encode("latin-1")


def read_answer(connection, method="GET"):
    """Read one answer; the connection stays open."""
    file = connection.makefile("rb")
    status = int(file.readline().split()[1])
    headers = {}
    while line := file.readline().strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    body = b""
    if method == "HEAD":
        pass
    elif headers.get("transfer-encoding") == "chunked":
        while size := int(file.readline(), 16):
            body += file.read(size)
            file.readline()
        file.readline()
    else:
        body = file.read(int(headers.get("content-length", "0")))
    return Answer(status, headers, body)


def request(method="GET", path="/aide/v1/engine", body=None, **how):
    """Return the bytes of a request; a body that is none yet becomes JSON."""
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    if data is not None:
        how.setdefault("Content_Length", str(len(data)))
    return head(method, path, **how) + (data or b"")


def ask(server, method="GET", path="/aide/v1/engine", body=None, *, tls=None, **how):
    """Send one request on a connection of its own."""
    with server.connect(tls) as connection:
        connection.sendall(request(method, path, body, **how))
        return read_answer(connection, method)


def generation(text="def add(a, b):\n    return ", *, max_tokens=20, **more):
    """Return the body of a request for a text."""
    prompt = Prompt((PromptPart(PartKind.PREFIX, text),), healed="", closers="", document="x.py")
    options = GenerationOptions(
        Parameters(temperature=0.0, num_context=3000), max_tokens=max_tokens, drawn_seed=7
    )
    return {"prompt": from_prompt(prompt), "options": from_options(options)} | more


def text_of(answer):
    """Return the text of a stream that ended well."""
    lines = answer.lines()
    assert "end" in lines[-1], lines[-1]
    return "".join(line["text"] for line in lines if "text" in line and "step" not in line)


def is_fine(server, tls=None, **how):
    """Assert that the engine answers an honest client."""
    answer = ask(server, "POST", "/aide/v1/generate", generation(), tls=tls, **how)
    assert (answer.status, text_of(answer)) == (200, ANSWER)


def trusting(certificate):
    """Return what a client of a server with this certificate needs."""
    return ssl.create_default_context(cafile=str(certificate))
