"""The log file: readable only by its user, also after rotation and if it existed before."""

import logging
import os
import subprocess
import sys
from contextlib import closing

import pytest

from aide_lsp.lsp import logs
from aide_lsp.lsp.logs import PrivateFile
from tests.lsp.raw_client import RawClient, frame, inline_params

pytestmark = pytest.mark.skipif(os.name == "nt", reason="files have other permissions there")


@pytest.fixture(autouse=True)
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


def write(path, count):
    with closing(PrivateFile(path)) as file:
        for number in range(count):
            file.emit(logging.makeLogRecord({"msg": f"line {number}", "levelname": "INFO"}))


def mode_of(path):
    return path.stat().st_mode & 0o777


def test_log_that_is_renewed_stays_private(tmp_path, monkeypatch):
    monkeypatch.setattr(logs, "FILE_BYTES", 1000)
    path = tmp_path / "logs" / "aide.log"
    write(path, 50)
    assert sorted(file.name for file in path.parent.iterdir()) == ["aide.log", "aide.log.1"]
    assert {mode_of(file) for file in path.parent.iterdir()} == {0o600}
    assert mode_of(path.parent) == 0o700


def test_log_that_others_could_read_is_closed_to_them(tmp_path):
    path = tmp_path / "aide.log"
    path.touch(mode=0o644)
    write(path, 1)
    assert mode_of(path) == 0o600


def test_device_that_is_logged_to_keeps_its_permissions(tmp_path):
    link = tmp_path / "log"
    link.symlink_to(os.devnull)
    before = mode_of(link)
    write(link, 1)
    assert mode_of(link) == before != 0o600


@pytest.mark.parametrize(
    ("name", "problem"),
    [(".", "Is a directory"), ("app.py/log", "{tmp_path}/app.py is a file, not a folder")],
)
def test_log_that_cannot_be_written_is_named_in_a_sentence(tmp_path, name, problem):
    (tmp_path / "app.py").touch()
    file, problem = tmp_path / name, problem.format(tmp_path=tmp_path)
    command = [sys.executable, "-m", "aide_lsp.lsp.main", "--log-file", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    sentence = f"The log file {file} cannot be written: {problem}. Choose another path."
    assert (done.returncode, done.stderr) == (2, f"aide-lsp: {sentence}\n")


def test_long_id_of_a_request_makes_no_long_line():
    with RawClient() as client:
        client.initialize()
        client.open("x = 1\n")
        ask = {"jsonrpc": "2.0", "id": "z" * 100_000, "method": "textDocument/inlineCompletion"}
        client.send_bytes(frame({**ask, "params": inline_params(0, 5)}))
        client.reply("z" * 100_000)
        client.command("aide.status")
        lines = [one["params"].get("message", "") for one in client.notifications]
    assert any('request "zzz' in line for line in lines)
    assert max(map(len, lines)) < 1000
