"""llama.vim, a plugin of others, in a real Neovim with `aide serve`.

The plugin is not part of this repository: LLAMA_VIM names a folder with it
(https://github.com/ggml-org/llama.vim). The model is a fake, the server is the real one.
"""

import json
import os
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.fakes import continuing
from tests.serve.serving import TOKEN, running

FOLDER = os.environ.get("LLAMA_VIM", "")
TEXT = "def add(a, b):\n    return\n\nprint(add(1, 2))\n"


pytestmark = pytest.mark.skipif(not FOLDER, reason="LLAMA_VIM names no folder with llama.vim.")


@contextmanager
def editing(start_nvim, tmp_path):
    """Start a Neovim with the plugin, and a file with a function to complete."""
    file = tmp_path / "sums.py"
    file.write_text(TEXT, encoding="utf-8")
    with running(script=continuing({"(a, b):\n": "    return a + b\n"})) as server:
        host, port = server.address
        address = f"http://{host}:{port}"
        config = {
            "endpoint": f"{address}/infill",
            "endpoint_fim": f"{address}/infill",
            "endpoint_inst": f"{address}/v1/chat/completions",
            "api_key": TOKEN,
            "show_info": 0,
        }
        init = (
            # The status line of the tests is that of Aide's own plugin.
            "package.preload.aide = function() return { statusline = function() return '' end } end\n"
            f"vim.g.llama_config = vim.json.decode({json.dumps(json.dumps(config))})\n"
        )
        yield start_nvim(init=init, file=file, plugin=Path(FOLDER).absolute())


def test_llama_vim_then_ghost_text_from_aide_serve_that_tab_accepts(start_nvim, tmp_path):
    with editing(start_nvim, tmp_path) as nvim:
        nvim.keys("2", "G", "A")
        nvim.type(" ")
        nvim.wait(lambda: "return a + b" in nvim.screen(), "No ghost text is shown")
        assert "a + b" not in nvim.text
        nvim.type("a +")
        nvim.wait(lambda: "return a + b" in nvim.screen(), "The ghost text does not go on")
        nvim.keys("Tab")
        nvim.wait(lambda: nvim.text == TEXT.strip("\n").replace("return", "return a + b"), "Not accepted")
        assert nvim.messages == []


def test_llama_vim_asks_for_a_chat_then_it_shows_that_there_is_none(start_nvim, tmp_path):
    with editing(start_nvim, tmp_path) as nvim:
        if nvim.lua("vim.fn.exists(':LlamaInstruct')") != 2:
            pytest.skip("This version of llama.vim has no instructions.")
        nvim.command("1,2LlamaInstruct")
        nvim.wait(lambda: "Instruction:" in nvim.screen(), "It does not ask for an instruction")
        nvim.type("Add types", "Enter")
        nvim.wait(lambda: "has no chat" in nvim.screen(), "Nothing says why")
        assert nvim.text == TEXT.strip("\n")
