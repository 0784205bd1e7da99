"""llama.cpp's own server with a GGUF file, as a reference and as a server that people already run.

The package `xllamacpp` contains llama.cpp. Here its server runs in a process of its own: it writes to the
standard streams, and has to end with the test.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
from numpy.typing import NDArray

SECONDS = 120
"""Limit of one answer: a busy machine is slow, a hanging server has to fail."""


class LlamaServer:
    """A running server; `url` is where it listens, and `kill` ends it without warning."""

    def __init__(self, url: str, kill: Callable[[], None] = lambda: None) -> None:
        self.url, self.kill = url, kill

    def get(self, path: str) -> Any:
        """Return the answer to a GET request, parsed."""
        return self._answer(Request(self.url + path))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Return the answer to a POST request, parsed."""
        data = json.dumps(body).encode("utf-8")
        return self._answer(Request(self.url + path, data, {"Content-Type": "application/json"}))

    def tokenize(self, text: str, *, special: bool = False) -> list[int]:
        """Return the token ids of a text; `special`: control tokens in it act as such."""
        body = {"content": text, "add_special": False, "parse_special": special}
        ids: list[int] = self.post("/tokenize", body)["tokens"]
        return ids

    def tokenize_all(self, texts: Sequence[str], mark: int) -> list[list[int]]:
        """Return the token ids of many texts with one request; `mark` is a token that none of them has."""
        content = [part for text in texts for part in (text, mark)]
        found: list[list[int]] = [[]]
        for token in self.post("/tokenize", {"content": content, "parse_special": False})["tokens"]:
            if token == mark:
                found.append([])
            else:
                found[-1].append(token)
        assert found.pop() == []
        return found

    def log_probabilities(self, ids: Sequence[int], vocabulary: int) -> NDArray[np.float64]:
        """Return the log probabilities of the next token after these, (vocabulary,); unreported: -inf."""
        # Whatever it draws, the probabilities are the model's own. They are only reported with a token that
        # is text: neither an end token nor half a character.
        drawn = {"logit_bias": [[self.tokenize("a")[0], 1e6]], "temperature": 0.0}
        body = {"prompt": list(ids), "n_predict": 1, "n_probs": vocabulary, "cache_prompt": False, **drawn}
        answer = self.post("/completion", body)
        found = np.full(vocabulary, -np.inf)
        for token in answer["completion_probabilities"][0]["top_logprobs"]:
            found[token["id"]] = token["logprob"]
        return found

    def generate(self, prompt: str | Sequence[int], count: int, **options: Any) -> str:
        """Return what the most likely tokens after a prompt say."""
        body = {"prompt": prompt, "n_predict": count, "temperature": 0.0, **options}
        content: str = self.post("/completion", body)["content"]
        return content

    def _answer(self, request: Request) -> Any:
        try:
            with urlopen(request, timeout=SECONDS) as response:
                return json.load(response)
        except HTTPError as error:
            raise AssertionError(f"{error.code}: {error.read().decode('utf-8', 'replace')}") from error


@contextmanager
def llama_server(gguf: Path, **settings: Any) -> Iterator[LlamaServer]:
    """Run llama.cpp's server with a GGUF file.

    Settings are attributes of xllamacpp's `CommonParams`; `exact=True` keeps keys and values in float32.
    """
    job = json.dumps({"model": str(gguf), **settings})
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-m", "tests.llama_reference", job], **pipes) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, f"llama.cpp cannot run {gguf.name} (exit status {process.wait()})"
            yield LlamaServer(line.decode("utf-8").strip(), process.kill)
        finally:
            process.stdin.close()
            process.kill()


def _serve(job: dict[str, Any]) -> None:
    """Run the server until standard input closes; its address is the only line on standard output."""
    answer = os.fdopen(os.dup(1), "w")
    # Its log goes nowhere: llama.cpp writes to both standard streams.
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = job.pop("model")
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = 1
    params.n_ctx = 2048
    # One: on a busy machine, threads that wait for each other take a hundred times as long.
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.warmup = False
    params.fit_params = False
    if job.pop("exact", False):
        params.cpuparams.n_threads = 1
        # By default, keys and values are rounded to float16.
        params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    for name, value in job.items():
        setattr(params, name, value)
    server = xllamacpp.Server(params)
    print(server.listening_address, file=answer, flush=True)
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    _serve(json.loads(sys.argv[1]))
