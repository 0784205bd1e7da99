"""The commands of `:Aide` for seeds: another completion, the previous one, pinning."""

import pytest

TYPED = "\n\ndef describe(prices):\n    return "
CHANCE = "temperature = 1.0\ntop_k = 1000\ntop_p = 1.0\n"
"""So that another seed mostly gives another text."""


@pytest.fixture
def unseeded(nvim, workspace):
    """A project without a seed, with a ghost text."""
    path = workspace(settings=CHANCE) / "prices.py"
    nvim.open(path)
    nvim.do("vim.bo.autoindent = false vim.bo.indentexpr = ''")
    nvim.keys("G")
    nvim.keys("o")
    nvim.type(TYPED)
    nvim.wait(lambda: nvim.text.endswith(TYPED), "The typed text did not arrive")
    nvim.wait(lambda: nvim.ghost or nvim.state().get("nothing"), "Nothing was requested")
    if not nvim.ghost:  # some seeds give nothing
        run(nvim, "regenerate")
    nvim.wait_all()
    nvim.wait(nvim.shown_seed, "The state has no seed")
    return path


def run(nvim, command):
    """Run a command from insert mode, as a map does."""
    nvim.do(f"vim.keymap.set('i', '<F5>', '<Cmd>Aide {command}<CR>')")
    nvim.keys("F5")


def test_regenerate_previous_and_pin(nvim, unseeded, expected_completion):
    """Regenerate changes text and seed; previous brings both back; pin makes the next one repeat it."""
    first, first_seed = nvim.ghost, nvim.shown_seed()
    for _ in range(10):  # two seeds may well give one text
        before = nvim.shown_seed()
        run(nvim, "regenerate")
        seed = nvim.wait(
            lambda seen=before: nvim.shown_seed() != seen and nvim.shown_seed(), "The seed stays the same"
        )
        expected = expected_completion(unseeded, *nvim.place, text=nvim.text + "\n", seed=seed)
        nvim.wait(lambda text=expected: nvim.ghost == text, f"Not {expected!r} is shown")
        if expected not in ("", first):
            break
    nvim.wait_ghost(expected)
    assert nvim.ghost != first
    assert seed != first_seed
    nvim.wait(lambda: f"seed {seed}" in nvim.screen(), "The statusline shows another seed")

    while (before := nvim.shown_seed()) != first_seed:
        run(nvim, "previous")
        nvim.wait(lambda seen=before: nvim.shown_seed() not in (seen, None), "It does not go back")
    nvim.wait_ghost(first)

    run(nvim, "pin")
    file = unseeded.parent / ".aide.toml"
    nvim.wait(lambda: f"seed = {first_seed}" in file.read_text(), "The seed is not in the project file")
    assert CHANCE.strip() in file.read_text()
    nvim.wait(lambda: any("pinned" in message for message in nvim.messages), "Nobody says so")
    nvim.keys("Escape")
    nvim.keys("a")
    nvim.wait_ghost(first)
    nvim.wait(lambda: "(pinned)" in nvim.screen(), "The statusline does not say that it is pinned")
    run(nvim, "unpin")
    nvim.wait(lambda: "seed" not in file.read_text(), "The seed is still in the project file")


def test_regenerate_when_in_normal_mode_then_back_to_the_place(nvim, unseeded):
    place = nvim.cursor
    seed = nvim.shown_seed()
    nvim.keys("Escape")
    nvim.wait(lambda: not nvim.ghost, "It is still shown")
    nvim.command("Aide regenerate")
    nvim.wait_ghost()
    assert nvim.cursor == place
    nvim.wait(lambda: nvim.shown_seed() not in (seed, None), "The seed stays the same")


def test_second_candidate_when_looked_into_from_normal_mode_then_it_comes_back(nvim, unseeded):
    nvim.do("vim.keymap.set('i', '<F8>', '<Plug>(aide-next)')")
    first = nvim.ghost
    nvim.keys("F8")
    nvim.wait(lambda: nvim.ghost not in ("", first), "No other candidate is shown")
    second, seed = nvim.ghost, nvim.shown_seed()
    nvim.do("vim.ui.open = function(path) _G.opened = path end")
    nvim.keys("Escape")
    nvim.command("Aide explain")
    nvim.wait(lambda: nvim.lua("_G.opened or false"), "No page was opened")
    nvim.keys("a")
    nvim.wait_ghost(second)
    nvim.wait(lambda: nvim.shown_seed() == seed, "The state has another seed")


def test_restart_when_typing_then_requested_again_without_a_key(nvim, unseeded):
    server = nvim.client_pid()
    run(nvim, "restart")
    nvim.wait(lambda: nvim.client_pid() not in (0, server), "It is not restarted")
    nvim.wait(nvim.is_ready, "It is not ready")
    # The new server draws another seed, which may give nothing: then the reason is there.
    nvim.wait(lambda: nvim.ghost or nvim.state().get("nothing"), "Nothing was requested")
