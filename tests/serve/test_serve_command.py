"""The command `aide serve`: what it prints, how it ends, and a sentence for every mistake."""

import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace

import pytest

from aide_lsp import loading
from aide_lsp.cli.commands import serve as serve_command
from aide_lsp.errors import ModelFilesError
from aide_lsp.serve.main import BoundedHandler
from aide_lsp.settings.fields import Settings
from tests.patience import PATIENCE
from tests.serve.serving import generation, head

DATA = Path(__file__).parent / "data"
TINY = ("--model", "tiny", "--provider", "cpu")


@pytest.fixture(scope="module")
def env(home):
    return os.environ | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "AIDE_DATA_DIR": str(home / "data"),
    }


@contextmanager
def serving(env, *options):
    """Run `aide serve` until it is ready; give the process, what it printed, and its port."""
    command = [sys.executable, "-m", "aide_lsp", "serve", "--port", "0", *TINY, *options]
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            printed = []
            while "Ctrl-C" not in (printed or [""])[-1]:
                line = process.stdout.readline()
                assert line, process.stderr.read()
                printed.append(line)
            yield process, "".join(printed), int(printed[0].rpartition(":")[2])
        finally:
            process.kill()


def ask(port, token, path="/aide/v1/engine", body=None):
    connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    header = {"Authorization": f"Bearer {token}"}
    connection.request("POST" if body else "GET", path, body, header)
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


def test_started_then_it_says_where_it_is_and_the_command_it_prints_works(env, home):
    with serving(env) as (process, printed, port):
        token_file = home / "data" / "serve.token"
        assert printed.startswith(f"Aide serves tiny (CPU, recipe exact) at http://127.0.0.1:{port}\n")
        assert f"Token: in {token_file}\n" in printed
        assert token_file.stat().st_mode & 0o777 == 0o600 or os.name == "nt"
        token = token_file.read_text().strip()
        assert len(token) == 43
        assert token not in printed
        assert ask(port, token)[0] == 200
        assert ask(port, token + "x")[0] == 401
        (command,) = [line.strip() for line in printed.splitlines() if line.startswith("  curl")]
        if os.name != "nt":
            run = subprocess.run(["sh", "-c", f"{command} -s"], capture_output=True, text=True, check=True)
            assert '"text":' in run.stdout
        process.send_signal(signal.SIGTERM)
        rest, said = process.communicate(timeout=PATIENCE)
        assert (process.returncode, rest) == (0, "")
        assert all(line in ("Loading the model",) or "onvert" in line for line in said.splitlines()), said
    # The token stays the same.
    with serving(env) as (process, _, port):
        assert ask(port, token)[0] == 200


def test_engine_of_editors_then_its_log_has_nothing_for_a_terminal(env, tmp_path):
    log, announcement = tmp_path / "engine.log", tmp_path / "engine.json"
    command = [sys.executable, "-m", "aide_lsp", "serve", "--port", "0", *TINY]
    command += ["--log", str(log), "--announce", str(announcement)]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        while "Aide serves" not in (log.read_text() if log.exists() else ""):
            assert process.poll() is None
        process.terminate()
        assert process.communicate(timeout=PATIENCE) == (b"", b"")
    port = json.loads(announcement.read_text())["port"]
    (line,) = [line for line in log.read_text().splitlines() if line.startswith("Aide serves")]
    assert line == f"Aide serves tiny (CPU, recipe exact) at http://127.0.0.1:{port}"
    assert "Ctrl-C" not in log.read_text()
    assert "curl" not in log.read_text()


def test_log_that_grows_then_it_begins_again(tmp_path):
    log = tmp_path / "engine.log"
    with log.open("a", encoding="utf-8") as stream:
        handler = BoundedHandler(stream, most=1_000)
        for number in range(100):
            handler.handle(logging.makeLogRecord({"msg": f"{number}: {'x' * 50}"}))
            assert log.stat().st_size < 1_100
    assert log.read_text().splitlines()[-1].startswith("99: ")


