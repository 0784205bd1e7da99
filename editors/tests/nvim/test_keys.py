"""The default keys, as a plain xterm sends them: they act on a visible completion, else as without Aide."""

import pytest

TYPED = "\n\ndef largest(prices):\n    return "
BYTES = {
    "C-Right": b"\x1b[1;5C",
    "C-l": b"\x0c",
    "M-n": b"\x1bn",
    "M-p": b"\x1bp",
    "C-]": b"\x1d",
}


def press(nvim, key):
    """Send what an xterm sends for a key."""
    nvim.keys("-H", *(f"{byte:02x}" for byte in BYTES[key]))


@pytest.fixture(scope="module")
def plain_nvim(nvim_program, nvim_env, tmp_path_factory):
    """A Neovim in a plain xterm."""
    from editors.tests.nvim.session import Neovim

    nvim = Neovim(nvim_program, nvim_env, tmp_path_factory.mktemp("nvim"), terminal="xterm")
    yield nvim
    nvim.close()


@pytest.fixture
def ghost(plain_nvim, workspace, artifacts):
    """The ghost text in a file with something typed."""
    nvim = plain_nvim
    nvim.open(workspace() / "prices.py")
    nvim.do("vim.bo.autoindent = false vim.bo.indentexpr = ''")
    nvim.keys("G", "o")
    nvim.type(TYPED)
    nvim.wait(lambda: nvim.text.endswith(TYPED), "The typed text did not arrive")
    yield nvim.wait_ghost()
    nvim.keep(artifacts)


def test_word_and_line_when_shown_then_accepted(plain_nvim, ghost):
    nvim, before = plain_nvim, plain_nvim.text
    press(nvim, "C-Right")
    nvim.wait(lambda: nvim.text != before, "No word was taken")
    word = nvim.text[len(before) :]
    assert ghost.startswith(word)
    assert len(word.split()) <= 1
    nvim.wait_ghost(ghost[len(word) :])
    press(nvim, "C-l")
    nvim.wait(lambda: nvim.text == before + ghost.split("\n")[0], "The line was not taken")


def test_next_previous_and_dismiss(plain_nvim, ghost):
    nvim = plain_nvim
    press(nvim, "M-n")
    nvim.wait(lambda: nvim.ghost not in ("", ghost), "No other candidate is shown")
    press(nvim, "M-p")
    nvim.wait_ghost(ghost)
    press(nvim, "C-]")
    nvim.wait(lambda: not nvim.ghost, "It is still shown")
    assert nvim.lua("vim.api.nvim_get_mode().mode") == "i"
    press(nvim, "M-n")
    nvim.wait_ghost()


def test_keys_when_nothing_is_shown_then_as_without_aide(plain_nvim, ghost):
    nvim = plain_nvim
    press(nvim, "C-]")
    nvim.wait(lambda: not nvim.ghost, "It is still shown")
    nvim.do("require('aide.config').options.automatic = false")
    try:
        line, _ = nvim.cursor
        nvim.do(f"vim.api.nvim_win_set_cursor(0, {{ {line}, 0 }})")
        press(nvim, "C-Right")
        nvim.wait(lambda: nvim.cursor == (line, 4), "The cursor does not go a word to the right")
        before = nvim.text
        press(nvim, "C-l")
        press(nvim, "C-]")
        nvim.type("#")
        nvim.wait(lambda: nvim.text != before, "Typing does not go on")
        assert nvim.text == before[: -len("return ")] + "#return "
    finally:
        nvim.do("require('aide.config').options.automatic = true")


def test_keys_that_the_user_has_mapped_then_theirs_even_if_mapped_later(plain_nvim, ghost):
    nvim, before = plain_nvim, plain_nvim.text
    for key in ("<C-Right>", "<C-l>", "<M-n>", "<M-p>", "<C-]>"):
        nvim.do(f"vim.keymap.set('i', '{key}', '({key[1:-1].lower()})')")
    try:
        for key in BYTES:
            press(nvim, key)
        nvim.wait(lambda: nvim.text.endswith("(c-right)(c-l)(m-n)(m-p)(c-])"), "A mapping does not act")
        assert nvim.text.startswith(before)
    finally:
        for key in ("<C-Right>", "<C-l>", "<M-n>", "<M-p>", "<C-]>"):
            nvim.do(f"vim.keymap.del('i', '{key}')")


def test_key_that_was_set_when_also_mapped_then_aides(start_nvim, workspace):
    init = (
        "require('aide').setup({ keys = { accept_word = '<C-f>' } }) vim.keymap.set('i', '<C-f>', '(mine)')"
    )
    nvim = start_nvim(init=init, file=workspace() / "prices.py")
    nvim.wait(nvim.is_ready, "Aide is not ready")
    nvim.keys("G", "o")
    nvim.type("x = ")
    nvim.wait(lambda: nvim.text.endswith("x = "), "The typed text did not arrive")
    ghost, before = nvim.wait_ghost(), nvim.text
    nvim.keys("C-f")
    nvim.wait(lambda: nvim.text != before, "The key does nothing")
    assert ghost.startswith(nvim.text[len(before) :])
    nvim.keys("Escape", "o", "C-f")
    nvim.wait(lambda: nvim.text.endswith("(mine)"), "Without a completion it is not the user's")
