"""A program that listens as `aide serve` does, with a fake model; how it behaves is in its arguments.

`count`: a file to which each process adds a line. `how`: `hang`, `garbage`, `exit`, `loading`, instead of
answering; `killed` or `killed once`: it is, while it starts; `killed answering`: once, while it answers;
`other`: it speaks another protocol.
"""

import json
import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.completion.test_completer import completer_of
from tests.engine_stand_in import EngineStandIn
from tests.fakes import babbling

if __name__ == "__main__":
    arguments = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    with Path(arguments["--count"]).open("a") as file:
        file.write(f"{os.getpid()}\n")
    how, path = arguments["--how"], arguments.get("--socket")
    if how == "exit":
        sys.exit("no model")
    starts = len(Path(arguments["--count"]).read_text().split())
    if how == "killed" or (how == "killed once" and starts == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "killed answering" and starts == 1:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            while not listener.accept()[0].recv(1):  # whoever only looks whether someone listens
                pass
            Path(path).unlink()  # as the next one would do
            os.kill(os.getpid(), signal.SIGKILL)
    if how == "hang":
        time.sleep(600)
    if how == "garbage":
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            while True:
                connection, _ = listener.accept()
                with connection, suppress(OSError):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
    protocol = 99 if how == "other" else 1
    with EngineStandIn(
        completer_of(babbling(3))._model, path=Path(path) if path else None, protocol=protocol
    ) as engine:
        if how == "loading":
            said = b"HTTP/1.1 503 x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
            engine.disturb = lambda name, line: said
        if announce := arguments.get("--announce"):
            data = {"port": engine._server.server_address[1], "process": os.getpid()}
            Path(announce).write_text(json.dumps(data))
        time.sleep(600)
