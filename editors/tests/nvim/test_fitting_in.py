"""The plugin along with the user's own keys, popup menu and file types; its help and health check."""

import json

import pytest

from editors.tests.nvim.session import PLUGIN

GO = "package main\n\nfunc add(a int, b int) int {\n\tif a > b {\n"


def open_and_type(nvim, path, text):
    """Type a text in a line of its own at the end of a file."""
    nvim.open(path)
    nvim.do("vim.bo.autoindent = false vim.bo.cindent = false vim.bo.indentexpr = ''")
    nvim.keys("G")
    nvim.keys("o")
    nvim.type(text)
    nvim.wait(lambda: nvim.text.endswith("\n" + text), "The typed text did not arrive")


@pytest.mark.parametrize(
    ("name", "before", "typed"),
    [
        ("wide.py", '# Größe 寸法 😀\nname = "wörld 世界"\n', 'greeting = "hällo 世界 😀" + '),
        ("tabs.go", GO, "\t\treturn "),
        ("windows.py", "def total(prices):\r\n    return sum(prices)\r\n", "mean = "),
    ],
    ids=["wide", "tabs", "crlf"],
)
def test_texts_of_all_kinds_when_taken_then_exact(nvim, workspace, expected_completion, name, before, typed):
    path = workspace({name: before}) / name
    nvim.open(path)
    nvim.do(
        "vim.bo.indentexpr = '' vim.bo.autoindent = false vim.bo.cindent = false vim.bo.expandtab = false"
    )
    nvim.keys("G")
    nvim.keys("o")
    nvim.wait(nvim.is_inserting, "It is not in insert mode")
    for tabs in range(1, typed.count("\t") + 1):  # a typed tab goes through the plugin's own key
        nvim.do("require('aide.completion').dismiss()")
        nvim.keys("Tab")
        nvim.wait(lambda tabs=tabs: nvim.text.endswith("\n" + "\t" * tabs), "No tab")
    nvim.type(typed.lstrip("\t"))
    nvim.wait(lambda: nvim.text.endswith("\n" + typed), "The typed text did not arrive")
    newline = "\r\n" if "\r\n" in before else "\n"
    text = nvim.text.replace("\n", newline) + newline
    expected = expected_completion(path, *nvim.place, text=text).replace("\r\n", "\n")
    nvim.wait(lambda: nvim.ghost, "No ghost text")
    start = nvim.text
    nvim.keys("Tab")
    nvim.wait(lambda: nvim.text == start + expected, f"Not {expected!r} was taken")
    nvim.keys("Escape")
    nvim.command("write")
    nvim.wait(
        lambda: (
            path.read_bytes() == (text[: -len(newline)] + expected.replace("\n", newline) + newline).encode()
        ),
        "The file is not what it must be",
    )


def test_middle_of_a_line_then_inserted_between(nvim, workspace, expected_completion):
    path = workspace({"a.py": "def total(prices):\n    return sum()\n"}) / "a.py"
    nvim.open(path)
    nvim.keys("G", "$", "i")
    expected = expected_completion(path, 2, 16)
    nvim.wait_ghost(expected)
    assert f"    return sum({expected})" in nvim.screen()
    nvim.keys("Tab")
    nvim.wait(lambda: nvim.text.endswith(f"sum({expected})"), "It was not inserted")


def test_several_lines_in_the_middle_of_a_line_then_drawn_as_they_will_stand(nvim, workspace):
    nvim.open(workspace({"a.py": "total(prices)\n"}) / "a.py")

    def rows():
        return [row.rstrip() for row in nvim.screen().split("\n")][:3]

    def is_drawn():
        """In one look, since it may be being painted; an answer may have taken the text back."""
        nvim.do(
            "require('aide.ghost').draw(0, { row = 0, before = 'total', after = '(prices)', delete = 0, "
            "text = 'A\\n\\tB\\nC' }, '1/3')"
        )
        first, second, third = rows()
        return (
            first.startswith("totalA")
            and "(prices)" not in first
            and second.strip() == "B"
            and third == "C(prices)"
        )

    nvim.wait(is_drawn, lambda: f"Not drawn: {rows()}")
    nvim.do("require('aide.ghost').clear()")


