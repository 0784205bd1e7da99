"""HumanEval-infilling: problems with a hole, and whether a text in the hole passes the tests.

Reads files of the published benchmark (https://github.com/openai/human-eval-infilling, MIT license). The
program runs in a child process with limits on time, memory and files and, where the system allows it, without
network. That stops accidents, not an attacker.
"""

import gzip
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from attrs import frozen

# Determines the order of problems; changing it changes the sample, and the figures.
ORDER = "aide-order-v1:"
MIB = 1 << 20
# Sets its own limits, then becomes the command given after the seconds. (subprocess's `preexec_fn` is unsafe
# with threads.)
LIMITED = f"""
import os, resource, sys
limits = {{"CPU": int(sys.argv[1]), "AS": {1024 * MIB}, "FSIZE": {8 * MIB}, "CORE": 0}}
for name, value in limits.items():
    resource.setrlimit(getattr(resource, "RLIMIT_" + name), (value, value))
os.execv(sys.argv[2], sys.argv[2:])
"""


@frozen
class Problem:
    """One hole."""

    id: str
    prefix: str
    "Source before the hole."
    suffix: str
    "Source after it."
    solution: str
    "What its author wrote there."
    test: str
    "Source that fails unless the program is correct."


@frozen
class Verdict:
    """Result of one program."""

    passed: bool
    "Whether all tests passed."
    why: str
    "`passed`, `timeout`, or the last line of the error."


def read_problems(path: Path, count: int | None = None) -> list[Problem]:
    """Return the first `count` problems in order of hash: a smaller sample is part of every larger one."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        problems = [_problem(json.loads(line)) for line in lines if line.strip()]
    problems.sort(key=lambda problem: hashlib.sha256((ORDER + problem.id).encode()).hexdigest())
    return problems[:count]


def _problem(entry: dict[str, str]) -> Problem:
    test = f"\n{entry['test']}\ncheck({entry['entry_point']})\n"
    return Problem(entry["task_id"], entry["prompt"], entry["suffix"], entry["canonical_solution"], test)


def judge(problem: Problem, completion: str, timeout: float = 10.0) -> Verdict:
    """Run the program with `completion` in its hole."""
    program = problem.prefix + completion + problem.suffix + problem.test
    with tempfile.TemporaryDirectory(prefix="aide-infilling-") as folder:
        file = Path(folder) / "program.py"
        file.write_text(program, encoding="utf-8", errors="replace")
        # -I: neither the environment nor the user's packages affect the result.
        return run_limited([sys.executable, "-I", "-B", str(file)], Path(folder), timeout)


def run_limited(command: list[str], folder: Path, timeout: float) -> Verdict:
    """Run a command in `folder` for at most `timeout` seconds; whatever it starts ends with it."""
    process = subprocess.Popen(
        [*_without_network(), sys.executable, "-I", "-c", LIMITED, str(int(timeout) + 2), *command],
        cwd=folder,
        # A program that a model wrote sees no secrets of the environment.
        env={"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        # A process group of its own, which `_end` kills with all that the program started.
        start_new_session=True,
    )
    try:
        _, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        return Verdict(False, "timeout")
    finally:
        _end(process)
    if process.returncode == 0:
        return Verdict(True, "passed")
    lines = errors.decode("utf-8", "replace").strip().splitlines()
    return Verdict(False, lines[-1][:160] if lines else f"exit status {process.returncode}")


def _end(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stderr is not None:
        process.stderr.close()


@cache
def _without_network() -> tuple[str, ...]:
    """Return the command that removes the network, if the system has one that works."""
    command = ("unshare", "--user", "--net")
    try:
        # Tried, because many systems have the program but forbid it.
        works = subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        works = False
    return command if works else ()
