"""Editors without inline completion: what they offer in their lists is the real model's, and it is inserted.

The configuration is the one of `editors/helix.md` and `editors/emacs.md`, read from there.
"""

import os
import re
from pathlib import Path

import pytest

from editors.tests.others.terminal import Terminal

ROOT = Path(__file__).resolve().parents[3]
TYPED = "mean = total(prices) / "


def pasted(page, language):
    """Give a page's block in a language."""
    text = (ROOT / "editors" / page).read_text(encoding="utf-8")
    return re.search(rf"```{language}\n(.*?)```", text, re.DOTALL).group(1)


def program(name, path):
    """Give an editor's program, or skip with the reason that its setup gave."""
    folder = ROOT / ".editors" / name
    if not (folder / path).exists():
        reason = folder / "unavailable"
        pytest.skip(
            reason.read_text().strip() if reason.exists() else f"editors/setup/{name}.sh did not run."
        )
    return folder / path


@pytest.fixture
def env(editor_env, aide_lsp_path):
    """As a user who has installed the server."""
    return editor_env | {"PATH": f"{aide_lsp_path.parent}{os.pathsep}{editor_env['PATH']}"}


@pytest.fixture
def path(workspace):
    """A file with an unfinished line at its end."""
    return (
        workspace({"prices.py": f"def total(prices):\n    return sum(prices)\n\n\n{TYPED}\n"}) / "prices.py"
    )


@pytest.fixture
def expected(expected_completion, path):
    """What belongs there."""
    text = expected_completion(path, 5, len(TYPED) + 1)
    assert text, "The model offers nothing here: choose another place."
    return text


def saved(path, expected):
    """Whether the file on the disk holds the completion."""
    return f"{TYPED}{expected}\n" in path.read_text(encoding="utf-8")


def test_helix_when_taken_from_the_list_then_in_the_file(env, path, expected, artifacts):
    helix = program("helix", "root/usr/bin/hx")
    config = Path(env["XDG_CONFIG_HOME"]) / "helix"
    config.mkdir(exist_ok=True)
    (config / "languages.toml").write_text(pasted("helix.md", "toml"), encoding="utf-8")
    runtime = next((ROOT / ".editors" / "helix" / "root").rglob("lib/*/runtime"))
    terminal = Terminal([helix, path], env | {"HELIX_RUNTIME": str(runtime)}, path.parent)
    try:
        terminal.wait(lambda: "NOR" in terminal.screen(), "Helix did not start")
        terminal.keys("g", "e", "A")
        first = expected.split("\n")[0].strip()

        terminal.press_until(lambda: first in terminal.screen(), "C-x", f"{first!r} is not listed")
        terminal.keys("Tab", "Enter", "Escape")
        terminal.type(":w")
        terminal.keys("Enter")
        terminal.wait(lambda: saved(path, expected), f"{path.read_text()!r} has no {expected!r}")
    finally:
        terminal.close(artifacts)


def test_emacs_when_completed_at_point_then_in_the_file(env, path, expected, artifacts, tmp_path):
    emacs = program("emacs", "emacs")
    init = tmp_path / "init.el"
    init.write_text(
        "(setq inhibit-startup-screen t make-backup-files nil)\n" + pasted("emacs.md", "elisp"),
        encoding="utf-8",
    )
    terminal = Terminal([emacs, "-nw", "-Q", "-l", init, path], env, path.parent)
    try:
        terminal.wait(lambda: "[eglot:" in terminal.screen(), "Eglot is not at work")
        terminal.keys("M->", "C-b")

        line = f"{TYPED}{expected}".split("\n")[0]
        terminal.press_until(lambda: line in terminal.screen(), "C-M-i", f"{expected!r} is not inserted")
        terminal.keys("C-x", "C-s")
        terminal.wait(lambda: saved(path, expected), f"{path.read_text()!r} has no {expected!r}")
    finally:
        terminal.close(artifacts)
