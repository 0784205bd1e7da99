"""llama.vim in Neovim, with llama-server: https://github.com/ggml-org/llama.vim."""

import json
import socket
import subprocess
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

from aide_lsp.errors import AideError

START_SECONDS = 60
# Its documentation recommends these for a processor without a GPU; the model is the same file as Aide's.
OPTIONS = {"--batch-size": 1024, "--ubatch-size": 512, "--ctx-size": 4096, "--cache-reuse": 256}


class LlamaServer:
    """A running llama-server."""

    def __init__(self, program: Path, model: Path, threads: int) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        options = OPTIONS | {"--model": model, "--host": "127.0.0.1", "--port": self._port}
        options |= {"--threads": threads, "--parallel": 1}
        command = [str(program), "--no-ui", *(str(part) for pair in options.items() for part in pair)]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet)
        self._until_ready()

    def plugin(self, folder: Path, settings: dict[str, object]) -> str:
        """Return the Lua that sets up llama.vim from a folder with it."""
        # The line of figures after each completion is no ghost text.
        config = {"endpoint": f"http://127.0.0.1:{self._port}/infill", "show_info": 0} | settings
        config["endpoint_fim"] = config["endpoint"]
        return (
            f"vim.opt.runtimepath:prepend({json.dumps(str(folder))})\n"
            f"vim.g.llama_config = vim.json.decode({json.dumps(json.dumps(config))})\n"
        )

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()

    def _until_ready(self) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self._port}/health"):
                return
            time.sleep(0.1)
        self.close()
        raise AideError("llama-server did not start.")
