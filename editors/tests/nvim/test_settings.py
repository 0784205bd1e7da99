"""Project settings take effect while Neovim runs; where completions are off, the user can read why."""

TYPED = "\n\ndef largest(prices):\n    return "


def type_there(nvim, path):
    """Open a file and type at its end."""
    nvim.open(path)
    nvim.do("vim.bo.autoindent = false vim.bo.indentexpr = ''")
    nvim.keys("G")
    nvim.keys("o")
    nvim.type(TYPED)
    nvim.wait(lambda: nvim.text.endswith(TYPED), "The typed text did not arrive")


def test_project_file_when_changed_then_the_next_completion_follows(nvim, workspace, expected_completion):
    path = workspace(settings="seed = 7\n") / "prices.py"
    type_there(nvim, path)
    first = nvim.wait_ghost(expected_completion(path, *nvim.place, text=nvim.text + "\n"))
    for seed in range(100, 120):  # a seed that makes a difference
        settings = f"seed = {seed}\ntemperature = 1.0\ntop_p = 1.0\n"
        (path.parent / ".aide.toml").write_text(settings, encoding="utf-8")
        expected = expected_completion(path, *nvim.place, text=nvim.text + "\n")
        if expected and expected != first:
            break
    nvim.keys("Escape")
    nvim.keys("a")
    nvim.wait_ghost(expected)
    nvim.wait(lambda: nvim.shown_seed() == seed, "The state has another seed")


def test_other_project_when_opened_then_its_own_settings_and_the_same_server(
    nvim, workspace, expected_completion
):
    type_there(nvim, workspace(settings="seed = 7\n", name="one") / "prices.py")
    nvim.wait_ghost()
    server = nvim.client_pid()
    other = workspace(settings="seed = 8\n", name="two") / "prices.py"
    type_there(nvim, other)
    nvim.wait_ghost(expected_completion(other, *nvim.place, text=nvim.text + "\n"))
    nvim.wait(lambda: nvim.shown_seed() == 8, "The state has another seed")
    assert nvim.client_pid() == server
    assert nvim.lua("#vim.lsp.get_clients({ name = 'aide' })") == 1


def test_secrets_file_then_nothing_and_the_reason(nvim, workspace):
    folder = workspace({".env": "TOKEN=abc\n"})
    nvim.open(folder / ".env")
    nvim.keys("G")
    nvim.keys("o")
    nvim.type("PASSWORD=")

    def off():
        """Why; not what was the reason in another file."""
        nothing = nvim.state().get("nothing") or {}
        return nothing.get("reason") == "off" and nothing

    nothing = nvim.wait(off, "The state does not say that it is off")
    assert nvim.state()["document"]["offScope"] == "secret"
    assert not nvim.ghost
    assert "Aide: off here" in nvim.screen()
    nvim.keys("Escape")
    nvim.command("Aide status")
    words = nothing["message"].split()[:4]
    nvim.wait(lambda: " ".join(words) in nvim.screen(), "The status does not say why")
    assert "complete_secrets = true" in nvim.screen()
    nvim.keys("q")


def test_off_in_the_project_then_the_status_says_where_to_change_it(nvim, workspace):
    folder = workspace(settings="off = ['*.py']\n")
    nvim.open(folder / "prices.py")
    nvim.keys("o")
    nvim.wait(
        lambda: (nvim.state().get("document") or {}).get("offScope") == "project", "The state has no reason"
    )
    nvim.keys("Escape")
    nvim.command("Aide status")
    nvim.wait(lambda: "Turn on" in nvim.screen(), "The status does not say how to turn it on")
    assert ":edit" in nvim.screen()
    nvim.keys("q")


def test_pause_then_nothing_until_resumed(nvim, workspace):
    type_there(nvim, workspace() / "prices.py")
    nvim.wait_ghost()
    nvim.keys("Escape")
    nvim.command("Aide pause")
    nvim.wait(lambda: nvim.state()["state"] == "paused", "It is not paused")
    nvim.keys("a")
    nvim.wait(lambda: (nvim.state().get("nothing") or {}).get("reason") == "paused", "No reason is given")
    assert not nvim.ghost
    assert "Aide: paused" in nvim.screen()
    nvim.do("vim.cmd('Aide resume')")
    nvim.wait_ghost()
