"""Stands between an editor and the server, passes on every byte, and notes when each message went by.

The editor starts a program named `aide-lsp`, which is this one (`install`). It writes one line for each
message: the moment on the monotonic clock, who sent it, and the message. `--log-level debug` has the server
log what it otherwise keeps to itself: requests that newer ones superseded.
"""

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from attrs import frozen

CHUNK = 1 << 16


@frozen
class Message:
    """What one side sent."""

    at: float
    by_client: bool
    body: dict[str, Any]


def install(folder: Path, server: Path) -> Path:
    """Write a program that starts the server behind this one, and return it; its notes are in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / "aide-lsp"
    command = [sys.executable, "-P", str(Path(__file__).resolve()), str(folder), str(server)]
    quoted = " ".join(f'"{part}"' for part in command)
    program.write_text(f'#!/bin/sh\nexec {quoted} --log-level debug "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return program


def read(folder: Path) -> list[Message]:
    """Return the messages of all servers that were started, in order."""
    lines = [line for notes in folder.glob("*.jsonl") for line in notes.read_text("utf-8").splitlines()]
    return sorted((Message(**json.loads(line)) for line in lines), key=lambda message: message.at)


class Notes:
    """The messages in one direction, put together from pieces."""

    def __init__(self, file: Any, by_client: bool) -> None:
        self._file, self._by_client, self._rest = file, by_client, b""

    def add(self, at: float, piece: bytes) -> None:
        """Note the messages that end in a piece."""
        self._rest += piece
        while b"\r\n\r\n" in self._rest:
            header, _, rest = self._rest.partition(b"\r\n\r\n")
            lengths = [line for line in header.split(b"\r\n") if line.lower().startswith(b"content-length:")]
            length = int(lengths[0].partition(b":")[2])
            if len(rest) < length:
                return
            body, self._rest = json.loads(rest[:length]), rest[length:]
            # One write for each line: both directions share the file.
            self._file.write(json.dumps({"at": at, "by_client": self._by_client, "body": body}) + "\n")
            self._file.flush()


def pump(source: int, target: int, notes: Notes) -> None:
    """Pass everything on until one side ends."""
    try:
        while piece := os.read(source, CHUNK):
            at, left = time.monotonic(), piece
            while left:
                left = left[os.write(target, left) :]
            notes.add(at, piece)
    except OSError:
        pass
    os.close(target)


def main(folder: str, *command: str) -> int:
    """Run the server between this process's stdin and stdout."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    with (Path(folder) / f"{os.getpid()}.jsonl").open("w", encoding="utf-8") as file:
        there = (0, process.stdin.fileno(), Notes(file, True))
        # Daemon: the editor may keep its side open after the server has ended.
        threading.Thread(target=pump, args=there, daemon=True).start()
        pump(process.stdout.fileno(), 1, Notes(file, False))
        return process.wait()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
