"""The commands of `:Aide` other than those for seeds: the server's lists and pages are shown."""

import json
from pathlib import Path

import pytest

SUBCOMMANDS = (
    "regenerate previous pin unpin preset troubleshoot compare explain settings model pause resume snooze "
    "off on status log"
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


def test_settings_then_problems_first_and_groups(nvim, opened):
    (opened.parent / ".aide.toml").write_text(
        'seed = 7\npreset = "code"\ntemperature = 9\n', encoding="utf-8"
    )
    nvim.command("Aide settings")
    nvim.wait(lambda: "found 9" in nvim.text, "No report")
    lines = nvim.text.split("\n")
    assert lines[0] == "Settings for prices.py (python)"
    assert lines[2] == "Problems"
    assert line_color(nvim, lines[0]) == "Title"
    assert line_color(nvim, lines[3]) == "WarningMsg"
    (changed,) = (line for line in lines if line.startswith("  temperature   "))
    assert changed.split()[:2] == ["temperature", "0.3"]
    assert line_color(nvim, changed) == "Identifier"
    assert lines.index("Problems") < lines.index(changed) < lines.index("Model")
    (recipe,) = (line.split() for line in lines if line.startswith("  recipe   "))
    assert recipe[:2] == ["recipe", '"auto"']
    assert recipe[2] in ("(exact)", "(fast)")  # by the processor
    nvim.keys("q")


def test_project_file_then_its_problems_are_shown_where_they_are(nvim, opened):
    file = opened.parent / ".aide.toml"
    file.write_text("seed = 7\ntemperature = 9\nnonsense = 1\n", encoding="utf-8")
    nvim.open(file)
    problems = nvim.wait(lambda: nvim.lua("vim.diagnostic.get(0)"), "No diagnostics")
    assert [(problem["lnum"], problem["source"]) for problem in problems] == [(1, "Aide"), (2, "Aide")]
    nvim.keys("G", "o")
    nvim.type("top")
    nvim.keys("C-x", "C-o")
    nvim.wait(lambda: "top_k" in nvim.screen(), "Its keys are not completed")
    nvim.keys("Escape")
    nvim.do("vim.cmd('silent! write')")


def test_schema_for_servers_that_know_toml_then_the_one_of_the_repository(nvim):
    path = nvim.lua("vim.uri_to_fname(require('aide').schema())")
    assert "num_context" in Path(path).read_text(encoding="utf-8")


def test_status_and_log_then_shown(nvim, opened):
    nvim.command("Aide status")
    nvim.wait(lambda: "State        ready" in nvim.text, "No status")
    parameters = ["Temperature", "Top K", "Top P", "Num Context", "Seed"]
    named = [line[:12].rstrip() for line in nvim.text.split("\n")]
    assert [name for name in named if name in parameters] == parameters, "in the order of the documentation"
    assert "Device       CPU" in nvim.text
    nvim.keys("q")
    nvim.command("Aide log")
    nvim.wait(lambda: "is ready" in nvim.text, "No log")
    nvim.keys("q")
    nvim.wait(lambda: "def total" in nvim.text, "The split is not closed")


def test_other_files_that_were_read_then_named_in_the_status(nvim):
    state = """(function(files)
        local shown = { seed = 7, candidate = 0, pinned = false, files = files }
        local report = { state = 'ready', model = 'm', version = '1', accepted = { count = 0 } }
        return vim.tbl_map(function(line)
            return line[1][1] .. line[2][1]
        end, require('aide.report').state(report, { shown = shown }))
    end)({ %s })"""
    files = "{ path = 'src/models.py', lines = '13-24, 37-48' }, { path = 'a.py', lines = '1-12' }"
    assert "Also read    src/models.py 13-24, 37-48; a.py 1-12" in nvim.lua(state % files)
    assert not any(line.startswith("Also read") for line in nvim.lua(state % ""))


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 completions"), (1, "1 completion"), (2, "2 completions")]
)
def test_accepted_completions_then_counted_in_the_status(nvim, count, words):
    report = f"{{ state = 'ready', model = 'm', version = '1', accepted = {{ count = {count} }} }}"
    lines = nvim.lua(f"require('aide.report').state({report})")
    assert lines[-1] == [["Accepted     ", "Identifier"], [words]]


