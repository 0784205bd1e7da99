"""llama.cpp's own server as llama.vim uses it, as an engine for the replay of typing traces.

At each key it posts what llama.vim posts to `/infill`. Either the previous request is canceled by closing
its connection, as VS Code would do. Or everything goes as in llama.vim (`as_llama_vim`): the previous answer
is waited for; answers are kept, and those that agree with the text typed since are shown without a request; a
cursor move sends a request too.

llama.vim's behavior is that of its `autoload/llama.vim` and `doc/llama.txt` of 2025
(https://github.com/ggml-org/llama.vim): 256 lines before the cursor's line and 64 after it; the cursor's line
as `prompt`; n_predict 128; t_max_predict_ms 250 for automatic requests; top_k 40, top_p 0.90 and the samplers
top_k, top_p, infill; no request with more than 8 characters after the cursor on its line; kept answers are
looked up 128 characters back. The server has the options recommended there: batch size 1024, which makes the
window 1,024 tokens (llama.cpp takes 3/4 of a batch before the cursor and 1/4 after it), and cache reuse 256.
Left out: chunks of other files, which would only add tokens, and the rules for not showing an answer that
repeats the text.
"""

import asyncio
import json
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from aide_lsp.errors import AideError
from benchmarks.typing.lsp_client import process_seconds
from benchmarks.typing.replay import Request, Tokens
from benchmarks.typing.sources import Source
from benchmarks.typing.trace import Event

LINES_BEFORE, LINES_AFTER = 256, 64
WINDOW = 1024
"""Tokens that it reads at most; the batch size, too."""
MOST_AFTER = 8
LOOK_BACK = 128
PARAMETERS = {
    "n_predict": 128,
    "stop": [],
    "top_k": 40,
    "top_p": 0.90,
    "stream": False,
    "samplers": ["top_k", "top_p", "infill"],
    "cache_prompt": True,
    "t_max_prompt_ms": 500,
    "t_max_predict_ms": 250,
    "response_fields": ["content", "timings/prompt_n", "timings/cache_n", "timings/predicted_n"],
}
# llama.vim starts its timer with the same 100 ms while a request is running.
AGAIN_SECONDS = 0.1
START_SECONDS = 120


