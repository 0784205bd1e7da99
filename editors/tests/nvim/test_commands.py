"""The commands of `:Aide` other than those for seeds: the server's lists and pages are shown."""

from pathlib import Path

import pytest

SUBCOMMANDS = (
    "regenerate previous pin unpin preset troubleshoot explain settings model pause resume status log"
)


@pytest.fixture
def opened(nvim, workspace):
    """A file with a ghost text."""
    path = workspace() / "prices.py"
    nvim.open(path)
    nvim.keys("G")
    nvim.keys("o")
    nvim.type("x = ")
    nvim.wait_ghost()
    nvim.keys("Escape")
    nvim.do("_G.messages = {}")
    nvim.do(
        "_G.selects = {} vim.ui.select = function(items, options, on_choice) "
        "table.insert(_G.selects, { items = items, prompt = options.prompt }) _G.choose = on_choice end"
    )
    yield path
    nvim.do("vim.cmd('silent! only')")


def completed(nvim, line):
    """What Neovim offers for a command line."""
    return nvim.lua(f"vim.fn.getcompletion('{line}', 'cmdline')")


def test_completion_of_arguments(nvim, opened):
    assert set(SUBCOMMANDS.split()) <= set(completed(nvim, "Aide "))
    assert completed(nvim, "Aide un") == ["unpin"]
    assert {"code", "creative", "none"} <= set(completed(nvim, "Aide preset "))
    assert completed(nvim, "Aide troubleshoot rep") == ["repetitive"]
    assert "default" in completed(nvim, "Aide model ")
    assert len(completed(nvim, "Aide model ")) > 1


def test_invalid_commands_then_reported(nvim, opened):
    nvim.do("vim.cmd('Aide nonsense')")
    assert 'no command "nonsense"' in nvim.messages[-1]
    nvim.do("vim.cmd('Aide pin 7')")
    assert "takes no argument" in nvim.messages[-1]


def test_preset_when_chosen_then_in_project_file(nvim, opened):
    file = opened.parent / ".aide.toml"
    nvim.command("Aide preset factual")
    nvim.wait(lambda: 'preset = "factual"' in file.read_text(), "The preset is not in the project file")
    nvim.command("Aide preset none")
    nvim.wait(lambda: "preset" not in file.read_text(), "The preset is still in the project file")
    nvim.command("Aide preset")
    nvim.wait(lambda: nvim.lua("#_G.selects"), "Nothing to choose from")
    assert len(nvim.lua("_G.selects[1].items")) >= 4
    nvim.do("_G.choose(_G.selects[1].items[1])")
    nvim.wait(lambda: "preset = " in file.read_text(), "What was chosen is not in the project file")


def test_settings_status_and_log_then_shown(nvim, opened):
    nvim.command("Aide settings")
    nvim.wait(lambda: "num_context" in nvim.text and ".aide.toml" in nvim.text, "No settings")
    nvim.keys("q")
    nvim.command("Aide status")
    nvim.wait(lambda: "State        ready" in nvim.text and "seed 7" in nvim.text, "No status")
    nvim.keys("q")
    nvim.command("Aide log")
    nvim.wait(lambda: "is ready" in nvim.text, "No log")
    nvim.keys("q")
    nvim.wait(lambda: "def total" in nvim.text, "The split is not closed")


def test_explain_then_a_page_in_the_cache(nvim, opened):
    nvim.do("vim.ui.open = function(path) _G.opened = path end")
    nvim.command("Aide explain")
    nvim.wait(lambda: nvim.lua("_G.opened or false"), "No page was opened")
    page = Path(nvim.lua("_G.opened")).read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html")
    assert nvim.lua("_G.opened") in nvim.messages[-1]


def test_troubleshoot_then_shown_and_written_when_wanted(nvim, opened):
    file = opened.parent / ".aide.toml"
    nvim.command("Aide troubleshoot repetitive")
    nvim.wait(lambda: nvim.lua("#_G.selects"), "Nothing is asked")
    assert "Raise Temperature from 0.7 to 0.9: less likely tokens get more probability" in nvim.text
    assert "Before:" in nvim.text
    assert "After:" in nvim.text
    before = file.read_text()
    nvim.do("_G.choose(_G.selects[1].items[1], 1)")
    nvim.wait(lambda: file.read_text() != before, "Nothing was written")
    nvim.wait(lambda: any(str(file) in message for message in nvim.messages), "Nobody says where")


def test_model_when_unknown_then_refused_with_a_sentence(nvim, opened):
    nvim.command("Aide model nonsense")
    nvim.wait(lambda: nvim.messages, "Nothing is said")
    assert "nonsense" in nvim.messages[-1]