def test_texts_and_tokens_then_they_are_nowhere_in_what_it_prints(env, home):
    with serving(env) as (process, printed, port):
        token = (home / "data" / "serve.token").read_text().strip()
        body = generation("my secret text = ")
        body["options"]["parameters"]["num_context"] = 500
        assert ask(port, token, "/aide/v1/generate", json.dumps(body))[0] == 200
        assert ask(port, token, "/aide/v1/generate", b'{"secret')[0] == 400
        assert ask(port, "secret", "/secret?secret")[0] == 401
        process.send_signal(signal.SIGINT)
        rest, said = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        assert "secret" not in printed + rest + said
        assert token not in printed + rest + said


@pytest.mark.skipif(os.name == "nt", reason="it is used in a shell of Unix")
def test_signal_while_a_request_runs_then_it_is_answered_first(env, home):
    body = generation("x = ")
    body["options"]["parameters"]["num_context"] = 500
    data = json.dumps(body).encode()
    with serving(env) as (process, _, port):
        token = (home / "data" / "serve.token").read_text().strip()
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
            # It runs until all of it has come.
            begun = head("POST", "/aide/v1/generate", token=token, Content_Length=str(len(data))) + data[:10]
            client.sendall(begun)
            assert ask(port, token)[0] == 200  # the server has read what came before
            process.send_signal(signal.SIGTERM)
            said = ""
            while "Ending after the requests that run" not in said:
                said = process.stderr.readline()
                assert said, "It ends without a word"
            client.sendall(data[10:])
            answer = client.makefile("rb").read()
        process.communicate(timeout=PATIENCE)
        assert process.returncode == 0
        assert answer.startswith(b"HTTP/1.1 200")
        assert b'"end":' in answer


@pytest.mark.skipif(os.name == "nt", reason="it is used in a shell of Unix")
def test_second_signal_then_it_ends_at_once(env, home):
    with serving(env) as (process, _, port):
        token = (home / "data" / "serve.token").read_text().strip()
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as client:
            # A request whose body does not come, so that it does not end.
            more = {"Content_Length": "5", "Expect": "100-continue"}
            client.sendall(head("POST", "/aide/v1/generate", token=token, **more))
            assert client.recv(100).startswith(b"HTTP/1.1 100")
            process.send_signal(signal.SIGINT)
            while "Ctrl-C again ends at once" not in (said := process.stderr.readline()):
                assert said
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 130


@pytest.mark.skipif(os.name == "nt", reason="Windows has no Unix sockets")
def test_socket_then_no_token_and_it_is_gone_after_the_end(env, tmp_path):
    path = tmp_path / "aide.sock"
    command = [sys.executable, "-m", "aide_lsp", "serve", "--socket", str(path), *TINY]
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            printed = [process.stdout.readline() for _ in range(2)]
            assert printed[0].endswith(f"at {path}\n")
            assert printed[1] == "No token: only you can connect.\n"
            assert path.exists()
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 0
            assert not path.exists()
        finally:
            process.kill()


SIGNALED = """
import asyncio, signal
from aide_lsp.serve.http_server import HttpServer
from aide_lsp.serve.listening import listen_tcp

async def serve():
    server = HttpServer(None, listen_tcp("127.0.0.1", 0, None))
    server.begins = lambda: {begins}
    await server.serve()

asyncio.run(serve())
print("ended", flush=True)
{after}
"""
INTERRUPT = "signal.raise_signal(signal.SIGINT)"