def test_own_tab_map_when_nothing_is_shown_then_it_acts(nvim, workspace):
    nvim.open(workspace() / "prices.py")
    nvim.do("vim.keymap.set('i', '<Tab>', function() return '<lt>mine>' end, { expr = true })")
    nvim.keys("G")
    nvim.keys("o")
    nvim.wait(nvim.is_inserting, "It is not in insert mode")
    nvim.do("require('aide.completion').dismiss()")
    nvim.keys("Tab")
    nvim.wait(lambda: nvim.text.endswith("<mine>"), "The user's map does not act")
    nvim.keys("Escape", "o")
    nvim.type("x = ")
    nvim.wait(lambda: nvim.text.endswith("x = "), "The typed text did not arrive")
    ghost, before = nvim.wait_ghost(), nvim.text
    nvim.keys("Tab")
    nvim.wait(lambda: nvim.text == before + ghost, "Tab does not accept")
    nvim.do("vim.keymap.del('i', '<Tab>')")


def test_popup_menu_when_an_entry_is_selected_then_hidden_and_back_afterwards(nvim, workspace):
    text = "total = 1\ntotals = [1, 2]\n"
    open_and_type(nvim, workspace({"a.py": text}) / "a.py", "x = tot")
    nvim.wait_ghost()
    nvim.keys("C-n")
    nvim.wait(lambda: nvim.lua("vim.fn.pumvisible()") == 1, "No menu")
    nvim.wait(lambda: not nvim.ghost, "It is still shown")
    nvim.keys("C-e")
    nvim.wait_ghost()


def test_popup_menu_when_no_entry_is_selected_then_accepting_closes_it(nvim, workspace):
    """Otherwise the keys of the menu would put back what was typed when it was opened."""
    nvim.do("_G.completeopt = vim.o.completeopt vim.o.completeopt = 'menuone,noselect'")
    open_and_type(nvim, workspace({"a.py": "total = 1\ntotals = [1, 2]\n"}) / "a.py", "x = tot")
    ghost, before = nvim.wait_ghost(), nvim.text
    nvim.keys("C-n")
    nvim.wait(lambda: nvim.lua("vim.fn.pumvisible()") == 1, "No menu")
    nvim.wait_ghost(ghost)
    nvim.keys("Tab")
    nvim.wait(lambda: nvim.text == before + ghost, "It is not accepted")
    assert nvim.lua("vim.fn.pumvisible()") == 0
    nvim.keys("C-e")  # the menu's key to go back; without one, it inserts what is below: nothing here
    nvim.type("!")
    nvim.wait(lambda: nvim.text == before + ghost + "!", "What was accepted is gone")
    nvim.keys("Escape")
    nvim.do("vim.o.completeopt = _G.completeopt")


COUNT = """function(event)
  if event.data.request.method == 'textDocument/inlineCompletion' then
    _G.requested = _G.requested + 1
  end
end"""


def test_macro_while_it_is_recorded_then_nothing_is_offered_and_it_repeats_the_keys(nvim, workspace):
    nvim.open(workspace() / "prices.py")
    nvim.do("vim.bo.autoindent = false vim.bo.indentexpr = ''")
    nvim.do("vim.bo.expandtab = false vim.bo.softtabstop = 0")
    nvim.do(f"_G.requested = 0 vim.api.nvim_create_autocmd('LspRequest', {{ callback = {COUNT} }})")
    nvim.keys("G", "q", "a", "o")
    nvim.type("x = ", "Tab")
    nvim.wait(lambda: nvim.text.endswith("\nx = \t"), "Tab is no tab")
    assert nvim.lua("_G.requested") == 0
    nvim.wait(lambda: "Aide: not while recording" in nvim.screen(), "It is not said why")
    assert "macro" in nvim.lua("require('aide.availability').silence(0)")
    nvim.keys("Escape", "q", "@", "a")
    nvim.wait(lambda: nvim.text.endswith("\nx = \t\nx = \t"), "It does not repeat the keys")
    open_and_type(nvim, workspace(name="other") / "prices.py", "x = ")
    nvim.wait_ghost()


