"""A model that llama.cpp's own server runs, in Neovim: ghost text, status, and what happens when it dies."""

import pytest

from editors.tests.ports import free_port
from tests.llama_reference import llama_server

ONE_MESSAGE = "Aide offers no completions."


@pytest.fixture
def engine(nvim_env):
    """Settings of a user who has pointed Aide at a port of this machine: (Lua, port)."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    # The machine may be busy, and this build of llama.cpp is not a fast one.
    settings = f"{{ engine = '{address}', deadlineMs = 100000, maxTokens = 24 }}"
    return f"require('aide').setup({{ settings = {settings} }})", port


def test_ghost_text_from_a_server_and_its_name_and_its_death(start_nvim, workspace, engine, default_gguf):
    init, port = engine
    with llama_server(default_gguf, port=port):
        nvim = start_nvim(init=init, file=workspace(settings="temperature = 0\n") / "prices.py")
        nvim.wait(nvim.is_ready, "Aide is not ready")
        nvim.keys("G", "o")
        nvim.type("def median(prices):", "Enter")
        nvim.wait_ghost()
        server = nvim.wait(lambda: nvim.state().get("server"), "The server is not named")
        assert (server["host"], server["engine"]) == (f"127.0.0.1:{port}", "llama.cpp")
        # No text leaves the machine: no name in the statusline.
        assert "127.0.0.1" not in nvim.lua("require('aide').statusline()")
        nvim.keys("Escape")
        nvim.command("Aide status")
        nvim.wait(lambda: f"127.0.0.1:{port} (llama.cpp)" in nvim.screen(), "The status does not name it")
        nvim.keys("q")
    nvim.keys("G", "o")
    nvim.type("def maximum(prices):", "Enter")
    nvim.wait(lambda: nvim.state().get("state") == "failed", "The failure is not in the state")
    assert "no answer" in nvim.lua("require('aide').statusline()")
    nvim.type("    return typed_on")
    nvim.wait(lambda: nvim.text.endswith("typed_on"), "Typing does not go on")
    told = [message for message in nvim.messages if ONE_MESSAGE in message]
    assert len(told) == 1, nvim.messages
    assert f"127.0.0.1:{port}" in told[0]
    nvim.keys("Enter")
    with llama_server(default_gguf, port=port):
        # The waiting cursor gets its completion, without a key.
        nvim.wait_ghost()
        assert nvim.state()["state"] == "ready"
