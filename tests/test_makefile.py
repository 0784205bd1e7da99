"""What `make` does before anything is installed."""

import json
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
    for name in ("requirements-uv.txt", "requirements.lock", "requirements-dev.lock", "pyproject.toml"):
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


def test_the_demo_installs_what_aide_needs_and_no_test_tools(checkout):
    def installed(target):
        return re.findall(r"-r (requirements[a-z-]*\.lock)", make(checkout, "-n", target, uv="1.0.1"))

    assert installed("demo") == ["requirements.lock"]
    assert installed("lint") == ["requirements.lock", "requirements-dev.lock"]
    pinned = (REPOSITORY / "requirements.lock").read_text(encoding="utf-8")
    assert not re.search(r"^(pytest|mypy|ruff|playwright|openai)==", pinned, re.MULTILINE)


def test_the_pinned_uv_has_a_version_and_hashes():
    pinned = (REPOSITORY / "requirements-uv.txt").read_text(encoding="utf-8")
    assert re.search(r"^uv==[0-9.]+ \\$", pinned, re.MULTILINE)
    assert pinned.count("--hash=sha256:") > 10
    assert "://" not in pinned


@pytest.mark.parametrize(
    ("node", "npm", "missing"),
    [
        (None, None, "there is no node on PATH"),
        ("v18.20.4", "9.2.0", "the node on PATH is 18.20.4"),
        ("v20.18.1", "9.2.0", "the node on PATH is 20.18.1"),
        ("v20.19.0", None, "there is no npm on PATH"),
        ("v20.19.0", "9.2.0", None),
        ("v24.1.0", "11.0.0", None),
    ],
)
def test_the_extension_needs_node_and_npm_and_says_so_in_one_sentence(tmp_path, node, npm, missing):
    for name, version in (("node", node), ("npm", npm)):
        if version is not None:
            (tmp_path / name).write_text(f"#!/bin/sh\necho {version}\n")
            (tmp_path / name).chmod(0o755)
    for name in ("bash", "sort", "head"):
        (tmp_path / name).symlink_to(shutil.which(name))
    script = REPOSITORY / "editors" / "vscode" / "check-node.sh"
    run = subprocess.run(
        ["bash", script], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert run.returncode == (missing is not None)
    said = run.stderr.splitlines()
    assert len(said) == (missing is not None)
    if missing is not None:
        assert said[0].startswith(f"make vsix needs Node 20.19.0 or newer, and npm: {missing}. ")


def test_the_extension_is_built_only_with_a_node_that_can(checkout):
    (checkout / "editors" / "vscode").mkdir(parents=True)
    (checkout / "editors" / "vscode" / "package-lock.json").touch()
    planned = make(checkout, "-n", "vsix").splitlines()
    assert "check-node.sh" in planned[0]
    assert "package.sh" in planned[-1]


def test_node_is_as_new_as_the_tools_of_the_extension_need():
    locked = json.loads((REPOSITORY / "editors/vscode/package-lock.json").read_text(encoding="utf-8"))
    least = re.search(
        r"^least=(\S+)", (REPOSITORY / "editors/vscode/check-node.sh").read_text(), re.MULTILINE
    )[1]
    major = least.partition(".")[0]
    for name in locked["packages"][""]["devDependencies"]:
        wanted = locked["packages"][f"node_modules/{name}"].get("engines", {}).get("node", "*")
        lowest = re.findall(rf"\b{major}\.[0-9.]+", wanted)
        assert all(version_of(one) <= version_of(least) for one in lowest), (name, wanted)


def version_of(text):
    return tuple(int(part) for part in text.split("."))
