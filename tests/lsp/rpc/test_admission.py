"""Who is admitted over TCP and Unix sockets: one client that begins properly; no one else can harm it."""

import json
import os
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager, suppress
from threading import Thread

import psutil
import pytest

from aide_lsp.lsp.rpc import admission
from aide_lsp.lsp.rpc.admission import Door
from tests.lsp.raw_client import ROOT, command, frame
from tests.patience import PATIENCE, wait_for

posix_only = pytest.mark.skipif(os.name == "nt", reason="Unix sockets and permissions")
TOKEN = "a-token-that-nobody-guesses"


class Listening:
    """A server that listens."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self.process = subprocess.Popen(
            command(*arguments),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            text=True,
            env=os.environ | environment,
        )
        self.address = self.line().rpartition(" on ")[2]

    def line(self) -> str:
        return self.process.stderr.readline().strip()

    def connect(self) -> socket.socket:
        """Connect to it, as anybody can."""
        if self.address.startswith("/"):
            connection = socket.socket(socket.AF_UNIX)
            connection.connect(self.address)
        else:
            host, port = self.address.split(":")
            connection = socket.create_connection((host, int(port)))
        connection.settimeout(PATIENCE)
        return connection


@contextmanager
def listening(*arguments: str, **environment: str):
    server = Listening(*arguments, **environment)
    with server.process:
        try:
            yield server
        finally:
            server.process.kill()


def initialize(**options) -> dict:
    params = {"capabilities": {}, "initializationOptions": options}
    return {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}


def say(connection: socket.socket, message) -> dict | None:
    """Send a message and read the reply; None: the connection was closed."""
    with suppress(ConnectionError), connection.makefile("rb", 0) as stream:
        connection.sendall(message if isinstance(message, bytes) else frame(message))
        return read(stream)
    return None


def read(stream) -> dict | None:
    line = stream.readline()
    if not line:
        return None
    stream.readline()
    body, length = b"", int(line.split(b":")[1])
    while len(body) < length:
        body += stream.read(length - len(body))
    return json.loads(body)


def served_and_ended(server, connection, **options) -> None:
    """Be the client: initialize, shut down; the server ends properly."""
    with connection:
        assert say(connection, initialize(**options))["result"]["serverInfo"]["name"] == "aide-lsp"
        connection.sendall(frame({"jsonrpc": "2.0", "id": 2, "method": "shutdown"}))
        connection.sendall(frame({"jsonrpc": "2.0", "method": "exit"}))
        assert server.process.wait(PATIENCE) == 0


def test_tcp_serves_one_client_that_sends_the_printed_token():
    with listening("--tcp", "127.0.0.1:0") as server:
        kind, token = server.line().rsplit(" ", 1)
        assert (kind, len(token) >= 32) == ("aide-lsp: token", True)
        served_and_ended(server, server.connect(), token=token)


def test_strangers_neither_get_in_nor_end_the_server_nor_keep_the_client_out():
    with ExitStack() as stack, listening("--tcp", ":0", AIDE_TOKEN=TOKEN) as server:
        silent = [stack.enter_context(server.connect()) for _ in range(20)]
        for token in ("", TOKEN[:-1], TOKEN + "x", None, "\ud800é", 5, [TOKEN]):
            with server.connect() as stranger:
                error = say(stranger, initialize(token=token))["error"]["message"]
                assert "initializationOptions.token" in error
                assert ("missing" if token is None else "invalid") in error
                assert TOKEN not in error
                assert stranger.recv(1) == b""
        for said in (
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
            b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}",
            b"Content-Length: 60000000\r\n\r\n{",
            b"Content-Length: 2\r\n\r\n{}",
            frame([initialize(token=TOKEN)]),
            frame({"jsonrpc": "2.0", "id": 1, "method": "shutdown"}),
            frame(b"[" * 100_000),
            b"\0" * 100_000,
        ):
            with server.connect() as stranger:
                assert say(stranger, said) is None
        assert server.process.poll() is None
        assert len(silent) == 20
        served_and_ended(server, server.connect(), token=TOKEN)
        assert TOKEN not in server.process.stderr.read()


def test_many_silent_connections_do_not_keep_the_client_out(monkeypatch):
    """Even if each could stay for ever."""
    monkeypatch.setattr(admission, "SECONDS", 3600.0)
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as stack:
        door = Door(TOKEN)
        Thread(target=door.accept_all, args=(listener,), daemon=True).start()
        connections = (socket.create_connection(listener.getsockname()) for _ in range(150))
        *_, client = map(stack.enter_context, connections)
        client.sendall(frame(initialize(token=TOKEN)))
        door.admitted.get(timeout=PATIENCE)
        listener.shutdown(socket.SHUT_RDWR)


def test_token_is_no_setting_and_others_after_the_client_find_nobody():
    with listening("--tcp", ":0", AIDE_TOKEN=TOKEN) as server, server.connect() as client:
        assert say(client, initialize(token=TOKEN, topK=7))["result"]
        run = {"jsonrpc": "2.0", "id": 3, "method": "workspace/executeCommand"}
        client.sendall(frame({**run, "params": {"command": "aide.status"}}))
        with client.makefile("rb") as stream:
            while (status := read(stream))["id"] != 3:
                pass
        assert (status["result"]["parameters"]["topK"], status["result"]["settingsProblems"]) == (7, [])
        with pytest.raises(ConnectionRefusedError):
            server.connect()


@pytest.mark.parametrize("token", [TOKEN, None])
def test_the_second_of_two_clients_is_informed_that_there_is_another(token):
    with socket.create_server(("127.0.0.1", 0)) as listener, ExitStack() as stack:
        door = Door(token)
        Thread(target=door.accept_all, args=(listener,), daemon=True).start()
        first, second = (
            stack.enter_context(socket.create_connection(listener.getsockname())) for _ in range(2)
        )
        first.sendall(frame(initialize(token=TOKEN)))
        door.admitted.get(timeout=PATIENCE)
        second.settimeout(PATIENCE)
        assert "Another client" in say(second, initialize(token=TOKEN))["error"]["message"]
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("token", ["x", "a" * 15])
def test_token_that_can_be_guessed_is_refused(token):
    refused = subprocess.run(
        command("--tcp", ":0"),
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"AIDE_TOKEN": token},
    )
    assert refused.returncode == 2
    assert "at least 16 characters" in refused.stderr


@posix_only
def test_unix_socket_is_private_and_removed_afterwards(tmp_path):
    path = tmp_path / "run" / "aide.sock"
    with listening("--socket", str(path)) as server:
        assert server.address == str(path)
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        served_and_ended(server, server.connect())
    assert not path.exists()


@posix_only
def test_second_server_on_a_socket_neither_ends_the_first_nor_takes_its_place(tmp_path):
    path = tmp_path / "aide.sock"
    with listening("--socket", str(path)) as server:
        for _ in range(3):
            second = subprocess.run(command("--socket", str(path)), capture_output=True, text=True, cwd=ROOT)
            assert (second.returncode, "Another server already listens" in second.stderr) == (2, True)
        served_and_ended(server, server.connect())


@posix_only
def test_socket_left_behind_is_replaced_but_a_file_and_a_link_are_not(tmp_path):
    path, link = tmp_path / "aide.sock", tmp_path / "link"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(path))
    with listening("--socket", str(path)) as server:
        assert server.address == str(path)
    link.symlink_to(tmp_path / "precious")
    (tmp_path / "precious").write_text("precious")
    for place, said in ((tmp_path / "precious", "is not a socket"), (link, "is a link")):
        refused = subprocess.run(command("--socket", str(place)), capture_output=True, text=True, cwd=ROOT)
        assert (refused.returncode, said in refused.stderr) == (2, True)
    assert link.is_symlink()
    assert (tmp_path / "precious").read_text() == "precious"


@posix_only
@pytest.mark.parametrize(("mode", "allowed"), [(0o777, False), (0o770, False), (0o1777, True), (0o755, True)])
def test_folder_in_which_others_could_replace_the_socket_is_refused(tmp_path, mode, allowed):
    folder = tmp_path / "run"
    folder.mkdir()
    folder.chmod(mode)
    if allowed:
        with listening("--socket", str(folder / "s")) as server:
            assert server.address.startswith("/")
        return
    refused = subprocess.run(command("--socket", str(folder / "s")), capture_output=True, text=True, cwd=ROOT)
    assert (refused.returncode, "Other users can change" in refused.stderr) == (2, True)


@posix_only
@pytest.mark.parametrize("connected", [False, True])
def test_server_that_listens_ends_with_the_process_that_started_it(tmp_path, connected):
    path = tmp_path / "aide.sock"
    start = f"server = subprocess.Popen({command('--socket', str(path))!r}, stderr=subprocess.DEVNULL)"
    script = f"import subprocess; {start}; print(server.pid, flush=True); input()"
    starter = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT
    )
    server = int(starter.stdout.readline())
    with socket.socket(socket.AF_UNIX) as connection:
        wait_for(lambda: connection.connect_ex(str(path)) == 0)
        if connected:
            connection.settimeout(PATIENCE)
            assert say(connection, initialize())["result"]
        starter.kill()
        starter.communicate()
        wait_for(lambda: not psutil.pid_exists(server))
