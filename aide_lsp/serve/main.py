"""What `aide serve` does: listens, loads the model, says how to use it, serves until it is ended."""

import asyncio
import gc
import logging
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from threading import Thread
from typing import TextIO

from attrs import frozen

from aide_lsp.engines.engine import Engine
from aide_lsp.errors import CrashError
from aide_lsp.inference.forward_watch import WATCH
from aide_lsp.listening.private_socket import removed_after
from aide_lsp.serve.access import Rules
from aide_lsp.serve.app import create_app
from aide_lsp.serve.http_server import HttpServer
from aide_lsp.serve.listening import ListeningPlace
from aide_lsp.serve.served import LOGGER, Served, logged

MOST_LOG_BYTES = 1_000_000
Load = Callable[[], Engine]
Ready = Callable[[Engine], object]


class BoundedHandler(logging.StreamHandler[TextIO]):
    """Logs to a file that was opened for appending; begins it again when it is too long."""

    def __init__(self, stream: TextIO, most: int = MOST_LOG_BYTES) -> None:
        super().__init__(stream)
        self._most = most

    def emit(self, record: logging.LogRecord) -> None:
        """See `Handler`."""
        if os.fstat(self.stream.fileno()).st_size > self._most:
            os.ftruncate(self.stream.fileno(), 0)
        super().emit(record)


@frozen
class ServeOptions:
    """How to serve."""

    token: str = ""
    "Empty: none, because the socket shows who connects."
    names: frozenset[str] = frozenset()
    "Further names of this server."
    idle_minutes: float = 0.0
    "Exit after this many minutes without a client; 0: never."
    note: Callable[[str], object] = lambda sentence: None
    "Takes what the user should know while it ends."
    is_logged: bool = False
    "Whether stderr is a log file of its own."


def serve(place: ListeningPlace, load: Load, ready: Ready, options: ServeOptions) -> int:
    """Serve an engine; return the exit status.

    Args:
        place: where to listen.
        load: returns the engine once it is loaded; called on a thread of its own.
        ready: called with it once it is loaded.
        options: how.

    Raises:
        Exception: what `load` raises.
    """
    _set_up_logs(options)
    with ExitStack() as stack:
        if place.path is not None:
            stack.enter_context(removed_after(place.path))
        return asyncio.run(_serve(place, load, ready, options))


async def _serve(place: ListeningPlace, load: Load, ready: Ready, options: ServeOptions) -> int:
    served, loop = Served(), asyncio.get_running_loop()
    names = place.names | {name.lower() for name in options.names}
    server = HttpServer(
        create_app(served, Rules(options.token, names)), place, idle_minutes=options.idle_minutes
    )
    served.connections = lambda: len(server.connections)
    served.clients = lambda: server.connections.sessions
    server.note = options.note
    failure: list[Exception] = []

    def broken(error: Exception) -> None:
        # Its state is lost. Whoever has started this process, or a client, starts another one.
        failure.append(error)
        loop.call_soon_threadsafe(server.stop)

    # A forward that hangs cannot be ended in any other way.
    WATCH.deaf = lambda: os._exit(1)

    def end() -> None:
        served.failed()
        server.stop()

    def run() -> None:
        # The loop is closed when the server has ended.
        with suppress(RuntimeError):
            try:
                engine = load()
                # What is loaded stays. Searching it for garbage would stop all requests for some time.
                gc.freeze()
                gc.enable()
                engine.breaks = broken
                loop.call_soon_threadsafe(served.ready, engine)
                ready(engine)
            except BaseException as error:
                # The panic of a library, too: this process would never be ready, and never end.
                failure.append(error if isinstance(error, Exception) else CrashError.of(logged(error)))
                loop.call_soon_threadsafe(end)

    server.begins = Thread(target=run, name="aide-ready", daemon=True).start
    await server.serve()
    if failure:
        raise failure[0]
    # Ended while it loaded.
    return 0 if served.is_ready else 130


def _set_up_logs(options: ServeOptions) -> None:
    """Write our own errors to stderr. Libraries log nothing: they know texts and tokens."""
    handler = BoundedHandler(sys.stderr) if options.is_logged else logging.StreamHandler()
    handler.setFormatter(logging.Formatter("aide serve: %(message)s"))
    logging.getLogger(LOGGER).handlers = [handler]
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi", "asyncio"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [logging.NullHandler()], False
