"""What `make` does before anything is installed."""

import os
import re
import shutil
import subprocess

import pytest

from tools.generate.pages import REPOSITORY

MAKEFILE = (REPOSITORY / "Makefile").read_text(encoding="utf-8")


@pytest.fixture
def checkout(tmp_path):
    """A checkout with nothing installed, and a uv of a version to be chosen."""
    shutil.copy(REPOSITORY / "Makefile", tmp_path)
    for name in ("requirements-uv.txt", "requirements.lock", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, tmp_path)
    (tmp_path / "bin").mkdir()
    return tmp_path


def make(checkout, *arguments, uv="0.0.1"):
    (checkout / "bin" / "uv").write_text(f"#!/bin/sh\necho uv {uv}\n")
    (checkout / "bin" / "uv").chmod(0o755)
    # The make that runs these tests would otherwise be taken for its parent, and say which folder it enters.
    env = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    env["PATH"] = f"{checkout / 'bin'}:{os.environ['PATH']}"
    run = subprocess.run(
        ["make", *arguments], cwd=checkout, env=env, capture_output=True, text=True, check=True
    )
    return run.stdout


def test_make_alone_lists_all_targets_and_installs_nothing(checkout):
    before = sorted(checkout.iterdir())
    said = make(checkout)
    assert sorted(checkout.iterdir()) == before
    assert said == make(checkout, "help")
    targets = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[1].split()
    assert [line.split()[1] for line in said.splitlines()] == sorted(targets, key=said.index)
    assert set(re.findall(r"^  make (\S+)  +\S", said, re.MULTILINE)) == set(targets)


@pytest.mark.parametrize(
    ("version", "used"), [("0.5.30", False), ("0.7.0", True), ("1.0.1", True), ("", False)]
)
def test_your_own_uv_is_used_if_it_is_new_enough(checkout, version, used):
    planned = make(checkout, "-n", "lint", uv=version)
    assert (f"{checkout}/bin/uv venv" in planned) == used
    assert (".tools/bin/uv venv" in planned) == (not used)
    installs = [line for line in planned.splitlines() if "-m pip install" in line]
    assert len(installs) == (not used)
    assert all("--require-hashes" in planned and "requirements-uv.txt" in planned for _ in installs)


def test_the_pinned_uv_has_a_version_and_hashes():
    pinned = (REPOSITORY / "requirements-uv.txt").read_text(encoding="utf-8")
    assert re.search(r"^uv==[0-9.]+ \\$", pinned, re.MULTILINE)
    assert pinned.count("--hash=sha256:") > 10
    assert "://" not in pinned
