"""Ghost text of the real model: on the screen, not in the buffer, accepted completely or in parts."""

import re

import pytest

TYPED = "\n\ndef largest(prices):\n    return "


@pytest.fixture
def ghost(nvim, workspace, expected_completion):
    """A file with something typed, and the ghost text that belongs there."""
    path = workspace() / "prices.py"
    nvim.open(path)
    nvim.keys("G")
    nvim.keys("o")
    nvim.do("vim.bo.autoindent = false vim.bo.indentexpr = ''")
    nvim.type(TYPED)
    nvim.wait(lambda: nvim.text.endswith(TYPED), "The typed text did not arrive")
    expected = expected_completion(path, *nvim.place, text=nvim.text + "\n")
    assert expected, "The model offers nothing here: choose another place."
    nvim.wait_ghost(expected)
    return expected


def test_ghost_text_when_typed_then_on_screen_and_not_in_buffer(nvim, ghost):
    assert nvim.text.endswith(TYPED)
    assert f"    return {ghost.splitlines()[0]}" in nvim.screen()


def test_tab_when_shown_then_taken_reported_and_undone_as_one_step(nvim, ghost):
    before = nvim.text
    nvim.keys("Tab")
    nvim.wait(lambda: nvim.text == before + ghost, "Tab did not take the completion")
    assert nvim.lua("vim.api.nvim_get_mode().mode") == "i"
    assert nvim.cursor[1] == len(nvim.text.split("\n")[-1].encode())
    nvim.type("  # done")
    nvim.wait(lambda: nvim.text.endswith(ghost + "  # done"), "Typing did not continue after it")
    nvim.keys("Escape")
    nvim.keys("u")
    nvim.keys("u")
    nvim.wait(lambda: nvim.text == before, "Two undos did not take back the comment and the completion")


def test_typing_along_then_shortened_at_once(nvim, ghost):
    nvim.type(ghost[:2])
    nvim.wait(lambda: nvim.text.endswith(TYPED + ghost[:2]), "The typed text did not arrive")
    nvim.wait(lambda: nvim.ghost and ghost.endswith(nvim.ghost), "The ghost text was not shortened")


def test_race_when_typed_along_and_accepted_at_once_then_nothing_twice(nvim, ghost):
    before = nvim.text
    nvim.type(ghost[0], "Tab")
    nvim.wait(lambda: nvim.text == before + ghost, f"Expected {ghost!r} once, got {nvim.text!r}")


def test_race_when_something_else_is_typed_and_accepted_at_once_then_tab_is_a_tab(nvim, ghost):
    before = nvim.text
    nvim.type("#", "Tab")
    nvim.wait(lambda: nvim.text.startswith(before + "#") and len(nvim.text) > len(before) + 1, "No tab")
    assert nvim.text[len(before) + 1 :].strip() == ""


def test_word_and_line_when_taken_then_the_rest_stays(nvim, ghost):
    before, rest = nvim.text, ghost
    nvim.do("vim.keymap.set('i', '<F5>', '<Plug>(aide-accept-word)')")
    nvim.keys("F5")
    nvim.wait(lambda: nvim.text != before, "No word was taken")
    word = nvim.text[len(before) :]
    assert ghost.startswith(word)
    assert len(word.split()) <= 1
    rest = ghost[len(word) :]
    nvim.wait_ghost(rest)
    nvim.do("vim.keymap.set('i', '<F6>', '<Plug>(aide-accept-line)')")
    nvim.keys("F6")
    nvim.wait(lambda: nvim.text == before + word + rest.split("\n")[0], "The line was not taken")


def test_dismiss_when_shown_then_gone_until_typed(nvim, ghost):
    nvim.do("vim.keymap.set('i', '<F7>', '<Plug>(aide-dismiss)')")
    nvim.keys("F7")
    nvim.wait(lambda: not nvim.ghost, "It is still shown")
    before = nvim.text
    nvim.keys("Tab")
    nvim.wait(lambda: nvim.text != before, "Tab is no tab")
    assert nvim.text[len(before) :].strip() == ""


def test_leaving_insert_mode_then_gone(nvim, ghost):
    nvim.keys("Escape")
    nvim.wait(lambda: not nvim.ghost, "It is still shown")
    assert nvim.text.endswith(TYPED)


def count(nvim):
    """Which one of how many the screen says."""
    found = re.search(r" ?(\d)/(\d)\s*$", nvim.screen(), re.MULTILINE)
    return found and (int(found[1]), int(found[2]))


def said(nvim):
    """The same, when the screen says it: not while it is drawn again."""
    return nvim.wait(lambda: count(nvim), "The screen does not say which one it is")


def candidate(nvim):
    """Which one the server says is visible, from 1."""
    return (nvim.state().get("shown") or {}).get("candidate", -1) + 1