@pytest.mark.parametrize(
    ("begins", "after", "status"),
    [
        # As soon as clients can connect.
        (INTERRUPT, "", 0),
        # When the event loop has closed: a second one ends the process at once, a first one comes too late.
        (INTERRUPT, INTERRUPT, 130),
        ("server.stop()", INTERRUPT, 0),
    ],
)
def test_signal_at_the_beginning_or_the_end_then_it_ends_as_in_between(env, begins, after, status):
    command = [sys.executable, "-c", SIGNALED.format(begins=begins, after=after)]
    run = subprocess.run(command, env=env, capture_output=True, text=True, timeout=PATIENCE)
    assert (run.returncode, run.stdout, run.stderr) == (status, "ended\n", "")


@pytest.mark.parametrize(
    ("options", "status", "said"),
    [
        ("--host 0.0.0.0", 2, "text and token would travel unencrypted"),
        ("--host ::", 2, "On ::, other machines can connect"),
        ("--host 192.0.2.1 --unencrypted", 1, "192.0.2.1 is not an address of this machine"),
        ("--host example.com", 2, '"example.com" is not an address'),
        ("--port 70000", 2, "expected a whole number from 0 to 65,535, found '70000'"),
        ("--port -1", 2, "expected a whole number from 0 to 65,535, found '-1'"),
        ("--port {port}", 1, "is in use, perhaps by another aide serve"),
        ("--certificate nothing.pem", 1, "nothing.pem cannot be read"),
        ("--key {data}/key.pem", 2, "--key needs --certificate"),
        ("--certificate {data}/certificate.pem --key {data}/other-key.pem", 1, "belong to each other"),
        ("--certificate {data}/certificate.pem", 1, "with the key in it cannot be used. Both must be"),
        ("--token-file nothing", 1, "The token file nothing cannot be read: No such file"),
        ("--token-file {data}/certificate.pem", 1, "can read or change the token file"),
        ("--socket x.sock --port 1", 2, "--socket is instead of"),
        ("--socket {data}/key.pem", 1, "is not a socket"),
        ("--socket " + 200 * "x", 1, "the path is too long for a socket. Choose"),
        ("--idle -1", 2, "expected a number from 0.0 to 10,080, found '-1'"),
        ("--model nothing", 1, "nothing"),
        ("--temperature 1", 2, "No such option"),
        ("--model smollm2-135m", 1, "is not downloaded yet"),
        ("extra", 2, "unexpected extra argument"),
    ],
)
def test_mistake_then_one_sentence(aide, home, options, status, said):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        words = options.format(port=taken.getsockname()[1], data=DATA).split()
        if os.name != "nt":
            (DATA / "certificate.pem").chmod(0o644)
        more = () if "--port" in words or "--socket" in words else ("--port", "0")
        run = aide("serve", *more, *words)
    assert (run.returncode, said in run.stderr) == (status, True), run
    assert "Traceback" not in run.stderr
    assert len(run.stderr.splitlines()) <= 4


def test_short_token_then_a_sentence(aide, home):
    file = home / "short.token"
    file.write_text("1234\n")
    file.chmod(0o600)
    run = aide("serve", "--port", "0", "--token-file", str(file))
    assert (run.returncode, "holds no token: expected 16 to" in run.stderr) == (1, True), run.stderr


def test_weights_are_damaged_then_they_are_removed_and_the_server_ends(env, home, tmp_path, monkeypatch):
    with serving(env):
        (manifest,) = (home / "data" / "models").rglob("manifest.json")
    folder = shutil.copytree(manifest.parent, tmp_path / "model")
    engine = SimpleNamespace(info=SimpleNamespace(folder=folder))
    removed = []
    monkeypatch.setattr(loading, "remove_damaged", lambda settings, progress: removed.append(settings))
    serve_command._verify(engine, Settings(), lambda share, text: None)
    assert removed == []
    weights = max(folder.iterdir(), key=lambda file: file.stat().st_size)
    data = bytearray(weights.read_bytes())
    data[len(data) // 2] ^= 1
    weights.chmod(0o600)
    weights.write_bytes(data)
    with pytest.raises(ModelFilesError, match=weights.name):
        serve_command._verify(engine, Settings(), lambda share, text: None)
    assert removed == [Settings()]
