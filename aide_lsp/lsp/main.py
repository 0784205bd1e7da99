"""The command `aide-lsp`: reads its options, reserves the streams, runs the server until the client is gone.

Nothing heavy is imported before the streams are reserved: what an import prints must not reach the client.
"""

import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from aide_lsp import PRIVATE
from aide_lsp.invisible import escaped
from aide_lsp.lsp.options import Options, UsageError, read_options

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

    from aide_lsp.lsp.client import ClientProfile
    from aide_lsp.lsp.logs import ClientHandler
    from aide_lsp.lsp.model.model_host import FindMissing, LoadCompleter
    from aide_lsp.lsp.rpc.inbox import Inbox
    from aide_lsp.lsp.rpc.lifetime import Starter
    from aide_lsp.lsp.rpc.streams import Streams
    from aide_lsp.lsp.rpc.transport import Transport


def main(
    arguments: Sequence[str] | None = None,
    load: "LoadCompleter | None" = None,
    find_missing: "FindMissing" = lambda settings: None,
) -> int:
    """Run the server. Return only if it could not start.

    Args:
        arguments: the command line.
        load: replaces the real model in tests.
        find_missing: names what that `load` would download.
    """
    os.umask(PRIVATE)
    _open_closed_streams()
    try:
        options = read_options(sys.argv[1:] if arguments is None else arguments)
    except UsageError as error:
        sys.stderr.write(f"aide-lsp: {escaped(str(error))}\nTry: aide-lsp --help\n")
        return 2
    if options.text is not None:
        sys.stdout.write(options.text)
        return 0
    from aide_lsp.errors import AideError
    from aide_lsp.lsp.logs import set_up
    from aide_lsp.lsp.rpc.lifetime import Starter

    try:
        logs = set_up(options.log_level, options.log_file)
        starter = None if options.tcp is None and options.socket is None else Starter()
        streams = _connect(options)
    except (AideError, OSError, KeyboardInterrupt) as error:
        sys.stderr.write(f"aide-lsp: {escaped(str(error))}\n")
        return 2
    if load is None:
        from aide_lsp.loading import load_for_editor, missing_model

        load, find_missing = load_for_editor, missing_model
    return serve(streams, load, find_missing, logs, starter)


def _open_closed_streams() -> None:
    """Make sure there are three standard streams: some launchers close those they do not need."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number: this one
    sys.stdin = sys.stdin or os.fdopen(0, closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def serve(
    streams: "Streams",
    load: "LoadCompleter",
    find_missing: "FindMissing",
    logs: "ClientHandler",
    starter: "Starter | None" = None,
) -> NoReturn:
    """Serve one client; end the process when the client ends, or the process that started this one."""
    import faulthandler
    from functools import partial

    from aide_lsp.lsp.rpc.inbox import Inbox
    from aide_lsp.lsp.rpc.lifetime import die, leave, starters, was_likely_here, watch
    from aide_lsp.lsp.rpc.transport import Transport

    faulthandler.enable()  # a crash in native code says where, on stderr
    transport, started_by = Transport(*streams), starters()
    inbox = Inbox(transport.write, leave=lambda reason: die(f"The server exits: {reason}."))
    transport.start(reserve=inbox.reserve, receive=inbox.put, closed=inbox.close)
    if starter is not None:
        starter.gone = inbox.close

    def watch_client(process_id: int) -> None:
        # Not all clients wait for the answer to `initialize`: earlier messages do not prove they are alive.
        earlier = inbox.count if was_likely_here(process_id) else 1
        gone = partial(inbox.close, "the client's process ended")
        watch(process_id, started_by, partial(inbox.heard, earlier), gone)

    try:
        profile = _greet(transport, inbox, watch_client)
        import asyncio

        # Not `asyncio.run`: it would wait for threads.
        asyncio.Runner().run(_run(transport, inbox, profile, load, find_missing, logs, watch_client))
    except KeyboardInterrupt:
        leave(130)
    except BaseException as error:
        die(f"The server exits: it failed ({_named(error)}).")
    leave(1)


def _named(error: BaseException) -> str:
    """Say what was raised and where; if there is no memory for that, only what."""
    try:
        from aide_lsp.errors import where

        return where(error)
    except BaseException:
        return type(error).__name__


def _greet(transport: "Transport", inbox: "Inbox", watch: Callable[[int], None]) -> "ClientProfile | None":
    """Answer the first message if it is a valid `initialize`; leave anything else to the server."""
    import json

    from aide_lsp.lsp.initialize import initialize_result, profile_of

    message = inbox.first()
    profile = profile_of(message)
    if profile is None:
        inbox.put_back(message)
        return None
    reply = {"jsonrpc": "2.0", "id": message["id"], "result": initialize_result(profile)}
    if profile.process_id is not None:
        watch(profile.process_id)  # now: the next import takes longer than some clients live
    transport.write(json.dumps(reply).encode())
    return profile


async def _run(
    transport: "Transport",
    inbox: "Inbox",
    profile: "ClientProfile | None",
    load: "LoadCompleter",
    find_missing: "FindMissing",
    logs: "ClientHandler",
    watch: Callable[[int], None],
) -> None:
    """Create the server and have it handle all messages, those that came meanwhile first."""
    import asyncio
    import gc

    gc.disable()  # thousands of classes are created, and none of them is garbage
    from aide_lsp.lsp import handlers
    from aide_lsp.lsp.commands import dispatch
    from aide_lsp.lsp.rpc.watchdog import watch_loop
    from aide_lsp.lsp.server import Server

    gc.freeze()  # no later collection need search them
    gc.enable()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_log_unhandled)
    server = Server(transport, load, logs, watch, find_missing=find_missing)
    handlers.register(server)
    dispatch.register(server)
    watch_loop(loop, server.leave_deaf)
    if profile is not None:
        server.begin(profile)
        inbox.notifies_later = profile.status

    inbox.leave = server.leave
    inbox.open(loop, server.take)
    await asyncio.Event().wait()


def _connect(options: Options) -> "Streams":
    """Return the streams to the client. With a socket, stdout is redirected all the same."""
    from aide_lsp.lsp.rpc import streams

    if options.tcp is None and options.socket is None and sys.stdin.isatty():
        sys.stderr.write("aide-lsp is waiting for an editor on stdin. For help, run: aide-lsp --help\n")
    stdio = streams.take_stdio()
    if options.tcp is None and options.socket is None:
        return stdio
    from aide_lsp.lsp.rpc.listening import accept_socket, accept_tcp

    if options.socket is not None:
        return accept_socket(options.socket)
    # Removed from the environment, which child processes inherit.
    return accept_tcp(options.tcp or "", os.environ.pop("AIDE_TOKEN", ""))


def _log_unhandled(loop: "AbstractEventLoop", context: dict[str, Any]) -> None:
    """Log an error that no task handled, without its text: that may contain the user's."""
    import logging

    from aide_lsp.errors import where

    error = context.get("exception")
    text = where(error) if isinstance(error, BaseException) else "without an exception"
    logging.getLogger("aide.server").error("Unhandled error in the event loop: %s", text)


if __name__ == "__main__":
    sys.exit(main())
