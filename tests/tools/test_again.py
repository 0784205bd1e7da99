"""`tools/again`: failed tests run once more, and nothing else makes a failed run a passed one."""

import os
import subprocess
import sys

import pytest

from tools.generate.pages import REPOSITORY

PASSES = "def test_passes(): pass"
FAILS_ONCE = """
from pathlib import Path
def test_fails_once():
    try:
        assert Path("ran").exists()
    finally:
        Path("ran").touch()
"""
FAILS = "def test_fails(): assert False"
IS_INTERRUPTED = "def test_is_interrupted(): raise KeyboardInterrupt"
CANNOT_BE_IMPORTED = "import nothing_of_this_name"
ENDS_THE_PROCESS = "import os\ndef test_ends_the_process(): os._exit(1)"
IS_KILLED = "import os, signal\ndef test_is_killed(): os.kill(os.getpid(), signal.SIGKILL)"
NONE = "x = 1"


def again(folder, *modules, options=()):
    for number, text in enumerate(modules):
        (folder / f"test_{number}.py").write_text(text, encoding="utf-8")
    command = [REPOSITORY / "tools" / "again", sys.executable, "-m", "pytest", "-q", *options]
    env = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)


def runs(done):
    return done.stdout.count("once more") + 1


@pytest.mark.parametrize(
    ("modules", "status", "times"),
    [
        ((PASSES,), 0, 1),
        ((PASSES, FAILS_ONCE), 0, 2),
        ((FAILS, FAILS_ONCE), 1, 2),
        ((FAILS_ONCE, IS_INTERRUPTED, PASSES), 2, 1),
        ((FAILS_ONCE, CANNOT_BE_IMPORTED), 2, 1),
        ((FAILS_ONCE, ENDS_THE_PROCESS, PASSES), 5, 2),
        ((FAILS_ONCE, IS_KILLED, PASSES), 137, 1),
        ((NONE,), 5, 1),
    ],
)
def test_only_failed_tests_run_again_and_only_if_all_have_run(tmp_path, modules, status, times):
    done = again(tmp_path, *modules)
    assert (done.returncode, runs(done)) == (status, times), done.stdout


@pytest.mark.parametrize("option", ["-x", "-vx", "--exitfirst", "--maxfail=1"])
def test_what_ended_at_the_first_failure_has_not_run_all_tests(tmp_path, option):
    done = again(tmp_path, FAILS_ONCE, FAILS, options=[option])
    assert (done.returncode, runs(done)) == (1, 1)


def test_an_option_that_pytest_does_not_know_is_its_failure(tmp_path):
    done = again(tmp_path, FAILS_ONCE, options=["--unknown"])
    assert (done.returncode, runs(done)) == (4, 1)


def test_what_failed_in_an_earlier_run_counts_for_nothing(tmp_path):
    again(tmp_path, FAILS)
    (tmp_path / "test_0.py").write_text(ENDS_THE_PROCESS, encoding="utf-8")
    (tmp_path / "test_1.py").write_text(PASSES, encoding="utf-8")
    assert again(tmp_path).returncode != 0
