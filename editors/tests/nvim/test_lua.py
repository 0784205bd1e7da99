"""The plugin's Lua: what can be tested without an editor's window, formatting, and what the linter says."""

import subprocess
from pathlib import Path

import pytest

from editors.tests.nvim.session import PLUGIN

HERE = Path(__file__).resolve().parent
TOOLS = HERE.parents[2] / ".editors" / "lua-tools"


def run(*command):
    """Run a program; fail with what it says."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", ["edit", "cursor"])
def test_modules(nvim_program, module):
    run(nvim_program, "-l", HERE / f"{module}_test.lua", PLUGIN)


def test_options_in_the_help_are_those_of_the_plugin(nvim_program):
    run(nvim_program, "-l", PLUGIN / "scripts" / "options.lua", "--check")


def lua_files():
    """Give all of them."""
    if not TOOLS.exists():
        pytest.fail("The Lua tools are missing: editors/setup/lua-tools.sh installs them.")
    root = PLUGIN.parents[1]
    folders = [PLUGIN, root / "lua", root / "plugin"]
    return [path for folder in folders for path in sorted(folder.rglob("*.lua"))] + sorted(HERE.glob("*.lua"))


def test_formatted_as_stylua_does():
    package = TOOLS / "node_modules" / "@johnnymorganz" / "stylua"
    run("node", HERE / "stylua.mjs", package, PLUGIN / ".stylua.toml", "--check", *lua_files())


def test_nothing_to_complain_of_for_luacheck():
    run("luacheck", "--no-color", "--config", PLUGIN / ".luacheckrc", *lua_files())
