"""llama.vim, a plugin of others, in a real Neovim with `aide serve`.

The plugin is not part of this repository: LLAMA_VIM names a folder with it
(https://github.com/ggml-org/llama.vim). The model is a fake, the server is the real one.
"""

import json
import os
from pathlib import Path

import pytest

from tests.fakes import continuing
from tests.serve.serving import TOKEN, running

FOLDER = os.environ.get("LLAMA_VIM", "")
TEXT = "def add(a, b):\n    return\n\nprint(add(1, 2))\n"


@pytest.mark.skipif(not FOLDER, reason="LLAMA_VIM names no folder with llama.vim.")
def test_llama_vim_then_ghost_text_from_aide_serve(start_nvim, tmp_path):
    file = tmp_path / "sums.py"
    file.write_text(TEXT, encoding="utf-8")
    with running(script=continuing({"(a, b):\n": "    return a + b\n"})) as server:
        host, port = server.address
        address = f"http://{host}:{port}/infill"
        config = {"endpoint": address, "endpoint_fim": address, "api_key": TOKEN, "show_info": 0}
        init = (
            # The status line of the tests is that of Aide's own plugin.
            "package.preload.aide = function() return { statusline = function() return '' end } end\n"
            f"vim.g.llama_config = vim.json.decode({json.dumps(json.dumps(config))})\n"
        )
        nvim = start_nvim(init=init, file=file, plugin=Path(FOLDER).absolute())
        nvim.keys("2", "G", "A")
        nvim.type(" ")
        nvim.wait(lambda: "return a + b" in nvim.screen(), "No ghost text is shown")
        assert "a + b" not in nvim.text
        nvim.type("a +")
        nvim.wait(lambda: "return a + b" in nvim.screen(), "The ghost text does not go on")
        assert nvim.messages == []
