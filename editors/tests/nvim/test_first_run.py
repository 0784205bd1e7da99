"""A Neovim without the server: one question at a calm moment, an installation, its progress, a completion."""

import os
import shutil
from pathlib import Path

import pytest

from editors.tests.conftest import ROOT

CALM = "require('aide.question').calm_ms = 100\n"
ASKED = """
_G.selects = {}
vim.ui.select = function(items, options, on_choice)
  table.insert(_G.selects, { items = items, prompt = options.prompt, mode = vim.api.nvim_get_mode().mode })
  _G.choose = on_choice
end
"""
OWN_LIST = "vim.notify = _G.real_notify\n"


@pytest.fixture
def bare_env(nvim_env, tmp_path):
    """A user without the server on the PATH, but with uv."""
    folders = nvim_env["PATH"].split(os.pathsep)
    kept = [folder for folder in folders if not (Path(folder) / "aide-lsp").exists()]
    programs = tmp_path / "programs"
    programs.mkdir()
    uv = shutil.which("uv") or ROOT / ".tools" / "bin" / "uv"
    (programs / "uv").symlink_to(uv)
    return {"PATH": os.pathsep.join([str(programs), *kept]), "UV_LINK_MODE": "hardlink"}


def test_no_server_then_asked_once_when_calm_and_installed_and_completed(start_nvim, workspace, bare_env):
    """The first completion comes at the waiting cursor."""
    busy = "require('aide.question').calm_ms = 1e9\n"
    nvim = start_nvim(bare_env, init=busy + ASKED, file=workspace() / "prices.py")
    nvim.keys("G", "o")
    nvim.type("x = ")
    nvim.wait(lambda: nvim.text.endswith("x = "), "Typing does not go on")
    nvim.do(CALM)
    assert nvim.lua("#_G.selects") == 0, "Asked in insert mode"
    nvim.keys("Escape")
    nvim.wait(lambda: nvim.lua("#_G.selects"), "Nothing is asked")
    assert nvim.lua("_G.selects[1].mode") == "n"
    assert "0.8 GB" in nvim.lua("_G.selects[1].prompt")
    nvim.keys("a")
    nvim.do("_G.choose('Install')")
    nvim.wait(lambda: "of 5)" in nvim.screen(), "No progress is shown")
    nvim.wait(lambda: "Aide: installing" in nvim.screen(), "The statusline does not say so")
    nvim.type("y")
    nvim.wait(lambda: nvim.text.endswith("x = y"), "Typing does not go on")
    nvim.keys("BSpace")
    nvim.wait_ghost()
    server = nvim.lua("require('aide.process').command()[1]")
    assert server.startswith(str(nvim.folder / "nvim-data"))
    assert nvim.messages == ["Aide is ready: type, and <Tab> accepts what it offers."]
    nvim.wait(lambda: "of 5)" not in nvim.screen(), "The progress stays")
    assert nvim.lua("vim.lsp.config.aide.init_options.download") is True
    assert nvim.lua("#_G.selects") == 1


def test_not_now_then_remembered_and_nothing_asked_again(start_nvim, workspace, bare_env):
    """With Neovim's own list of choices, which is typed into."""
    nvim = start_nvim(bare_env, init=CALM + OWN_LIST, file=workspace() / "prices.py")
    nvim.wait(lambda: "Install them?" in nvim.screen(), "Nothing is asked")
    assert "1: Install" in nvim.screen()
    nvim.keys("2", "Enter")
    nvim.wait(lambda: ":Aide install does it later" in nvim.screen(), "Nobody says how to install it later")
    assert "Press ENTER" not in nvim.screen()
    nvim.command("edit other.py")
    nvim.do("package.loaded['aide.install'] = nil require('aide.install').offer()")
    nvim.command("Aide pause")
    nvim.wait(lambda: "was not found. :Aide install" in nvim.screen(), "No reason is given")
    assert "Install them?" not in nvim.screen()
    assert "Press ENTER" not in nvim.screen()


def test_server_without_a_model_then_asked_when_calm_and_later_on_request(start_nvim, workspace, tmp_path):
    """With the server on the PATH. The question is the server's; Neovim itself would ask in insert mode."""
    (tmp_path / "no-models").mkdir()
    nvim = start_nvim(
        {"AIDE_DATA_DIR": str(tmp_path / "no-models")}, init=CALM + ASKED, file=workspace() / "prices.py"
    )
    nvim.keys("i")
    nvim.wait(
        lambda: nvim.state().get("state") == "missing", "The state does not say that the model is missing"
    )
    nvim.type("x")
    nvim.wait(lambda: nvim.text.startswith("x"), "Typing does not go on")
    assert nvim.lua("#_G.selects") == 0, "Asked in insert mode"
    nvim.keys("Escape")
    nvim.wait(lambda: nvim.lua("#_G.selects"), "Nothing is asked")
    assert "0.5 GB" in nvim.lua("_G.selects[1].prompt")
    assert nvim.lua("_G.selects[1].mode") == "n"
    nvim.do("_G.choose(_G.selects[1].items[2])")
    nvim.wait(lambda: "Aide: no model" in nvim.screen(), "The statusline does not say so")
    nvim.command("Aide install")
    nvim.wait(lambda: nvim.state().get("state") == "loading", "The download does not begin")
    nvim.wait(lambda: "ownload" in nvim.screen().rstrip().split("\n")[-3], "No progress is shown")
    assert nvim.lua("#_G.selects") == 1


def test_installation_when_canceled_or_failing_then_said_and_done_again_on_request(
    start_nvim, workspace, bare_env, tmp_path
):
    uv = tmp_path / "programs" / "uv"
    uv.unlink()
    uv.write_text("#!/bin/sh\necho Downloading a lot\nexec sleep 1000\n")
    uv.chmod(0o755)
    nvim = start_nvim(bare_env, init="require('aide.question').calm_ms = 1e9", file=workspace() / "prices.py")
    nvim.command("Aide install")
    nvim.wait(lambda: "Aide: creating an environment (2 of 5)" in nvim.screen(), "No progress is shown")
    nvim.wait(lambda: "a lot" in nvim.screen(), "What the program says is not shown")
    nvim.command("Aide status")
    nvim.wait(
        lambda: "is being installed: creating an environment" in nvim.text, "The status does not say so"
    )
    nvim.keys("q")
    nvim.command("Aide install cancel")
    nvim.wait(lambda: nvim.messages, "Nothing is said")
    assert nvim.messages == ["Aide: the installation was canceled. :Aide install starts it again."]
    assert "(2 of 5)" not in nvim.screen()
    uv.write_text("#!/bin/sh\necho No space left on device >&2\nexit 2\n")
    nvim.command("Aide install")
    nvim.wait(lambda: len(nvim.messages) > 1, "Nothing is said")
    assert nvim.messages[1].startswith("Aide could not be installed: uv failed: No space left on device.")
    nvim.command("Aide log")
    nvim.wait(lambda: "No space left" in nvim.text, "The log does not have it")