def test_next_and_previous_when_pressed_then_round_and_the_state_says_which(nvim, ghost):
    nvim.do("vim.keymap.set('i', '<F8>', '<Plug>(aide-next)')")
    nvim.do("vim.keymap.set('i', '<F9>', '<Plug>(aide-previous)')")
    seen = {candidate(nvim): ghost}
    nvim.keys("F8")
    nvim.wait(lambda: (count(nvim) or (0,))[0] == 2, "The second is not shown")
    while True:
        nvim.wait(lambda: candidate(nvim) not in seen, "The state says that another candidate is visible")
        seen[candidate(nvim)] = nvim.ghost
        index, several = said(nvim)
        if index == several:
            break
        nvim.keys("F8")
        nvim.wait(lambda before=index: (count(nvim) or (0,))[0] not in (0, before), "It does not go on")
        if said(nvim)[0] == 1:
            break
    assert len(set(seen.values())) == len(seen) > 1
    while said(nvim)[0] != 1:
        nvim.keys("F8")
        nvim.wait(lambda: count(nvim) and not paging(nvim), "It does not go round")
    nvim.wait_ghost(ghost)
    nvim.keys("F9")
    nvim.wait(lambda: (count(nvim) or (0,))[0] > 1, "It does not go back")
    last, before = nvim.ghost, nvim.text
    assert last in seen.values()
    nvim.keys("Tab")
    nvim.wait(lambda: nvim.text == before + last, "Not the current one was accepted")


def paging(nvim):
    """Whether a candidate is being generated."""
    return re.search(r"…\s*$", nvim.screen().split("\n~")[0], re.MULTILINE)


def test_next_when_typed_along_then_the_candidate_goes_on(nvim, ghost):
    nvim.do("vim.keymap.set('i', '<F8>', '<Plug>(aide-next)')")
    nvim.keys("F8")
    nvim.wait(lambda: (count(nvim) or (0,))[0] == 2, "The second is not shown")
    second, before = nvim.ghost, nvim.text
    number = nvim.wait(lambda: candidate(nvim) > 1 and candidate(nvim), "The state names the first")
    nvim.type(second[:2])
    nvim.wait(lambda: nvim.text == before + second[:2], "The typed text did not arrive")
    nvim.wait(lambda: not nvim.state().get("busy"), "It is not answered")
    assert second.startswith(second[:2] + nvim.ghost[:1])
    assert candidate(nvim) == number
    assert count(nvim)[0] == 2


def test_next_when_pressed_twice_while_generated_then_it_does_not_start_over(nvim, ghost):
    """The label says at once that it comes."""
    nvim.do(
        "_G.asked = 0 local client = require('aide.client').of(0) _G.request = client.request "
        "client.request = function(self, method, ...) "
        "if method == 'workspace/executeCommand' then _G.asked = _G.asked + 1 end "
        "return _G.request(self, method, ...) end"
    )
    try:
        nvim.do(
            "require('aide.completion').cycle(1) require('aide.completion').cycle(1) "
            "local space = vim.api.nvim_create_namespace('aide') "
            "local marks = vim.api.nvim_buf_get_extmarks(0, space, 0, -1, { details = true }) "
            "_G.label = vim.iter(marks):map(function(mark) return mark[4].virt_text[1][1] end):totable()"
        )
        assert "2/…" in nvim.lua("_G.label")
        nvim.wait(lambda: (count(nvim) or (0,))[0] == 2, "The second is not shown")
        assert nvim.lua("_G.asked") == 1
    finally:
        nvim.do("require('aide.client').of(0).request = nil")


def test_next_when_nothing_is_shown_then_requested(nvim, ghost):
    nvim.do("vim.keymap.set('i', '<F7>', '<Plug>(aide-dismiss)')")
    nvim.do("vim.keymap.set('i', '<F8>', '<Plug>(aide-next)')")
    nvim.keys("F7")
    nvim.wait(lambda: not nvim.ghost, "It is still shown")
    nvim.keys("F8")
    nvim.wait_ghost()


def test_bracket_that_is_closed_by_itself_then_the_text_stays_and_nothing_is_doubled(nvim, workspace):
    text = "def total(prices):\n    return sum(prices)\n"
    path = workspace({"prices.py": text}, settings="temperature = 0\n") / "prices.py"
    nvim.open(path)
    nvim.do("vim.keymap.set('i', '(', '()<C-g>U<Left>', { buffer = 0 })")
    nvim.keys("G")
    nvim.keys("o")
    nvim.type("def maximum")
    nvim.wait(lambda: nvim.ghost.startswith("(prices):"), f"Another ghost text: {nvim.ghost!r}")
    foreseen = nvim.ghost
    nvim.type("(pri")
    nvim.wait(lambda: nvim.text.endswith("def maximum(pri)"), "The bracket was not closed")
    nvim.wait(lambda: nvim.ghost == foreseen[4:], f"Not the rest of {foreseen!r}: {nvim.ghost!r}")
    nvim.keys("Tab")
    nvim.wait(lambda: nvim.text == f"{text}def maximum{foreseen}", "It is not what was foreseen")
    nvim.keys("Escape")
