"""Measures what the server costs apart from generating completions.

A real server over stdio, with the default model, which must be converted: the time to the answer to
`initialize` and until the model is ready, CPU seconds while idle, memory after completions in large files,
and how long a cancel takes in the middle of a long prompt.
"""

import argparse
import asyncio
import csv
import inspect
import random
import shutil
import threading
import time
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any

import psutil

from aide_lsp.bench.speed import GREEDY
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.generate import generate
from aide_lsp.inference.onnx.open import open_session
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.prefix_cache import PrefixCache
from aide_lsp.inference.session import Session
from aide_lsp.loading import model_folder
from aide_lsp.settings.fields import Settings
from benchmarks.typing.editor import CAPABILITIES, INLINE, INVOKED
from benchmarks.typing.lsp_client import OWN_SERVER, Connection, process_seconds

STARTS, IDLE_SECONDS, CANCELS = 7, 8.0, 14
PROMPT_TOKENS = 2048
MODULES: tuple[ModuleType, ...] = (argparse, inspect, shutil, csv)
LINES = (200, 350)


class Server:
    """A server, and when it answered and was ready."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.connection = Connection(settings, self._notified)
        self._settings = settings
        self._ready = asyncio.Event()
        self.greeted = self.ready = 0.0

    async def start(self) -> None:
        """Start it and wait until the model is ready; times are seconds from here."""
        started = time.perf_counter()
        await self.connection.start(OWN_SERVER)
        params = {"processId": None, "rootUri": None, "capabilities": CAPABILITIES}
        await self.connection.ask("initialize", {**params, "initializationOptions": self._settings})
        self.greeted = time.perf_counter() - started
        self.connection.notify("initialized", {})
        await asyncio.wait_for(self._ready.wait(), 120)
        self.ready = time.perf_counter() - started

    def _notified(self, method: str, params: Any) -> None:
        if method == "aide/status" and params["state"] == "ready":
            self._ready.set()


async def report_starts(settings: dict[str, Any]) -> None:
    """Start several servers, one after another."""
    servers = [Server(settings) for _ in range(STARTS)]
    for server in servers:
        await server.start()
        await server.connection.stop()
    for name, seconds in (
        ("initialize answered", [one.greeted for one in servers]),
        ("model ready", [one.ready for one in servers]),
    ):
        spread = f"({min(seconds):.2f}-{max(seconds):.2f}, {STARTS} starts)"
        print(f"{name:<28} {median(seconds):6.2f} s   {spread}")


async def report_idle_and_memory(settings: dict[str, Any]) -> None:
    """Leave a server idle, then let it complete at several places."""
    server = Server(settings)
    await server.start()
    connection = server.connection
    before = process_seconds(connection.pid)
    await asyncio.sleep(IDLE_SECONDS)
    used = process_seconds(connection.pid) - before
    print(f"{'CPU while idle':<28} {used:6.2f} s   in {IDLE_SECONDS:.0f} s")
    print(memory(connection.pid, "no request yet"))
    for count, module in enumerate(MODULES, 1):
        path = Path(str(module.__file__))
        text, uri = path.read_text(encoding="utf-8"), path.as_uri()
        document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        connection.notify("textDocument/didOpen", {"textDocument": document})
        for line in LINES:
            position = {"line": line, "character": len(text.split("\n")[line])}
            place = {"textDocument": {"uri": uri}, "position": position}
            await connection.ask(INLINE, {**place, "context": {"triggerKind": INVOKED}})
        print(memory(connection.pid, f"{len(LINES)} places in each of {count}"))
    await connection.stop()


def memory(pid: int, when: str) -> str:
    """Report the memory of a process."""
    found = psutil.Process(pid).memory_info()
    resident, mapped = found.rss / 1e6, found.shared / 1e6
    return f"{f'memory, {when}':<40} {resident:5.0f} MB, {resident - mapped:.0f} not mapped from files"


def report_cancels(recipe: str) -> None:
    """Cancel a long prompt at a random moment, several times."""
    folder = model_folder(Settings(recipe=recipe, provider="cpu"), lambda *_: None)
    session, chance = open_session(folder, "cpu"), random.Random(1)
    ids = [chance.randrange(session.vocab_size) for _ in range(PROMPT_TOKENS)]
    whole, waits = read(session, ids, CancelToken()), []
    while len(waits) < CANCELS:
        token, cancelled = CancelToken(), []

        # Default arguments, because the timer of one round may run when the names belong to the next.
        def cancel(token: CancelToken = token, cancelled: list[float] = cancelled) -> None:
            cancelled.append(time.perf_counter())
            token.cancel()

        # Neither so early nor so late that there is nothing to cancel.
        timer = threading.Timer(chance.uniform(0.05, 0.9) * whole, cancel)
        timer.start()
        read(session, ids, token)
        timer.cancel()
        if token.cancelled:
            waits.append((time.perf_counter() - cancelled[0]) * 1e3)
    title = f"cancel in {PROMPT_TOKENS} tokens"
    print(f"{title:<28} {median(waits):6.1f} ms  (at most {max(waits):.1f}, {CANCELS} cancels)")


def read(session: Session, ids: list[int], cancel: CancelToken) -> float:
    """Prefill a prompt as for a completion; return the seconds it took."""
    started = time.perf_counter()
    list(generate(session, PrefixCache(), ids, GenerationOptions(GREEDY, 1), cancel))
    return time.perf_counter() - started


def main() -> None:
    """Measure one recipe."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.server",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--recipe", default="exact", choices=("exact", "fast"), help="[exact]")
    recipe = parser.parse_args().recipe
    settings = {"provider": "cpu", "recipe": recipe}
    asyncio.run(report_starts(settings))
    asyncio.run(report_idle_and_memory(settings))
    report_cancels(recipe)


if __name__ == "__main__":
    main()
