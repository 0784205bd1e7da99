"""The process `aide`: signals, closed and full streams, odd locales. Real processes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.patience import PATIENCE, wait_for

COMMAND = [sys.executable, "-m", "aide_lsp"]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="signals and /dev/full as on Linux")


@pytest.fixture
def env(home):
    return os.environ | {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "AIDE_DATA_DIR": str(home / "data"),
    }


def start(env, *arguments):
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*COMMAND, *arguments], env=env, text=True, **pipes)


def children(pid: int) -> list[int]:
    """All processes below one, as far down as there are any."""
    try:
        direct = [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:  # it has just ended
        return []
    return direct + [below for one in direct for below in children(one)]


def gone(pid: int) -> bool:
    try:
        return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("delay", [0.0, 0.1, 0.3])
def test_signal_in_the_first_moments_then_the_status_of_the_signal_and_no_traceback(env, number, delay):
    process = start(env, "complete", "-")
    wait_for(lambda: children(process.pid))  # before that Python itself is still starting
    time.sleep(delay)
    process.send_signal(number)
    # Its stdin stays open: nothing else can end it.
    assert process.wait(PATIENCE) == 128 + number
    assert process.communicate()[1] == "\nInterrupted.\n"


NATIVE = """
import ctypes, sys
def load(*_):
    print("hanging", file=sys.stderr, flush=True)
    ctypes.PyDLL(None).sleep(3600)  # native, and it keeps the interpreter's lock
