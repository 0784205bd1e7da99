"""The real server process with faults that the command `aide.accepted` triggers by an id.

Run as `python broken_server.py [options of aide-lsp]`. `deaf 60` blocks the event loop for that many seconds,
`native` computes forever and holds the GIL, `exit` and `panic` raise what no code of ours catches, `reader`
and `writer` make their next message fail.
"""

import asyncio
import re
import sys
import time
from types import SimpleNamespace

from fake_server import load

from aide_lsp.lsp.main import main
from aide_lsp.lsp.rpc import transport, watchdog

transports: list = []


class PanicException(BaseException):
    """As extensions in Rust raise it."""


def accepted(status, completion_id: str) -> None:
    order, _, argument = completion_id.partition(" ")
    if order == "deaf":
        time.sleep(float(argument))
    elif order == "native":
        re.match("(a+)+$", 99 * "a" + "b")
    elif order == "exit":
        raise SystemExit(0)
    elif order == "panic":
        raise PanicException
    elif order in ("later-exit", "later-panic"):
        fault = SystemExit(0) if order == "later-exit" else PanicException()
        asyncio.get_running_loop().call_soon(_raise, fault)
    elif order == "reader":
        transport.read_length = _no_memory
    elif order == "writer":
        transports[0]._sink = SimpleNamespace(write=_no_memory)


def _raise(fault: BaseException) -> None:
    raise fault


def _no_memory(*_) -> None:
    raise MemoryError


class KnownTransport(transport.Transport):
    """One that can be found again."""

    def __init__(self, *streams) -> None:
        super().__init__(*streams)
        transports.append(self)


if __name__ == "__main__":
    from aide_lsp.lsp.requests import status

    status.Status.accepted = accepted
    transport.Transport = KnownTransport
    watchdog.NATIVE_SECONDS = 2.0
    sys.exit(main(sys.argv[1:], load("ok")))
