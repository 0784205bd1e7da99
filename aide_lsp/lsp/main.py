"""The command `aide-lsp`: reads its options, takes the streams, runs the server until the client is gone.

In: arguments. Out: an exit code. Imports nothing heavy before the streams are taken: what any import prints
must not reach the client. It does not know the command line `aide`.
"""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from threading import Timer
from typing import TYPE_CHECKING, Any, NoReturn

from attrs import frozen

from aide_lsp import PRIVATE
from aide_lsp.lsp.options import Options, UsageError, read_options

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from aide_lsp.lsp.client import ClientProfile
    from aide_lsp.lsp.greeting import Inbox
    from aide_lsp.lsp.logs import ClientHandler
    from aide_lsp.lsp.model_host import LoadCompleter
    from aide_lsp.lsp.streams import Streams
    from aide_lsp.lsp.transport import Transport


@frozen
class End:
    """Stands behind the last message."""

    reason: str
    "Why no more can come; empty: the client closed the connection."


def main(arguments: Sequence[str] | None = None, load: "LoadCompleter | None" = None) -> int:
    """Run the server. Returns only when it never began; `load` replaces the real model in tests."""
    os.umask(PRIVATE)
    try:
        options = read_options(sys.argv[1:] if arguments is None else arguments)
    except UsageError as error:
        sys.stderr.write(f"aide-lsp: {error}\nTry: aide-lsp --help\n")
        return 2
    if options.text is not None:
        sys.stdout.write(options.text)
        return 0
    from aide_lsp.errors import AideError
    from aide_lsp.lsp.logs import set_up

    try:
        logs = set_up(options.log_level, options.log_file)
        streams = _connect(options)
    except (AideError, OSError, KeyboardInterrupt) as error:
        sys.stderr.write(f"aide-lsp: {error}\n")
        return 2
    return serve(streams, load or _default_load(), logs)


def _default_load() -> "LoadCompleter":
    from aide_lsp.startup import load_completer

    return load_completer


def serve(streams: "Streams", load: "LoadCompleter", logs: "ClientHandler") -> NoReturn:
    """Serve one client and end the process with it."""
    import faulthandler

    from aide_lsp.lsp.greeting import Inbox
    from aide_lsp.lsp.lifetime import leave
    from aide_lsp.lsp.transport import Transport

    faulthandler.enable()  # a crash in native code says where, on stderr
    transport, inbox = Transport(*streams), Inbox()
    transport.start(receive=inbox.put, closed=lambda reason: inbox.put(End(reason)))
    try:
        profile = _greet(transport, inbox)
        import asyncio

        asyncio.run(_run(transport, inbox, profile, load, logs))
    except KeyboardInterrupt:
        leave(130)
    leave(1)


def _greet(transport: "Transport", inbox: "Inbox") -> "ClientProfile | None":
    """Answer the first message if it is a proper `initialize`; leave anything else to the server."""
    import json

    from aide_lsp.lsp.greeting import initialize_result, profile_of

    message = inbox.first()
    profile = profile_of(message)
    if profile is None:
        inbox.put_back(message)
        return None
    reply = {"jsonrpc": "2.0", "id": message["id"], "result": initialize_result(profile)}
    transport.write(json.dumps(reply).encode())
    return profile


async def _run(
    transport: "Transport",
    inbox: "Inbox",
    profile: "ClientProfile | None",
    load: "LoadCompleter",
    logs: "ClientHandler",
) -> None:
    """Make the server and let it have the messages, those that came meanwhile first."""
    import asyncio
    import gc

    gc.disable()  # thousands of classes are made, and none of them is garbage
    from aide_lsp.lsp.server import Server

    gc.freeze()
    gc.enable()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_log_fault)
    server = Server(transport, load, logs)
    if profile is not None:
        server.begin(profile)

    def take(message: Any) -> None:
        if isinstance(message, End):
            _end(loop, server.leave, message.reason)
        else:
            _to_loop(loop, server.protocol.receive, message)

    inbox.open(take)
    await asyncio.Event().wait()


def _connect(options: Options) -> "Streams":
    """Take the streams; with sockets, stdout goes to stderr too, so that all ways behave alike."""
    from aide_lsp.lsp import streams

    if options.tcp is None and options.socket is None and sys.stdin.isatty():
        sys.stderr.write("aide-lsp waits for an editor on stdin; aide-lsp --help says more.\n")
    stdio = streams.take_stdio()
    if options.tcp is not None:
        return streams.accept_tcp(options.tcp)
    if options.socket is not None:
        return streams.accept_socket(options.socket)
    return stdio


def _to_loop(loop: "AbstractEventLoop", call: Callable[[Any], None], argument: Any) -> None:
    """Hand something to the loop; when it is gone, so is the process."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(call, argument)


def _end(loop: "AbstractEventLoop", leave: Callable[[str], None], reason: str) -> None:
    """The connection is over: end after what came before it is handled, or without if the loop is stuck."""
    from aide_lsp.lsp.lifetime import GRACE_SECONDS

    last = Timer(GRACE_SECONDS, leave, (reason or "the event loop is stuck",))
    last.daemon = True
    last.start()
    _to_loop(loop, leave, reason)


def _log_fault(loop: "AbstractEventLoop", context: dict[str, Any]) -> None:
    """Log a fault that no task took; its own text may hold the user's."""
    import logging

    from aide_lsp.lsp.protocol import where

    error = context.get("exception")
    text = where(error) if isinstance(error, BaseException) else "without an exception"
    logging.getLogger("aide.server").error("The event loop reports a fault: %s", text)


if __name__ == "__main__":
    sys.exit(main())
