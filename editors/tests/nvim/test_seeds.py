"""Another completion, back to the one before, and a seed pinned, by the commands of `:Aide`."""

import pytest

TYPED = "\n\ndef describe(prices):\n    "


@pytest.fixture
def unseeded(nvim, workspace):
    """A project without a seed, with a ghost text on show."""
    path = workspace(settings='preset = "creative"\n') / "prices.py"
    nvim.open(path)
    nvim.do("vim.bo.autoindent = false vim.bo.indentexpr = ''")
    nvim.keys("G")
    nvim.keys("o")
    nvim.type(TYPED)
    nvim.wait(lambda: nvim.text.endswith(TYPED), "The typed text did not arrive")
    nvim.wait_ghost()
    nvim.wait(lambda: nvim.state().get("shown"), "The state tells no seed")
    return path


def run(nvim, command):
    """Run a command from insert mode, as a map does."""
    nvim.do(f"vim.keymap.set('i', '<F5>', '<Cmd>Aide {command}<CR>')")
    nvim.keys("F5")


def test_regenerate_previous_and_pin(nvim, unseeded, expected_completion):
    """Regenerate changes text and seed; previous brings both back; pin makes the next one repeat it."""
    first, first_seed = nvim.ghost, nvim.state()["shown"]["seed"]
    for _ in range(5):  # two seeds may well give one text
        shown_seed = nvim.state()["shown"]["seed"]
        run(nvim, "regenerate")
        nvim.wait(
            lambda seen=shown_seed: (nvim.state()["shown"] or {}).get("seed") not in (seen, None), "Same seed"
        )
        if nvim.ghost != first:
            break
    seed = nvim.state()["shown"]["seed"]
    expected = expected_completion(unseeded, *nvim.place, text=nvim.text + "\n", seed=seed)
    nvim.wait_ghost(expected)
    assert expected != first
    assert seed != first_seed
    assert f"seed {seed}" in nvim.screen()

    while nvim.state()["shown"]["seed"] != first_seed:
        shown_seed = nvim.state()["shown"]["seed"]
        run(nvim, "previous")
        nvim.wait(lambda seen=shown_seed: nvim.state()["shown"]["seed"] != seen, "It does not go back")
    nvim.wait_ghost(first)

    run(nvim, "pin")
    file = unseeded.parent / ".aide.toml"
    nvim.wait(lambda: f"seed = {first_seed}" in file.read_text(), "The seed is not in the project file")
    assert 'preset = "creative"' in file.read_text()
    nvim.wait(lambda: any("pinned" in message for message in nvim.messages), "Nobody says so")
    nvim.keys("Escape")
    nvim.keys("a")
    nvim.wait_ghost(first)
    assert nvim.state()["shown"]["pinned"]
    run(nvim, "unpin")
    nvim.wait(lambda: "seed" not in file.read_text(), "The seed is still in the project file")


def test_regenerate_when_in_normal_mode_then_back_to_the_place(nvim, unseeded):
    place = nvim.cursor
    seed = nvim.state()["shown"]["seed"]
    nvim.keys("Escape")
    nvim.wait(lambda: not nvim.ghost, "It is still shown")
    nvim.command("Aide regenerate")
    nvim.wait_ghost()
    assert nvim.cursor == place
    assert nvim.state()["shown"]["seed"] != seed