def test_two_windows_on_one_buffer_then_shown_only_where_one_types(nvim, workspace):
    nvim.open(workspace() / "prices.py")
    nvim.do("vim.cmd('split')")
    nvim.type("Go")
    nvim.type("x = ")
    ghost = nvim.wait_ghost().split("\n")[0]
    nvim.wait(lambda: nvim.screen().count("x =") == 2, "The buffer is not there twice")
    assert nvim.screen().count(f"x = {ghost}") == 1
    nvim.keys("Escape")
    nvim.do("vim.cmd('only')")


def test_statusline_of_another_window_then_not_about_this_one(nvim, workspace):
    folder = workspace({"prices.py": "x = 1\n", ".env": "KEY=1\n"})
    nvim.open(folder / "prices.py")
    nvim.do("vim.cmd('only!')")
    nvim.do(f"vim.cmd.split({json.dumps(str(folder / '.env'))})")
    nvim.keys("A")
    nvim.wait(lambda: "off here" in nvim.screen(), "It is not said that Aide is off")
    lines = [line for line in nvim.screen().split("\n") if "Aide" in line]
    assert [line.split()[-1] for line in lines] == ["here", "Aide"]
    nvim.keys("Escape")


def test_other_buffer_when_gone_to_then_nothing_stays(nvim, workspace):
    open_and_type(nvim, workspace() / "prices.py", "x = ")
    nvim.wait_ghost()
    before, buffer = nvim.text, nvim.lua("vim.api.nvim_get_current_buf()")
    nvim.do("vim.cmd('vnew')")
    marks = f"#vim.api.nvim_buf_get_extmarks({buffer}, vim.api.nvim_get_namespaces().aide, 0, -1, {{}})"
    nvim.wait(lambda: nvim.lua(marks) == 0, "It is still shown in the other window")
    nvim.do("vim.cmd('close!')")
    nvim.wait(lambda: nvim.text == before, "The text is not as it was")


def test_files_without_a_type_then_completed_and_scratch_buffers_not(nvim, workspace):
    path = workspace({"notes": "Shopping list:\n- apples\n"}) / "notes"
    nvim.open(path, wait=False)
    nvim.keys("G")
    nvim.keys("o")
    nvim.type("- ")
    nvim.wait(nvim.is_ready, "Aide is not active in a file without a type")
    nvim.keys("Escape")
    nvim.do("vim.cmd('enew | setlocal buftype=nofile | setfiletype python')")
    nvim.keys("i")
    nvim.type("def add")
    nvim.wait(lambda: nvim.text == "def add", "Typing does not work")
    assert nvim.lua("#vim.lsp.get_clients({ bufnr = 0 })") == 0
    nvim.keys("Escape")


def test_help_and_health(start_nvim, workspace):
    nvim = start_nvim(file=workspace() / "prices.py")
    nvim.wait(nvim.is_ready, "Aide is not ready")
    nvim.do(f"vim.cmd.helptags('{PLUGIN}/doc')")
    nvim.command("help aide-keys")
    nvim.wait(lambda: "accept the complete text" in nvim.screen(), "No help")
    nvim.command("close")
    nvim.command("checkhealth aide")
    nvim.wait(lambda: "Active in prices.py: ready" in nvim.text, "No health report")
    assert "aide-lsp" in nvim.text
    assert "accept: <Tab>" in nvim.text
    assert "ERROR" not in nvim.text