def test_another_file_that_was_read_then_named_while_the_completion_is_visible(start_nvim, workspace):
    models = "class Invoice:\n    net_cents: int\n    gross_cents: int\n    vat_rate: float\n"
    report = "from models import Invoice\n\n\ndef total(invoices: list[Invoice]) -> int:\n"
    path = workspace({"models.py": models, "report.py": report}) / "report.py"
    nvim = start_nvim(init="require('aide').setup({ settings = { contextShare = 0.25 } })", file=path)
    nvim.wait(nvim.is_ready, "Aide is not ready")
    nvim.do("vim.bo.autoindent = false vim.bo.indentexpr = ''")
    nvim.keys("G")
    nvim.keys("o")
    nvim.type("    return sum(invoice.")
    nvim.wait_ghost()
    nvim.wait(lambda: nvim.shown_seed(), "The state has no seed")
    nvim.do("vim.cmd('Aide status')")
    nvim.wait(lambda: "Also read    models.py 1-4" in nvim.text, "The file is not named")
    nvim.do("vim.cmd('silent! only')")


def test_answer_to_someone_who_went_on_then_nothing_is_said(nvim, opened):
    nvim.do("require('aide.requests').show_message('A newer one arrived.', 'superseded')")
    nvim.do("require('aide.requests').show_message('There is no other.', 'no-other')")
    assert nvim.messages[-1] == "Aide: There is no other."
    assert not any("newer" in message for message in nvim.messages)


def test_page_that_cannot_be_written_then_one_message(start_nvim, workspace, tmp_path):
    (tmp_path / "cache").write_text("no folder")
    nvim = start_nvim(env={"XDG_CACHE_HOME": str(tmp_path / "cache")}, file=workspace() / "prices.py")
    nvim.wait(nvim.is_ready, "Aide is not ready")
    nvim.command("Aide explain")
    nvim.wait(lambda: any("cannot be written" in one for one in nvim.messages), "Nothing is said")
    assert "stack traceback" not in nvim.screen()


def test_explain_then_a_page_in_the_cache(nvim, opened):
    nvim.do("vim.ui.open = function(path) _G.opened = path end")
    nvim.command("Aide explain")
    nvim.wait(lambda: nvim.lua("_G.opened or false"), "No page was opened")
    page = Path(nvim.lua("_G.opened")).read_text(encoding="utf-8")
    assert page.lstrip().lower().startswith("<!doctype html")
    assert nvim.lua("_G.opened") in nvim.messages[-1]


def line_color(nvim, start):
    """The highlight group of the report's line that begins with this."""
    rows = [row for row, line in enumerate(nvim.text.split("\n")) if line.startswith(start)]
    assert rows, nvim.text
    span = f"{{ {rows[0]}, 0 }}, {{ {rows[0]}, -1 }}"
    return nvim.lua(f"vim.api.nvim_buf_get_extmarks(0, -1, {span}, {{ details = true }})[1][4].hl_group")


def test_troubleshoot_then_the_reasons_and_the_difference_and_a_key_writes_them(nvim, opened):
    file = opened.parent / ".aide.toml"
    nvim.command("Aide troubleshoot incoherent")
    nvim.wait(lambda: nvim.text.startswith("Lower Temperature from 0.7 to"), "No reason is given")
    assert "Lower Top P" in nvim.text
    lines = nvim.text.split("\n")
    if any(line.startswith("- ") for line in lines):
        assert line_color(nvim, "- ") == "Removed"
        assert line_color(nvim, "+ ") == "Added"
    else:
        assert "stays the same" in nvim.text
    assert any(line[2:].startswith("x = ") for line in lines), "The line that is completed is not there"
    assert "a write the change" in nvim.screen()
    assert not nvim.lua("#_G.selects"), "A question in between"
    before = file.read_text()
    nvim.keys("a")
    nvim.wait(lambda: file.read_text() != before, "Nothing was written")
    nvim.wait(lambda: any(str(file) in message for message in nvim.messages), "Nobody says where")
    assert nvim.lua("vim.fn.winnr('$')") == 1, "The report is still open"