import aide_lsp.loading
aide_lsp.loading.load_completer = load
from aide_lsp.entry import main
main()
"""


def test_ctrl_c_in_a_native_step_that_keeps_the_interpreter_lock_then_it_ends_all_the_same(env, home):
    command = [sys.executable, "-c", NATIVE, "complete", "x.py:2:12"]
    process = subprocess.Popen(command, env=env, cwd=home, stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline() == "hanging\n"
    below = children(process.pid)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (130, "\nInterrupted.\n")
    assert below
    wait_for(lambda: all(gone(one) for one in below))


def test_process_that_is_killed_by_force_takes_its_child_along(env):
    process = start(env, "complete", "-")
    wait_for(lambda: children(process.pid))
    time.sleep(0.3)
    below = children(process.pid)
    process.kill()
    process.communicate()
    wait_for(lambda: all(gone(one) for one in below))


CONVERTING = """
import subprocess, sys
from aide_lsp.convert import convert
convert.WORKER = "tests.never_ending"
from aide_lsp.entry import main
main()
"""


def test_ctrl_c_while_converting_then_no_worker_is_left_and_the_next_conversion_tidies_up(env, home):
    command = [sys.executable, "-c", CONVERTING, "models", "convert", "tiny"]
    worker = {**env, "PYTHONPATH": str(Path(__file__).parent.parent)}
    process = subprocess.Popen(command, env=worker, cwd=home, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: list((home / "data").glob("models/tiny/.*.partial")) and len(children(process.pid)) >= 2)
    below = children(process.pid)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    wait_for(lambda: all(gone(one) for one in below))
    again = start(env, "models", "convert", "tiny")
    again.communicate(timeout=PATIENCE)
    assert again.returncode == 0
    assert list((home / "data").glob("models/tiny/.*.partial")) == []


def test_death_by_the_system_is_reported_with_its_likely_reason(env):
    process = start(env, "complete", "-")
    wait_for(lambda: children(process.pid))
    os.kill(children(process.pid)[0], signal.SIGKILL)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 128 + signal.SIGKILL
    assert "Most likely memory ran out" in said


def test_signal_that_is_ignored_from_the_start_stays_ignored(env):
    """As under nohup, or in the background of a script."""
    ignoring = (
        "import signal, os, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); os.execv(sys.executable, {})"
    )
    command = [sys.executable, "-c", ignoring.format([*COMMAND, "complete", "-"])]
    process = subprocess.Popen(
        command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    wait_for(lambda: children(process.pid))
    process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert process.poll() is None
    process.terminate()
    process.communicate()


def test_first_signal_is_lost_then_the_second_one_ends_a_process_without_a_parent(env):
    lost = (
        "import signal; from aide_lsp.entry import Interrupted, _handle; _handle([signal.SIGINT], False)\n"
        "for _ in 'first', 'second':\n"
        "    try: signal.raise_signal(signal.SIGINT)\n"
        "    except Interrupted: pass"
    )
    assert (
        subprocess.run([sys.executable, "-c", lost], env=env, timeout=PATIENCE).returncode == -signal.SIGINT
    )


def shell(env, line):
    """Run a line of sh in which `aide` is this Aide; status, stdout and stderr."""
    function = f'aide() {{ "{sys.executable}" -m aide_lsp "$@"; }}\n'
    done = subprocess.run(
        ["sh", "-c", function + line],
        env=env,
        capture_output=True,
        text=True,
        errors="backslashreplace",
        timeout=PATIENCE,
        cwd=env["HOME"],
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("line", "status", "said"),
    [
        ("aide complete - <&-", 1, "Stdin is closed"),
        ("aide models list >&-", 0, ""),
        ("aide models list >/dev/full", 1, "No space left on device"),
        ("aide models list >/dev/full 2>/dev/full", 1, ""),
        ("{ aide models list; echo $? >&2; } | true", 0, "141"),
        ("aide --version <&- 2>&-", 0, ""),
        ("printf 'caf\\351' | aide complete -", 1, "not UTF-8 text (see byte 3)"),
        ("mkdir gone && cd gone && rmdir ../gone && aide complete x.py:1:1", 1, "x.py cannot be read"),
        (
            "cd / && mkdir -p $HOME/g && cd $HOME/g && rmdir $HOME/g && aide settings",
            1,
            "folder no longer exists",
        ),
        ("aide complete nothing.py:1:1", 1, "nothing.py cannot be read: No such file"),
        ("aide complete .:1:1", 1, "Is a directory"),
        ("aide complete /dev/zero:1:1", 1, "more than 20,000,000 bytes"),
        ("mkfifo pipe; printf 'a\\377' > pipe & aide complete pipe:1:1", 1, "not UTF-8"),
        ("aide complete \"$(printf 'a\\nb')\":1:1", 1, "cannot be read"),
        ("ln -sf loop loop; aide settings loop", 1, "loop"),
        ("ln -sf loop loop; aide complete loop:1:1", 1, "Too many levels of symbolic links"),
        ("AIDE_DATA_DIR=/dev/null/x aide complete x.py:2:12", 1, "could not be written"),
        ("AIDE_DATA_DIR=/proc/x aide models fetch smollm2-135m", 1, "could not be written"),
        ("aide replay nonsense", 1, "ledger"),
        ("aide log -n 99999999999999999999", 2, "expected a whole number from 1 to 1,000,000"),
        ("aide serve --nope", 2, "No such option"),
        ("aide bench fidelity nope", 2, "'nope' is not one of exact, int4, fast, fp16"),
        ("aide explain x.py:2:12 --html /no/such/x", 1, "there is no folder /no/such"),
        ("aide explain x.py:2:12 --html .", 2, "directory"),
        ("aide complete x.py:2:12 --num-context 999999", 2, "--num-context: expected a whole number from 1"),
        (
            "aide complete x.py:2:12 --threads 1e3",
            2,
            'expected a whole number from 0 to 256, found the string "1e3"',
        ),
        ("aide complete x.py:2:12 --seed some", 2, 'expected a whole number or "random"'),
        ("aide complete x.py:2:12 --temperature low", 2, "expected a number from 0.0 to 1.0"),
        ("HOME= XDG_CONFIG_HOME= aide complete x.py:0:1", 1, "no line 0"),
        ("COLUMNS=1 aide complete --help", 0, ""),
        ("LC_ALL=C aide complete café.py:1:1", 1, "cannot be read"),
        ("PYTHONIOENCODING=ascii aide settings café.py", 0, ""),
        ("trap '' CHLD; aide complete x.py:0:1", 1, "no line 0"),
        ("aide complete -- -:1:1 </dev/null --", 2, "unexpected extra argument"),
    ],
)
def test_whatever_a_user_does_then_a_sentence_and_no_traceback(env, line, status, said):
    got = shell(env, line)
    assert (got[0], said in got[2]) == (status, True), got
    assert "Traceback" not in got[2]
    assert "unexpectedly" not in got[2]
    assert "Loading" not in got[2]


def test_error_that_nobody_expected_is_a_sentence_too_and_its_place_can_be_seen(env, tmp_path):
    code = (
        "import aide_lsp.cli.places as o\no.read_place = lambda *_: 1 / 0\n"
        "from aide_lsp.entry import main\nmain()"
    )
    command = [sys.executable, "-c", code, "complete", "x.py:1:1", "--json"]
    run = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr.startswith("Error: Aide failed unexpectedly (ZeroDivisionError")
    assert json.loads(run.stdout)["error"] in run.stderr
    seen = subprocess.run(command, env=env | {"AIDE_DEBUG": "1"}, capture_output=True, text=True, check=False)
    assert "Traceback" in seen.stderr
