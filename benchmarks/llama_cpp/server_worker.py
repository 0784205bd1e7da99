"""llama.cpp as an engine, through its own server: for machines that have no Python bindings of it.

The program is named by the environment variable LLAMA_SERVER. Each request costs about a millisecond more
than a call.
"""

import http.client
import json
import os
import socket
import subprocess
import time
from typing import Any

from benchmarks.llama_cpp.worker import Work, serve

CONTEXT = 4096
BATCH = 512  # llama.cpp's default
START_SECONDS = 120


class LlamaServer:
    """One server with one slot."""

    pid: int | None = None
    """The server's process: its time and memory are what counts."""
    process: "subprocess.Popen[bytes] | None" = None

    def versions(self) -> dict[str, str]:
        """Return the version of the program."""
        told = subprocess.run([_program(), "--version"], capture_output=True, text=True, check=False)
        lines = (told.stderr or told.stdout).splitlines()
        version = next((line.partition(":")[2].strip() for line in lines if line.startswith("version")), "")
        return {"llama-server": version}

    def load(self, model: str, ids: list[int], threads: int) -> Work:
        """Start the server with a GGUF file (see `worker.Engine.load`)."""
        self.ids = ids
        return lambda: self._start(model, threads)

    def prefill(self, tokens: int) -> Work:
        """See `worker.Engine.prefill`."""
        return lambda: self._complete(self.ids[:tokens], cache_prompt=False)

    def decode(self, past: int, count: int) -> Work:
        """See `worker.Engine.decode`."""
        prompt = self.ids[:past]
        self._complete(prompt)
        # The last id runs again, for its logits; with it, `count` tokens run one at a time.
        return lambda: self._complete(prompt, n_predict=count)

    def extend(self, past: int, tokens: int, repeat: int) -> Work:
        """See `worker.Engine.extend`."""
        other = next(i for i, token in enumerate(self.ids) if token != self.ids[past])
        prompts = [self.ids[:past] + self.ids[start : start + tokens] for start in (past, other)]
        self._complete(prompts[1])

        def work() -> None:
            for turn in range(repeat):
                self._complete(prompts[turn % 2])

        return work

    def _start(self, model: str, threads: int) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = {
            **{"--model": model, "--host": "127.0.0.1", "--port": port, "--threads": threads},
            **{"--ctx-size": CONTEXT, "--batch-size": BATCH, "--ubatch-size": BATCH, "--parallel": 1},
        }
        command = [_program(), *(str(part) for option in options.items() for part in option), "--no-warmup"]
        pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, **pipes, stderr=subprocess.DEVNULL)
        self.pid = self.process.pid
        self.port = port
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"llama-server cannot open {model}")
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        try:
            return self._ask("GET", "/health", "")[0] == http.client.OK
        except OSError:
            return False

    def _complete(self, prompt: list[int], **options: Any) -> None:
        body = {"prompt": prompt, "n_predict": 1, "temperature": 0.0, "ignore_eos": True, **options}
        status, answer = self._ask("POST", "/completion", json.dumps(body))
        if status != http.client.OK:
            raise RuntimeError(answer.decode("utf-8", "replace")[:300])

    def _ask(self, method: str, path: str, body: str) -> tuple[int, bytes]:
        # A connection for each: the server closes one on which nothing comes for some seconds.
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()


def _program() -> str:
    return os.environ["LLAMA_SERVER"]


if __name__ == "__main__":
    server = LlamaServer()
    try:
        serve(server)
    finally:
        if server.process is not None:
            server.process.kill()
