"""Measures how soon a cancel is answered under a flood of requests.

A client types into a large file, requests a completion at every key, far faster than anybody types, and
cancels each request at a random moment soon after. The program prints the time from each cancel to the reply
to the request, and how long the server computes after the last one.
"""

import argparse
import heapq
import json
import random
import shlex
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import psutil

SOURCE = Path(argparse.__file__)
URI = "file:///flood/a.py"
TYPED = "    for action in self._actions: result.append(action.dest)\n"


class Client:
    """A running server, and when its replies came."""

    def __init__(self, command: list[str]) -> None:
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.replies: dict[Any, float] = {}
        self.codes: dict[Any, int] = {}
        self.ready = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, **message: Any) -> None:
        """Send one message."""
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def wait_for(self, msg_id: Any, seconds: float = 120.0) -> None:
        """Wait for a reply."""
        until = time.monotonic() + seconds
        while msg_id not in self.replies:
            if time.monotonic() > until:
                sys.exit(f"The server did not reply to {msg_id} within {seconds:.0f} s.")
            time.sleep(0.005)

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while header := stream.readline():
            stream.readline()
            message = json.loads(stream.read(int(header.split(b":")[1])))
            if "method" not in message:
                self.replies[message["id"]] = time.perf_counter()
                self.codes[message["id"]] = message.get("error", {}).get("code", 0)
            elif message["method"] == "aide/status" and message["params"]["state"] == "ready":
                self.ready.set()


def start(command: list[str], *, listens: bool) -> Client:
    """Start a server, open the file and wait until the model is loaded.

    `listens`: the client accepts `aide/ready`, so abandoned completions continue.
    """
    client = Client(command)
    capabilities = {
        "textDocument": {"inlineCompletion": {}},
        "experimental": {"aide": True} if listens else None,
    }
    client.send(id="i", method="initialize", params={"processId": None, "capabilities": capabilities})
    client.wait_for("i")
    client.send(method="initialized", params={})
    item = {"uri": URI, "languageId": "python", "version": 1, "text": SOURCE.read_text(encoding="utf-8")}
    client.send(method="textDocument/didOpen", params={"textDocument": item})
    for number in range(60):
        ask(client, f"warm {number}", 300, 0)
        client.wait_for(f"warm {number}")
        time.sleep(0.5 if not listens or not client.ready.is_set() else 0)
        # Only a client of Aide's kind is notified when the model is ready; for others, half a second each
        # must do.
        if number > 5 and (client.ready.is_set() or not listens):
            break
    return client


def ask(client: Client, msg_id: Any, line: int, character: int) -> None:
    """Request an inline completion."""
    place = {"textDocument": {"uri": URI}, "position": {"line": line, "character": character}}
    params = {**place, "context": {"triggerKind": 2}}
    client.send(id=msg_id, method="textDocument/inlineCompletion", params=params)


def flood(client: Client, count: int, rate: float, seed: int) -> dict[int, float]:
    """Type, request and cancel; return when each cancel was sent."""
    random_ = random.Random(seed)
    due: list[tuple[float, int]] = []
    cancelled: dict[int, float] = {}
    began, column, line = time.perf_counter(), 0, 300

    def cancel_due(now: float) -> None:
        while due and due[0][0] <= now:
            _, number = heapq.heappop(due)
            cancelled[number] = time.perf_counter()
            client.send(method="$/cancelRequest", params={"id": number})

    for number in range(count):
        while (now := time.perf_counter()) < began + number / rate:
            cancel_due(now)
            time.sleep(0.0002)
        character = TYPED[number % len(TYPED)]
        place = {"line": line, "character": column}
        change = {"range": {"start": place, "end": place}, "text": character}
        document = {"uri": URI, "version": number + 2}
        client.send(
            method="textDocument/didChange", params={"textDocument": document, "contentChanges": [change]}
        )
        line, column = (line + 1, 0) if character == "\n" else (line, column + 1)
        ask(client, number, line, column)
        heapq.heappush(due, (time.perf_counter() + random_.uniform(0, 0.05), number))
    while due:
        cancel_due(time.perf_counter())
        time.sleep(0.0005)
    return cancelled


def idle_after(process: psutil.Process) -> float:
    """Wait until the server computes nothing; return how long it still did."""
    began = last = time.perf_counter()
    before = sum(process.cpu_times()[:2])
    while time.perf_counter() - last < 0.5:
        time.sleep(0.02)
        now = sum(process.cpu_times()[:2])
        # The system counts CPU time in ticks of 10 ms.
        if now - before > 0.005:
            last = time.perf_counter()
        before = now
    return last - began


def main() -> None:
    """Run the flood and print its figures."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.canceling",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--rate", type=float, default=460.0, help="requests per second [460]")
    parser.add_argument("--count", type=int, default=4000, help="requests in all [4000]")
    parser.add_argument(
        "--command",
        type=shlex.split,
        default=[sys.executable, "-m", "aide_lsp.lsp.main"],
        help="the server [Aide's own]",
    )
    arguments = parser.parse_args()
    for listens in (False, True):
        client = start(arguments.command, listens=listens)
        cancelled = flood(client, arguments.count, arguments.rate, seed=1)
        idle = idle_after(psutil.Process(client.process.pid))
        client.wait_for(arguments.count - 1)
        waited = sorted(
            1000 * (client.replies[number] - sent)
            for number, sent in cancelled.items()
            # A cancel that came after the reply has nothing to wait for.
            if client.replies[number] > sent
        )
        middle, high = (waited[int(len(waited) * share)] for share in (0.5, 0.99)) if waited else (0, 0)
        top = waited[-1] if waited else 0
        kind = "client with aide/ready" if listens else "plain client"
        print(
            f"{kind:<26} {len(cancelled)} cancels, {len(waited)} before the reply: "
            f"p50 {middle:.1f} ms, p99 {high:.1f} ms, longest {top:.1f} ms; then computes for {idle:.2f} s"
        )
        client.process.kill()


if __name__ == "__main__":
    main()