def test_troubleshoot_when_left_then_nothing_written(nvim, opened):
    file = opened.parent / ".aide.toml"
    nvim.command("Aide troubleshoot repetitive")
    nvim.wait(lambda: nvim.text.startswith("Raise Temperature from 0.7 to 0.9"), "No reason is given")
    before = file.read_text()
    nvim.keys("q")
    nvim.wait(lambda: nvim.lua("vim.fn.winnr('$')") == 1, "The report is still open")
    assert file.read_text() == before


def difference(nvim, before, after):
    """The lines that the report shows for two texts."""
    lists = f"vim.json.decode([=[{json.dumps(before)}]=]), vim.json.decode([=[{json.dumps(after)}]=])"
    found = nvim.lua(f"require('aide.troubleshoot').difference({lists})")
    return [line[0][0] for line in found]


def test_differences_of_several_lines_then_every_line_once(nvim):
    assert difference(nvim, ["a", "b", "c"], ["a", "x", "c"]) == ["  a", "- b", "+ x", "  c"]
    assert difference(nvim, ["a", "c"], ["a", "b", "c"]) == ["  a", "+ b", "  c"]
    assert difference(nvim, ["a", "b", "c"], ["a", "c"]) == ["  a", "- b", "  c"]
    assert difference(nvim, ["a"], ["b", "c"]) == ["- a", "+ b", "+ c"]
    assert difference(nvim, ["a", ""], ["a", ""]) == ["  a", "  "]
    assert difference(nvim, ["x", "a"], ["a", "y"]) == ["- x", "  a", "+ y"]


def test_compare_then_one_after_the_other_and_a_key_adopts_and_shows_one(nvim, opened, expected_completion):
    file = opened.parent / ".aide.toml"
    line, text = nvim.place[0], nvim.text + "\n"
    nvim.command("Aide compare 0 1")
    nvim.wait(lambda: "Temperature 1, seed 8" in nvim.text and "…" not in nvim.text, "They do not come")
    offered = {}
    for seed in (7, 8):
        expected = expected_completion(opened, line, len("x = ") + 1, text=text, temperature=1, seed=seed)
        shown = "\n".join(f"  {line}" for line in f"x = {expected}".split("\n"))
        assert f"Temperature 1, seed {seed}" in nvim.text
        assert shown in nvim.text
        offered |= {seed: expected} if expected else {}
    assert nvim.text.startswith("Temperature 0, any seed")
    assert file.read_text() == "seed = 7\n", "Comparing writes"
    seed, expected = offered.popitem()
    nvim.do(f"vim.fn.search('Temperature 1, seed {seed}')")
    nvim.keys("Enter")
    nvim.wait_ghost(expected)
    assert "temperature = 1" in file.read_text()
    assert f"seed = {seed}" in file.read_text()
    assert nvim.text.endswith("x = ")


def test_compare_when_closed_then_the_rest_is_canceled(nvim, opened):
    nvim.do("_G.sent = 0")
    nvim.do(
        "local client = vim.lsp.get_clients({ name = 'aide' })[1] local request = client.request "
        "client.request = function(self, method, params, ...) "
        "if params.command == 'aide.complete' then _G.sent = _G.sent + 1 end "
        "return request(self, method, params, ...) end"
    )
    nvim.command("Aide compare 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8")
    nvim.wait(lambda: "Aide: compare" in nvim.screen(), "No report")
    nvim.keys("q")
    nvim.wait(lambda: nvim.lua("vim.fn.winnr('$')") == 1, "The report is still open")
    nvim.command("Aide pause")  # answered after everything that was requested before
    nvim.wait(lambda: nvim.messages, "Nothing is said")
    assert nvim.lua("_G.sent") < 10
    nvim.command("Aide resume")


