"""A test that hangs fails in time, with what it was waiting for; those after it run."""

import signal
import subprocess
import sys

import pytest

from tests.lsp.raw_client import ROOT
from tests.patience import PATIENCE

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="there are no such signals")
HANGING = """
import asyncio, subprocess, sys, threading
import pytest

def test_thread():
    threading.Event().wait()

async def test_loop():
    await asyncio.Event().wait()

def test_process():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        try:
            process.wait()
        finally:
            process.kill()

@pytest.fixture
def stubborn():
    yield
    threading.Event().wait()

def test_cleanup(stubborn):
    threading.Event().wait()

async def test_fine():
    await asyncio.sleep(0)
"""


def run(folder, *options):
    (folder / "test_hanging.py").write_text(HANGING)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        str(ROOT / "pyproject.toml"),
        f"--rootdir={folder}",
        str(folder),
    ]
    command += ["-p", "tests.stuck", "-p", "no:cacheprovider", "-o", "stuck_seconds=1", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "errors", "said"),
    [
        ("thread", 0, "in test_thread"),
        ("loop", 0, "in run_until_complete"),
        ("process", 0, "-c input()"),
        ("cleanup", 1, "in stubborn"),
    ],
)
def test_a_test_that_hangs_fails_and_says_where_and_the_next_one_runs(tmp_path, name, errors, said):
    status, printed = run(tmp_path, "-k", f"{name} or fine")
    ended = "1 failed, 1 passed, 3 deselected" + (f", {errors} error" if errors else "")
    assert (status, ended in printed) == (1, True), printed
    assert "It hangs." in printed
    assert said in printed


def test_when_several_hang_the_rest_is_not_run(tmp_path):
    status, printed = run(tmp_path)
    assert (status, "2 failed in" in printed) == (2, True), printed
    assert "2 tests hung, so the rest is not run." in printed
