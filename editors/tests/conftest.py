"""What the tests in real editors share: the server, a user of their own, workspaces, and what must be shown.

Expected texts are never written down: `expected_completion` asks `aide complete` for the same place with the
same settings. It knows no editor.
"""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

pytest_plugins = ["tests.stuck", "tests.temporary_files"]

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / ".venv" / "bin"
SECONDS = 120
"""How long anything may take before a test fails. Machines are slow at times; waiting costs nothing."""

SAMPLE = '''\
"""Prices of an order."""


def total(prices):
    return sum(prices)


def average(prices):
    return total(prices) / len(prices)
'''

MOST_FAILURES = 12
"""After so many, the rest is not run: each may wait for `SECONDS` in vain."""


def pytest_runtest_logreport(report):
    """End the run when nearly nothing works anymore."""
    if report.failed:
        failed.append(report.nodeid)
        if len(failed) >= MOST_FAILURES:
            # The status for an interrupted run: of others, pytest prints no failures.
            pytest.exit(f"{MOST_FAILURES} tests failed, so the rest is not run.", returncode=2)


failed = []


@pytest.fixture(autouse=True)
def same_user_settings(request):
    """Restore the user's settings: a test that fails halfway must not turn off completions for all others."""
    if "editor_env" not in request.fixturenames:
        yield
        return
    file = Path(request.getfixturevalue("editor_env")["XDG_CONFIG_HOME"]) / "aide" / "settings.toml"
    before = file.read_bytes() if file.exists() else None
    yield
    if before is not None:
        file.write_bytes(before)
    else:
        file.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def aide_lsp_path():
    """The server that the editors start."""
    path = BIN / "aide-lsp"
    assert path.exists(), f"{path} is missing: run make demo first."
    return path


@pytest.fixture(scope="session")
def editor_env(tmp_path_factory):
    """The environment of a user with the real model and nothing else: own settings, own ledger."""
    from aide_lsp.catalog.store import data_folder
    from aide_lsp.loading import model_folder
    from aide_lsp.settings.fields import Settings

    model_folder(Settings(provider="cpu"), lambda share, sentence: None)
    home = tmp_path_factory.mktemp("user")
    for name in ("config", "data", "state", "cache"):
        (home / name).mkdir()
    (home / "data" / "models").symlink_to(data_folder() / "models")
    own = {"TMUX", "NVIM", "VIMINIT", "VIM", "VIMRUNTIME"}
    return {name: value for name, value in os.environ.items() if name not in own} | {
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "AIDE_DATA_DIR": str(home / "data"),
    }


class Heard:
    """What an editor has sent to a server."""

    def __init__(self, file):
        self.file = file

    def all(self, method):
        """The parameters of each message of that method, in order."""
        found, rest = [], self.file.read_bytes() if self.file.exists() else b""
        while (match := re.match(rb"Content-Length: (\d+)\r\n(?:.+\r\n)*\r\n", rest)) is not None:
            length = int(match[1])
            body, rest = rest[match.end() :][:length], rest[match.end() + length :]
            if len(body) == length and json.loads(body).get("method") == method:
                found.append(json.loads(body)["params"])
        return found

    def cursors(self):
        """Where the cursor went: the name of the file, and line and column from 1."""
        return [
            (Path(one["uri"]).name, one["position"]["line"] + 1, one["position"]["character"] + 1)
            for one in self.all("aide/cursor")
        ]


@pytest.fixture
def listening_server(aide_lsp_path, tmp_path):
    """A server, and what it hears: (program, `Heard`)."""
    program, heard = tmp_path / "aide-lsp", tmp_path / "heard"
    program.write_text(f'#!/bin/sh\ntee "{heard}" | "{aide_lsp_path}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return program, Heard(heard)


@pytest.fixture(scope="session")
def default_gguf():
    """The default model's file, as it was downloaded."""
    from aide_lsp.catalog.store import fetch
    from aide_lsp.loading import card_of
    from aide_lsp.settings.fields import Settings

    return fetch(card_of(Settings()), lambda share, sentence: None)


@pytest.fixture
def artifacts(request):
    """A folder for screens and logs of this test, to look at when it fails."""
    name = request.node.name.translate({ord(sign): "-" for sign in "[]/: "}).strip("-")
    folder = ROOT / "build" / "editors" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def workspace(tmp_path):
    """Make a project: `workspace({"a.py": text}, 'seed = 7')` gives its folder."""

    def make(files=None, settings="seed = 7\n", name="project"):
        folder = tmp_path / name
        (folder / ".git").mkdir(parents=True, exist_ok=True)
        if settings is not None:
            (folder / ".aide.toml").write_text(settings, encoding="utf-8")
        for path, text in ({"prices.py": SAMPLE} if files is None else files).items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8", newline="")
        return folder

    return make


@pytest.fixture
def expected_completion(editor_env):
    """Ask `aide complete` what belongs at a place; line and column count from 1, as code points.

    `text`: what the file holds in the editor, where it is not saved. Options go over the files' settings:
    `seed=8`. The whole answer: `.facts`.
    """

    class Completed(str):
        facts: dict

    def complete(path, line, column, text=None, **options):
        path = Path(path)
        place = f"{path if text is None else '-'}:{line}:{column}"
        # The text is compared, however slow the machine.
        command = [str(BIN / "aide"), "complete", "--json", "--deadline-ms", "0"]
        command += [] if text is None else ["--path", str(path)]
        for name, value in options.items():
            command += [f"--{name.replace('_', '-')}", str(value)]
        command += ["--", place]  # a place in stdin begins with a dash
        done = subprocess.run(
            command,
            input=text,
            cwd=path.parent,
            env=editor_env,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        facts = json.loads(done.stdout)
        answer = Completed(facts["text"])
        answer.facts = facts
        return answer

    return complete