def test_switched_off_then_nothing_runs(start_nvim, workspace):
    path = workspace() / "prices.py"
    nvim = start_nvim(init="vim.g.aide = false", file=path)
    nvim.keys("o")
    nvim.type("x")
    nvim.wait(lambda: "\nx" in nvim.text, "Typing does not work")
    assert nvim.lua("#vim.lsp.get_clients()") == 0


def test_turned_off_as_servers_are_then_gone_with_a_reason_and_on_again(start_nvim, workspace):
    nvim = start_nvim(file=workspace() / "prices.py")
    nvim.wait(nvim.is_ready, "Aide is not ready")
    nvim.keys("G", "o")
    nvim.type("x = ")
    nvim.wait_ghost()
    nvim.do("vim.lsp.enable('aide', false)")
    nvim.wait(lambda: not nvim.ghost and nvim.lua("#vim.lsp.get_clients()") == 0, "It is still there")
    nvim.keys("Escape")
    nvim.command("Aide status")
    nvim.wait(lambda: "turned off in your configuration" in nvim.text, "It is not said why")
    nvim.keys("q")
    nvim.command("checkhealth aide")
    nvim.wait(lambda: "Aide is turned off" in nvim.text, "It is not said why")
    nvim.command("bwipeout")
    nvim.command('lua vim.lsp.enable("aide")')
    nvim.wait(nvim.is_ready, "It does not come back")
    nvim.keys("A")
    nvim.wait_ghost()
    assert nvim.messages == []


def test_setup_as_lazy_calls_it_then_its_options_count(start_nvim, workspace):
    init = "require('aide').setup({ settings = { seed = 41 }, keys = { accept = '<C-y>' } })"
    nvim = start_nvim(init=init, file=workspace(settings=None) / "prices.py")
    nvim.wait(nvim.is_ready, "Aide is not ready")
    nvim.keys("G")
    nvim.keys("o")
    nvim.type("x = ")
    ghost = nvim.wait_ghost()
    nvim.wait(lambda: nvim.shown_seed() == 41, "Another seed is in effect")
    before = nvim.text
    nvim.keys("C-y")
    nvim.wait(lambda: nvim.text == before + ghost, "The key that was set does not accept")


PAIRS = """
for open, close in pairs({ ['('] = ')', ['['] = ']', ['{'] = '}' }) do
  vim.keymap.set('i', open, open .. close .. '<Left>', { buffer = true })
  vim.keymap.set('i', close, function()
    local column = vim.api.nvim_win_get_cursor(0)[2] + 1
    return vim.api.nvim_get_current_line():sub(column, column) == close and '<Right>' or close
  end, { buffer = true, expr = true })
end
"""

ONE_ANSWER = """
local client = require('aide.client').of(0)
_G.answers = 0
client.request = function(self, method, params, handler, ...)
  if method ~= 'textDocument/inlineCompletion' then
    return getmetatable(self).__index.request(self, method, params, handler, ...)
  end
  _G.answers = _G.answers + 1
  if _G.answers == 1 then
    handler(nil, { items = { { insertText = 'foo(bar[1], { 2 }) + 3' } } })
  end
  return true, 100000 + _G.answers
end
"""


def test_pairs_that_are_closed_while_typing_then_the_ghost_text_never_shrinks(nvim, workspace):
    """The server gives one answer only: all else is what the plugin makes of it."""
    nvim.open(workspace() / "prices.py")
    nvim.do(PAIRS + ONE_ANSWER)
    nvim.keys("G", "o")
    nvim.wait(lambda: nvim.ghost.startswith("foo("), "No ghost text")
    text = "foo(bar[1], { 2 }) + 3"
    for at in range(1, len(text)):
        nvim.type(text[at - 1])
        rest = text[at:]
        nvim.wait(lambda rest=rest: nvim.ghost.startswith(rest), f"{rest!r} is not shown")
    nvim.keys("Tab")
    nvim.wait(lambda: nvim.text.endswith("\n" + text), "It is not accepted")
    nvim.keys("Escape")
    nvim.do("require('aide.client').of(0).request = nil")
