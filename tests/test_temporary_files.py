"""The folder for temporary files of a test run is removed, and no other."""

import os
import subprocess
import sys

import pytest

from tools.generate.pages import REPOSITORY

FAILS_FIRST = """
import pytest
@pytest.hookimpl(tryfirst=True)
def pytest_configure():
    raise pytest.UsageError("no")
"""
MAKES_A_FOLDER = "import tempfile\ndef test_makes_a_folder(): tempfile.mkdtemp()"
PUTS_ANOTHER = "import tempfile\ndef test_puts_another(): tempfile.tempdir = {!r}"


@pytest.mark.parametrize(
    ("conftest", "module", "status"),
    [
        ("", MAKES_A_FOLDER, 0),
        ("", PUTS_ANOTHER, 0),
        (FAILS_FIRST, MAKES_A_FOLDER, 4),
    ],
)
def test_a_run_removes_what_it_made_and_nothing_else(tmp_path, conftest, module, status):
    tests, usual = tmp_path / "tests", tmp_path / "usual"
    for folder in (tests, usual / "of another"):
        folder.mkdir(parents=True)
    (tests / "conftest.py").write_text(conftest, encoding="utf-8")
    (tests / "test_it.py").write_text(module.format(str(usual)), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.temporary_files", "--rootdir", tests, tests]
    env = os.environ | {
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "TMPDIR": str(usual),
        "PYTEST_DEBUG_TEMPROOT": str(tmp_path),
    }
    done = subprocess.run(command, cwd=REPOSITORY, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stdout + done.stderr
    assert [one.name for one in usual.iterdir()] == ["of another"]
