"""The first lines of a completion show while the rest is generated, and never go away meanwhile."""

import json

import pytest

from editors.tests.nvim.session import GHOST
from editors.tests.reciting import FIRST, WHOLE, reciting_server

INIT = """
require('aide').setup({{ cmd = {{ {program} }}, settings = {{ workAhead = false }} }})
_G.ghosts = {{}}
vim.uv.new_timer():start(0, 5, vim.schedule_wrap(function()
  local seen = {ghost}
  if seen ~= _G.ghosts[#_G.ghosts] then table.insert(_G.ghosts, seen) end
end))
"""


@pytest.fixture
def reciter(start_nvim, workspace, tmp_path):
    """A Neovim on the slow server, without a seed, in insert mode below a comment."""
    folder = workspace({"lines.py": "# lines\n\n"}, "")
    program = json.dumps(str(reciting_server(tmp_path)))
    nvim = start_nvim(init=INIT.format(program=program, ghost=GHOST), file=folder / "lines.py")
    nvim.wait(nvim.is_ready, "Aide is not ready")
    nvim.keys("G")
    nvim.keys("i")
    return nvim


def test_first_line_when_finished_then_shown_and_all_without_a_gap(reciter):
    reciter.wait_ghost(WHOLE)
    assert reciter.lua("_G.ghosts") == ["", FIRST, WHOLE]
    reciter.keys("Tab")
    reciter.wait(lambda: reciter.text == f"# lines\n{WHOLE}", lambda: f"Not taken: {reciter.text!r}")


def test_first_line_when_accepted_then_the_rest_follows(reciter):
    reciter.wait_ghost(FIRST)
    reciter.keys("Tab")
    reciter.wait_ghost(WHOLE.removeprefix(FIRST))


def test_first_line_when_dismissed_then_nothing_comes_back(reciter):
    reciter.wait_ghost(FIRST)
    reciter.keys("C-]")
    reciter.wait(lambda: not reciter.ghost, "It is not dismissed")
    # By then, all would be there.
    reciter.do("vim.wait(2500)")
    assert not reciter.ghost
