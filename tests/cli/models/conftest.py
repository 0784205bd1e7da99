"""A fresh home, and a Hub on this machine that has tiny models."""

import os
import signal
import subprocess
import sys

import pytest

from tests.hub_stand_in import hub_stand_in
from tests.tiny_model import TinySpec, tiny_gguf

REPO = "someone/Tiny-Coder-GGUF"


@pytest.fixture(scope="session")
def tiny_file(tmp_path_factory):
    """A GGUF file of a tiny model."""
    return tiny_gguf(tmp_path_factory.mktemp("tiny") / "Tiny Coder.Q8_0.gguf", TinySpec(matrix_type="Q8_0"))


@pytest.fixture
def hub(tiny_file):
    """A Hub with one repository of tiny models."""
    data = tiny_file.read_bytes()
    files = {"README.md": b"", "tiny-coder-q8_0.gguf": data[:-1] + b"1", "tiny-coder-Q4_K_M.gguf": data}
    with hub_stand_in({REPO: files}) as hub:
        yield hub


@pytest.fixture
def fresh_home(tmp_path):
    """A home in which there is nothing."""
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def environment(fresh_home, hub):
    """The environment of a user in that home."""
    return os.environ | {
        "HOME": str(fresh_home),
        "XDG_CONFIG_HOME": str(fresh_home / "config"),
        "XDG_CACHE_HOME": str(fresh_home / "cache"),
        "AIDE_DATA_DIR": str(fresh_home / "data"),
        "HF_ENDPOINT": hub.url,
        "NO_PROXY": "*",
    }


@pytest.fixture
def run(fresh_home, environment):
    """Run `aide` in that home; give the finished process."""

    def run(*arguments, stdin="", kilobytes=None, **extra):
        command = [sys.executable, "-m", "aide_lsp", *map(str, arguments)]
        if kilobytes is not None:
            command = ["sh", "-c", f'ulimit -v {kilobytes}; exec "$0" "$@"', *command]
        return subprocess.run(
            command,
            input=stdin,
            capture_output=True,
            text=True,
            env=environment | extra,
            cwd=fresh_home,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture
def interrupt(fresh_home, environment):
    """Run `aide`, and press Ctrl-C once `when` returns true; give the exit status."""

    def interrupt(*arguments, when):
        command = [sys.executable, "-m", "aide_lsp", *map(str, arguments)]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE}
        with subprocess.Popen(command, **pipes, text=True, env=environment, cwd=fresh_home) as process:
            assert process.stderr is not None
            for line in process.stderr:
                if when(line):
                    process.send_signal(signal.SIGINT)
                    break
            process.stderr.read()
            return process.wait()

    return interrupt


@pytest.fixture
def type_in(fresh_home, environment):
    """Run `aide` with a terminal as stdin, on which this is typed; give the finished process."""
    pty = pytest.importorskip("pty")

    def type_in(*arguments, typed):
        ours, theirs = pty.openpty()
        # The terminal keeps it until it is read.
        os.write(ours, typed.encode())
        command = [sys.executable, "-m", "aide_lsp", *map(str, arguments)]
        options = {"capture_output": True, "text": True, "env": environment, "cwd": fresh_home}
        try:
            return subprocess.run(command, stdin=theirs, **options, timeout=120, check=False)
        finally:
            os.close(ours)
            os.close(theirs)

    return type_in