class LlamaServerEngine:
    """A running llama-server. All methods belong to the event loop's thread."""

    def __init__(self, name: str = "llama.cpp", as_llama_vim: bool = False) -> None:
        self.name, self._as_llama_vim = name, as_llama_vim
        self._newest: tuple[Request, str, int] | None = None
        self._kept: dict[tuple[str, str], str] = {}
        self._jobs: dict[int, asyncio.Task[None]] = {}
        self._process: asyncio.subprocess.Process | None = None
        self._port = 0
        self.server = "llama-server"
        """Its version."""

    async def start(
        self, program: Path, model: Path, threads: int, batch: int = WINDOW, slots: int = 1
    ) -> None:
        """Start the server and wait until it answers; `slots`: how many requests it runs at once.

        Raises:
            AideError: it cannot be started.
        """
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False)
        self.server = " ".join((version.stderr or version.stdout).split("\n")[0].split())
        with socket.socket() as free:
            # Port 0: the system chooses a free one.
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        options = {
            "--model": model, "--host": "127.0.0.1", "--port": self._port, "--threads": threads,
            # The server divides the context among its slots.
            "--ctx-size": 4096 * slots, "--batch-size": batch, "--ubatch-size": 512, "--cache-reuse": 256,
            "--parallel": slots,
        }  # fmt: skip
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `stop`
        arguments = ["--no-ui", *(str(part) for pair in options.items() for part in pair)]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": self._errors, "stderr": self._errors}
        self._process = await asyncio.create_subprocess_exec(str(program), *arguments, **quiet)
        await self._until_ready()
        text = "def add(a, b):\n    return "
        await self._post({**window(text, len(text)), **PARAMETERS})

    def another(self, name: str) -> "LlamaServerEngine":
        """Return an engine for another person who uses the same server, which this one stops."""
        other = LlamaServerEngine(name, self._as_llama_vim)
        other._port, other.server = self._port, self.server
        return other

    @property
    def pid(self) -> int:
        """Process id of the server."""
        assert self._process is not None
        return self._process.pid

    async def stop(self) -> None:
        """End the server."""
        for job in list(self._jobs.values()):
            job.cancel()
        if self._process is None:
            return
        if self._process.returncode is None:
            self._process.terminate()
            await self._process.wait()
        self._errors.close()

    def begin(self) -> None:
        """Begin another trace."""
        self._newest = None
        self._kept.clear()
        for job in list(self._jobs.values()):
            job.cancel()

    def open(self, file: int, source: Source, text: str) -> None:
        """Send nothing: each request has its text."""

    def edit(self, file: int, event: Event, before: str, after: str) -> None:
        """Send nothing."""

    def jump(self, file: int, text: str, cursor: int) -> None:
        """Request here if llama.vim would: the prompt is warm then, and the answer kept."""
        if self._as_llama_vim:
            self.ask(file, text, cursor)

    def ask(self, file: int, text: str, cursor: int) -> Request:
        """Post what llama.vim posts, or use an earlier answer."""
        request = Request(time.perf_counter(), asyncio.get_running_loop().create_future())
        if self._newest is not None:
            self.drop(self._newest[0])
        self._newest = (request, text, cursor)
        if len(text[cursor:].partition("\n")[0]) > MOST_AFTER:
            request.answer("")  # llama.vim sends no request here
        elif (known := self._look_up(text, cursor)) is not None:
            request.tokens = Tokens(0, 0, 0)
            request.answer(known)
        else:
            self._begin(request, text, cursor)
        return request

    def _begin(self, request: Request, text: str, cursor: int) -> None:
        if self._newest is None or self._newest[0] is not request or request.answered.done():
            return
        if self._as_llama_vim and self._jobs:
            asyncio.get_running_loop().call_later(AGAIN_SECONDS, self._begin, request, text, cursor)
            return
        job = asyncio.ensure_future(self._complete(request, text, cursor))
        self._jobs[id(request)] = job
        job.add_done_callback(lambda _: self._jobs.pop(id(request), None))

    def limit(self, request: Request) -> None:
        """llama.vim has no such limit."""

    def drop(self, request: Request) -> None:
        """Close the connection, which cancels; llama.vim waits instead."""
        if self._newest is not None and self._newest[0] is request:
            self._newest = None
        if self._as_llama_vim:
            return
        job = self._jobs.get(id(request))
        if job is not None:
            job.cancel()

    def cpu_seconds(self) -> float:
        """CPU time of the server."""
        return process_seconds(self._process.pid) if self._process is not None else 0.0

    async def _complete(self, request: Request, text: str, cursor: int) -> None:
        asked = window(text, cursor)
        try:
            found = await self._post({**asked, **PARAMETERS})
        except (OSError, ValueError, asyncio.IncompleteReadError) as error:
            request.fail(f"{type(error).__name__}: {error}")
            return
        if self._as_llama_vim:
            self._kept[kept_under(asked)] = found["content"]
        cached, run = found["timings/cache_n"], found["timings/prompt_n"]
        request.tokens = Tokens(cached + run, cached, found["timings/predicted_n"])
        request.answer(shown(found["content"], text, cursor))
        if self._as_llama_vim and self._newest is not None and self._newest[0] is not request:
            newest, text, cursor = self._newest  # meanwhile the user typed on, perhaps along the answer
            if (known := self._look_up(text, cursor)) is not None:
                newest.tokens = request.tokens
                newest.answer(known)

    def _look_up(self, text: str, cursor: int) -> str | None:
        """Return the longest rest of an answer that agrees with the text before the cursor."""
        if not self._kept:
            return None
        before, after = kept_under(window(text, cursor))
        best = self._kept.get((before, after), "")
        for back in range(1, min(LOOK_BACK, len(before)) + 1):
            content = self._kept.get((before[:-back], after), "")
            if content.startswith(before[-back:]) and len(content) - back > len(best):
                best = content[back:]
        return shown(best, text, cursor) if best else None

    async def _until_ready(self) -> None:
        end = time.perf_counter() + START_SECONDS
        while time.perf_counter() < end:
            assert self._process is not None
            if self._process.returncode is not None:
                self._errors.seek(0)
                raise AideError(
                    "llama-server ended:\n" + self._errors.read().decode("utf-8", "replace")[-800:]
                )
            try:
                await self._http("GET", "/health", b"")
            except (OSError, ValueError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.2)
                continue
            return
        raise AideError(f"llama-server was not ready within {START_SECONDS} seconds.")

    async def _post(self, message: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(await self._http("POST", "/infill", json.dumps(message).encode()))
        return found

    async def _http(self, method: str, path: str, body: bytes) -> bytes:
        """Use a new connection, as llama.vim does with curl; a cancel closes it."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        try:
            head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            writer.write(head.encode() + body)
            answer, _, content = (await reader.read()).partition(b"\r\n\r\n")
            if not answer.startswith(b"HTTP/1.1 200"):
                raise ValueError(f"{answer[:40]!r} {content[:200]!r}")
            return content
        finally:
            writer.close()


def window(text: str, cursor: int) -> dict[str, Any]:
    """Cut the window around the cursor as llama.vim does."""
    before, after = text[:cursor].split("\n"), text[cursor:].split("\n")
    line = before[-1] + after[0]
    # llama.vim treats a line of white space as an empty one.
    blank = not line.strip()
    return {
        "input_prefix": "\n".join(before[:-1][-LINES_BEFORE:]) + "\n",
        "prompt": "" if blank else before[-1],
        "input_suffix": ("" if blank else after[0]) + "\n" + "\n".join(after[1:][:LINES_AFTER]) + "\n",
        "n_indent": 0 if blank else len(line) - len(line.lstrip(" \t")),
    }


def kept_under(asked: dict[str, Any]) -> tuple[str, str]:
    """Return the key of a kept answer: the text before and after it."""
    return asked["input_prefix"] + asked["prompt"], asked["input_suffix"]


def shown(content: str, text: str, cursor: int) -> str:
    """Return what is shown of an answer: without trailing line feeds and indentation that already exists."""
    line = text[:cursor].rpartition("\n")[2]
    if not (line + text[cursor:].partition("\n")[0]).strip():
        first = content.partition("\n")[0]
        content = content[min(len(first) - len(first.lstrip()), len(line)) :]
    return content.rstrip("\n")