def test_compare_when_not_understood_then_said_what_it_takes(nvim, opened):
    nvim.command("Aide compare warm")
    nvim.wait(lambda: nvim.messages, "Nothing is said")
    assert "temperatures between 0 and 1" in nvim.messages[0]


def test_loose_file_then_asked_before_a_project_file_is_created(nvim, opened, tmp_path):
    loose = tmp_path / "loose" / "a.py"
    loose.parent.mkdir()
    loose.write_text("x = 1\n", encoding="utf-8")
    nvim.open(loose)
    created = loose.parent / ".aide.toml"
    nvim.command("Aide preset factual")
    nvim.wait(lambda: nvim.lua("#_G.selects"), "Nothing is asked")
    assert str(created) in nvim.lua("_G.selects[1].prompt")
    nvim.do("_G.choose('Cancel')")
    assert not created.exists()
    nvim.command("Aide preset factual")
    nvim.wait(lambda: nvim.lua("#_G.selects") == 2, "Nothing is asked")
    nvim.do("_G.choose('Create it')")
    nvim.wait(lambda: created.exists() and "factual" in created.read_text(), "Nothing is written")


def test_snooze_then_until_when_and_resume_ends_it(nvim, opened):
    nvim.command("Aide snooze 15")
    nvim.wait(lambda: nvim.messages, "Nothing is said")
    nvim.wait(lambda: nvim.state()["state"] == "paused", "It is not paused")
    assert "until" in nvim.messages[0]
    nvim.command("Aide resume")
    nvim.wait(nvim.is_ready, "It is not resumed")


def test_off_then_for_the_file_or_its_language_and_on_again(nvim, opened):
    for scope, words in [("", "for this file"), (" language", "python files")]:
        nvim.do("_G.messages = {}")
        nvim.command(f"Aide off{scope}")
        nvim.wait(lambda: nvim.messages, "Nothing is said")
        assert "Completions are off" in nvim.messages[0]
        assert words in nvim.messages[0]
        nvim.keys("A")
        nvim.wait(lambda: (nvim.state().get("nothing") or {}).get("reason") == "off", "It is not off")
        nvim.keys("Escape")
        nvim.command("Aide on")
        nvim.wait(lambda: len(nvim.messages) > 1, "Nothing is said")
        assert "Completions are on" in nvim.messages[1]
        nvim.keys("A")
        nvim.wait_ghost()
        nvim.keys("Escape")


def test_commands_about_the_server_then_they_work_in_every_buffer(nvim, opened):
    """In a help page: pause, resume, model, settings, status, and log act; the others say why they cannot."""
    nvim.do("vim.cmd('help help')")
    nvim.command("Aide pause")
    nvim.wait(lambda: any("paused" in message for message in nvim.messages), "It is not paused")
    nvim.command("Aide resume")
    nvim.wait(lambda: len(nvim.messages) > 1, "It is not resumed")
    nvim.command("Aide model")
    nvim.wait(lambda: nvim.lua("#_G.selects"), "No model to choose from")
    for name, words in [("status", "State"), ("settings", "num_context"), ("log", "is ready")]:
        nvim.command(f"Aide {name}")
        nvim.wait(lambda words=words: words in nvim.text, f"No {name}")
        if name == "status":
            assert "Here         Aide completes in files only, and this is a help page." in nvim.text
        nvim.keys("q")
    nvim.do("_G.messages = {}")
    for name in ("explain", "regenerate", "pin", "preset none", "troubleshoot repetitive"):
        nvim.command(f"Aide {name}")
        nvim.wait(lambda: nvim.messages, f"{name} says nothing")
        assert nvim.messages == ["Aide completes in files only, and this is a help page."]
        nvim.do("_G.messages = {}")


def test_model_when_unknown_then_refused_with_a_sentence(nvim, opened):
    nvim.command("Aide model nonsense")
    nvim.wait(lambda: nvim.messages, "Nothing is said")
    assert "nonsense" in nvim.messages[-1]
