"""Buffers without a name, and those that a plugin writes, are completed as files are; prompts stay free."""

import json

import pytest

TYPED = "def largest(prices):\n    return "


def blank(nvim, folder, filetype="python"):
    """Open a buffer without a name, with a folder as the current one."""
    nvim.keys("Escape")
    nvim.do(f"vim.cmd.cd({json.dumps(str(folder))}) vim.cmd('enew!') vim.bo.filetype = '{filetype}'")
    nvim.do("vim.bo.autoindent = false vim.bo.indentexpr = ''")


def uri(nvim):
    """Give the URI by which the server knows the buffer."""
    return nvim.lua("require('aide.client').uri(vim.api.nvim_get_current_buf())")


def shown_uri(nvim):
    """Give the document of the completion that is shown."""
    return (nvim.state().get("shown") or {}).get("uri")


def test_buffer_without_a_name_when_typed_in_then_completed_with_the_projects_settings_and_saved(
    nvim, workspace, expected_completion
):
    folder = workspace(settings="seed = 7\n")
    blank(nvim, folder)
    nvim.keys("i")
    nvim.type(TYPED)
    nvim.wait(lambda: nvim.text == TYPED, "It is not typed")
    ghost = nvim.wait_ghost()
    nvim.wait(lambda: nvim.shown_seed() == 7, "The project's settings do not apply")
    assert shown_uri(nvim).startswith(f"untitled:{folder}/")
    nvim.keys("Tab")
    nvim.wait(lambda: nvim.text == TYPED + ghost, "It is not accepted")

    nvim.keys("Escape")
    nvim.command("write first.py")
    nvim.wait(lambda: uri(nvim).endswith("/first.py"), "It is not known by its name")
    assert (folder / "first.py").read_text() == TYPED + ghost + "\n"
    nvim.keys("o")
    nvim.type("x = ")
    nvim.wait(lambda: nvim.text == f"{TYPED}{ghost}\nx = ", "It is not typed")
    expected = expected_completion(folder / "first.py", *nvim.place, text=nvim.text + "\n")
    nvim.wait_ghost(expected)
    nvim.wait(lambda: shown_uri(nvim) == f"file://{folder}/first.py", "Another document is meant")

    nvim.keys("Escape")
    nvim.command("file second.py")
    nvim.wait(lambda: uri(nvim).endswith("/second.py"), "It is not known by its new name")
    nvim.keys("A")
    nvim.wait_ghost(expected)
    nvim.wait(lambda: shown_uri(nvim) == f"file://{folder}/second.py", "Another document is meant")


def test_two_buffers_without_names_then_not_confused(nvim, workspace):
    folder = workspace()
    nvim.do("vim.o.hidden = true")
    places = []
    for name in ("apples", "pears"):
        blank(nvim, folder)
        nvim.keys("i")
        nvim.type(f"{name} = [3, 4]\nprint(len({name[:3]}")
        nvim.wait_ghost()
        nvim.wait(lambda: shown_uri(nvim) == uri(nvim), "Another document is meant")
        places.append((nvim.lua("vim.api.nvim_get_current_buf()"), nvim.ghost, uri(nvim)))
        nvim.keys("Escape")
    assert places[0][2] != places[1][2]
    assert places[0][1].startswith("les")
    for buffer, ghost, address in places:
        nvim.do(f"vim.cmd.buffer({buffer})")
        nvim.keys("A")
        nvim.wait_ghost(ghost)
        nvim.wait(lambda address=address: shown_uri(nvim) == address, "Another document is meant")
        nvim.keys("Escape")


def test_server_that_is_killed_then_a_buffer_without_a_name_is_completed_again(start_nvim, workspace):
    nvim = start_nvim()
    blank(nvim, workspace())
    nvim.keys("i")
    nvim.type(TYPED)
    ghost = nvim.wait_ghost()
    server = nvim.client_pid()
    nvim.do(f"vim.uv.kill({server}, 9)")
    nvim.wait(lambda: nvim.client_pid() not in (0, server), "The server does not come back")
    nvim.wait(lambda: nvim.is_ready() and nvim.ghost == ghost, "It does not come back without a key")


def test_buffer_that_a_plugin_writes_then_completed(nvim, workspace):
    folder = workspace({"notes.ipynb": "{}"})
    nvim.do(f"vim.cmd.cd({json.dumps(str(folder))})")
    nvim.do("vim.cmd('enew!') vim.api.nvim_buf_set_name(0, 'notes.ipynb') vim.bo.buftype = 'acwrite'")
    nvim.do("vim.bo.filetype = 'python'")
    nvim.keys("i")
    nvim.type(TYPED)
    nvim.wait_ghost()


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("vim.cmd('enew!') vim.bo.buftype = 'nofile'", "not a file"),
        ("vim.cmd('enew!') vim.bo.buftype = 'prompt'", "a prompt"),
        ("vim.cmd('enew!') vim.bo.modifiable = false", "cannot be changed"),
        ("vim.cmd('enew!') vim.bo.buflisted = false", "belongs to a plugin"),
        (
            "vim.api.nvim_open_win(vim.api.nvim_create_buf(true, false), true, "
            "{ relative = 'editor', row = 3, col = 3, width = 40, height = 5 })",
            "belongs to a plugin",
        ),
    ],
    ids=["nofile", "prompt", "readonly", "unlisted", "floating"],
)
def test_other_buffers_then_free_and_the_status_says_why(nvim, workspace, code, words):
    nvim.open(workspace() / "prices.py")
    nvim.do(code)
    if "modifiable" not in code:
        nvim.keys("i")
        nvim.type("def add(a, b")
        nvim.wait(lambda: "def add(a, b" in nvim.text, "Typing does not work")
    assert not nvim.lua("require('aide.client').of(0) ~= nil")
    nvim.keys("Escape")
    nvim.do("vim.cmd('stopinsert') vim.cmd('Aide status')")
    nvim.wait(lambda: words in nvim.text, "The status does not say why")
    nvim.keys("q")
    nvim.do("vim.cmd('silent! only!') vim.cmd('silent! bwipeout!')")


@pytest.mark.parametrize(
    "code",
    ["vim.cmd.terminal()", "vim.cmd('file list') vim.bo.buftype = 'nofile'"],
    ids=["terminal", "named first"],
)
def test_buffer_that_turns_out_to_be_no_file_then_its_text_is_not_sent(nvim, workspace, code):
    folder = workspace()
    nvim.open(folder / "prices.py")
    nvim.do("vim.cmd('split | enew!')")
    nvim.do(code)
    nvim.wait(lambda: nvim.lua("require('aide.client').of(0) == nil"), "The server has it")
    assert nvim.lua("#vim.lsp.get_clients({ bufnr = 0, name = 'aide' })") == 0
    nvim.do("vim.cmd('bwipeout!')")
    nvim.do("vim.cmd('silent! only!')")


def test_commands_about_the_server_when_none_runs_then_one_is_started(start_nvim):
    """In a Neovim without a file."""
    nvim = start_nvim()
    assert nvim.client_pid() == 0
    nvim.command("Aide pause")
    nvim.wait(lambda: any("paused" in message for message in nvim.messages), "It is not paused")
    nvim.command("Aide settings")
    nvim.wait(lambda: "num_context" in nvim.text, "No settings")
    nvim.keys("q")
    nvim.command("Aide resume")
    nvim.wait(lambda: len(nvim.messages) > 1, "Nothing is said")
    nvim.keys("i")
    nvim.wait(lambda: nvim.state().get("state") in ("loading", "ready"), "It is not resumed")
