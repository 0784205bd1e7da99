"""A slow answer, a killed server, a long message: typing continues, and the user sees one message."""

import os
import signal
import time

TYPED = "x = "
SLOW_END = """#!/bin/bash
trap 'sleep 2; kill $server; exit' TERM
aide-lsp "$@" <&0 &
server=$!
wait
"""
LONG = "".join(
    f"def price_{i}(order):\n    return order.items[{i}].price * {i + 1}\n\n\n" for i in range(150)
)


def test_slow_answer_when_over_a_second_then_still_shown(start_nvim, workspace):
    """A long context that no cache holds yet: reading it takes the model seconds."""
    path = workspace({"prices.py": LONG}, settings="seed = 7\nnum_context = 3000\n") / "prices.py"
    # On a busy machine it may take longer than the deadline.
    nvim = start_nvim(init="require('aide').setup({ settings = { deadlineMs = 100000 } })", file=path)
    nvim.wait(nvim.is_ready, "Aide is not ready")
    nvim.keys("G")
    nvim.keys("o")
    asked = time.monotonic()
    nvim.type(TYPED)
    nvim.wait_ghost()
    assert time.monotonic() - asked > 1, "This machine is too fast for the test: make the text longer."


def test_killed_server_then_typing_continues_and_completions_come_back(start_nvim, workspace):
    path = workspace() / "prices.py"
    nvim = start_nvim(init="vim.notify = _G.real_notify", file=path)
    nvim.wait(nvim.is_ready, "Aide is not ready")
    nvim.keys("G")
    nvim.keys("o")
    nvim.type(TYPED)
    nvim.wait_ghost()
    first = nvim.client_pid()
    os.kill(first, signal.SIGKILL)
    nvim.type("total([1])  # typed on ")
    nvim.wait(lambda: nvim.text.endswith("typed on "), "Typing does not go on")
    nvim.wait(lambda: not nvim.ghost, "The ghost text of the dead server is still shown")
    nvim.wait(lambda: nvim.client_pid() not in (0, first), "The server does not come back")
    nvim.wait(nvim.is_ready, "The server that came back is not ready")
    nvim.keys("Enter")
    nvim.type("y = ")
    nvim.wait_ghost()


def test_server_that_dies_again_and_again_then_given_up_with_one_message(start_nvim, workspace):
    nvim = start_nvim(init="require('aide.restart').limit = 2", file=workspace() / "prices.py")
    for _ in range(3):
        server = nvim.wait(nvim.client_pid, "No server")
        os.kill(server, signal.SIGKILL)
        nvim.wait(lambda pid=server: nvim.client_pid() != pid, "It is not gone")
    given_up = nvim.wait(
        lambda: [message for message in nvim.messages if "not restarted" in message], "It is not given up"
    )
    time.sleep(3)
    assert len(given_up) == 1
    assert nvim.client_pid() == 0
    nvim.keys("G")
    nvim.keys("o")
    nvim.type("still typing")
    nvim.wait(lambda: nvim.text.endswith("still typing"), "Typing does not go on")
    nvim.keys("Escape")
    nvim.command("Aide restart")
    nvim.wait(nvim.is_ready, "The restart that was asked for did not happen")


def test_restart_when_the_server_takes_long_to_end_then_restarted(start_nvim, workspace, tmp_path):
    program = tmp_path / "slow-aide-lsp"
    program.write_text(SLOW_END, encoding="utf-8")
    program.chmod(0o755)
    init = f"require('aide').setup({{ cmd = {{ '{program}' }} }})"
    nvim = start_nvim(init=init, file=workspace() / "prices.py")
    nvim.wait(nvim.is_ready, "Aide is not ready")
    server = nvim.client_pid()
    nvim.command("Aide restart")
    nvim.wait(lambda: nvim.client_pid() not in (0, server), "It is not restarted")
    nvim.wait(nvim.is_ready, "It is not ready")
    nvim.keys("G", "o")
    nvim.type(TYPED)
    nvim.wait_ghost()


def test_long_message_when_typing_then_in_the_corner_and_no_key_is_asked_for(start_nvim, workspace):
    """Neovim asks for a key after messages longer than its line."""
    folder = workspace(settings="seed = 7\n")
    nvim = start_nvim(init="vim.notify = _G.real_notify", file=folder / "prices.py")
    nvim.wait(nvim.is_ready, "Aide is not ready")
    nvim.keys("G", "o")
    (folder / ".aide.toml").write_text("seed = 7\ntemperature = 9\nnonsense = 1\n", encoding="utf-8")
    nvim.type("x = ")
    nvim.wait(lambda: "temperature" in nvim.screen(), "The message is not shown")
    nvim.type("y  # typed on")
    nvim.wait(lambda: nvim.text.endswith("x = y  # typed on"), "Typing does not go on")
    nvim.keys("Escape")
    nvim.do("require('aide.message').show('Aide: ' .. ('word '):rep(60))")
    nvim.wait(lambda: nvim.screen().count("word") == 60, "The message is not complete")
    assert "Press ENTER" not in nvim.screen()
