"""Property tests draw the same examples every time, and `make search` draws new ones."""

import os
import subprocess
import sys

from tools.generate.pages import REPOSITORY

DRAWING = """
import rules
from hypothesis import given, settings
from hypothesis import strategies as st


@settings(max_examples=30)
@given(st.text(), st.integers(), st.floats())
def test_draws(text, number, fraction):
    print(repr((text, number, fraction)))


@given(st.integers())
def test_slow_and_failing(number):
    assert number == 0, number
"""
PINNED = ("-c", str(REPOSITORY / "pyproject.toml"), "-p", "tests.properties", "-p", "no:cacheprovider")


def drawn(folder, constant, hash_seed):
    folder.mkdir(parents=True)
    (folder / "rules.py").write_text(f"LIMIT, NAME = {constant}, 'name {constant}'\n")
    (folder / "test_it.py").write_text(DRAWING)
    command = [sys.executable, "-m", "pytest", *PINNED, "-q", "-s", str(folder)]
    env = os.environ | {"PYTHONHASHSEED": hash_seed, "HOME": str(folder), "PYTHONPATH": str(REPOSITORY)}
    run = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=env, check=False)
    assert run.returncode == 1, run.stdout
    assert not (folder / ".hypothesis" / "examples").exists()
    return [line for line in run.stdout.splitlines() if line.startswith((".(", "(", "E   Falsifying"))]


def test_examples_are_the_same_whatever_folder_home_constants_and_earlier_failures(tmp_path):
    first = drawn(tmp_path / "code", 123_457, "1")
    assert len(first) >= 30
    assert first == drawn(tmp_path / "test", 987_651, "2")


def test_search_prints_failing_examples_to_paste_and_fails(tmp_path):
    (tmp_path / "test_it.py").write_text(
        "from hypothesis import given, strategies as st\n\n\n"
        "@given(number=st.integers())\n"
        "def test_small(tmp_path_factory, number):\n    assert number < 10\n\n\n"
        "@given(number=st.integers())\ndef test_holds(number):\n    pass\n"
    )
    command = [sys.executable, "-m", "tests.search", "--minutes", "0", "--seed", "5", str(tmp_path)]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "\n@example(number=10)\n" in run.stdout
    assert "Round 1, seed 5: " in run.stdout
    assert "1 failing tests" in run.stdout
