"""The plugin from a clone of the repository, as plugin managers install it: commands, options, and help."""

import subprocess

import pytest

from editors.tests.conftest import ROOT

CLONED = """
vim.fn.system({ 'git', 'clone', '--quiet', vim.env.AIDE_REPOSITORY,
  vim.fn.stdpath('data') .. '/site/pack/aide/start/aide' })
"""

PACK = """
vim.pack.add({ vim.env.AIDE_REPOSITORY }, { confirm = false })
require('aide').setup({ keys = { accept = '<C-y>' } })
"""

# What lazy.nvim does with { URL, opts = { ... } }: it clones, sources the plugin's files, looks for the only
# module of the root, and calls its `setup`. Neovim then loads no plugins on its own.
LAZY = """
vim.go.loadplugins = false
local root = vim.fn.stdpath('data') .. '/lazy/clone'
vim.fn.system({ 'git', 'clone', '--quiet', '--filter=blob:none', vim.env.AIDE_REPOSITORY, root })
vim.opt.rtp:append(root)
local files = vim.fn.glob(root .. '/plugin/**/*.lua', true, true)
table.sort(files)
for _, file in ipairs(files) do vim.cmd.source(file) end
local modules = vim.fn.glob(root .. '/lua/*', true, true)
assert(#modules == 1)
require(vim.fn.fnamemodify(modules[1], ':t:r')).setup({ keys = { accept = '<C-y>' } })
"""

MANAGERS = {"clone": CLONED, "vim.pack": PACK, "lazy": LAZY}


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A bare repository with the files of the checkout as they are now."""
    bare = tmp_path_factory.mktemp("repository") / "aide.git"

    def git(*arguments):
        name = ["-c", "user.name=A", "-c", "user.email=a@b.invalid"]
        command = ["git", *name, f"--git-dir={bare}", *arguments]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)

    git("init", "--quiet", "--bare", "--initial-branch=main")
    git(f"--work-tree={ROOT}", "add", "--all")
    git(f"--work-tree={ROOT}", "commit", "--quiet", "--message", "Aide")
    return f"file://{bare}"


@pytest.mark.parametrize("manager", MANAGERS)
def test_installed_from_the_repository_then_completions_commands_options_and_help(
    start_nvim, workspace, repository, nvim_program, manager
):
    if manager == "vim.pack" and "nvim011" in str(nvim_program):
        pytest.skip("vim.pack is new in Neovim 0.12.")
    env = {"AIDE_REPOSITORY": repository}
    nvim = start_nvim(env, init=MANAGERS[manager], file=workspace() / "prices.py", plugin=None)
    nvim.wait(nvim.is_ready, "Aide is not ready")
    nvim.keys("G", "o")
    nvim.type("x = ")
    nvim.wait(lambda: nvim.text.endswith("x = "), "The typed text did not arrive")
    ghost, before = nvim.wait_ghost(), nvim.text
    nvim.keys("Tab" if manager == "clone" else "C-y")
    nvim.wait(lambda: nvim.text == before + ghost, "It is not accepted")
    nvim.keys("Escape")
    nvim.command("Aide status")
    nvim.wait(lambda: "State        ready" in nvim.text, "No status")
    nvim.keys("q")
    nvim.command("help aide-keys")
    nvim.wait(lambda: "accept the complete text" in nvim.screen(), "No help")
    nvim.command("checkhealth aide")
    nvim.wait(lambda: "accept: " in nvim.text, "No health report")
    assert "ERROR" not in nvim.text
    assert nvim.messages == []
