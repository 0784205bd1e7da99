"""Runs an application on a socket until a signal or until nobody has used it for some time."""

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import current_thread, main_thread
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import Server

from aide_lsp.errors import where
from aide_lsp.listening.private_socket import BACKLOG
from aide_lsp.serve.connections import MOST_HEAD_BYTES, ClientConnection, Connections
from aide_lsp.serve.listening import ListeningPlace
from aide_lsp.serve.served import LOGGER

MOST_CONNECTIONS = 1_000
HANDSHAKE_SECONDS = 5.0
DRAIN_SECONDS = 10
"""Time for requests to end after the first signal."""
LAST_SECONDS = 1.0
"""Time for what has not ended then."""
_OTHER_FILES = 100
"""Files that the process has open besides connections."""
_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class HttpServer(Server):
    """Serves one application at one place."""

    def __init__(self, app: ASGIApp, place: ListeningPlace, *, idle_minutes: float = 0.0) -> None:
        """Take an application; `idle_minutes`: exit after this many minutes without a client; 0: never."""
        super().__init__(
            uvicorn.Config(
                app,
                http=ClientConnection,
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                timeout_keep_alive=365 * 24 * 3600,
                timeout_graceful_shutdown=DRAIN_SECONDS,
                h11_max_incomplete_event_size=MOST_HEAD_BYTES,
            )
        )
        self.connections = Connections(_most_connections())
        self._place, self._idle_seconds = place, idle_minutes * 60
        self._stop = asyncio.Event()
        self.note: Callable[[str], object] = lambda sentence: None
        """Takes what the user should know."""
        self.begins: Callable[[], object] = lambda: None
        """Called once clients can connect."""

    def stop(self) -> None:
        """End after the requests that run. For the event loop's thread."""
        self._stop.set()

    async def startup(self, sockets: Any = None) -> None:
        """See `Server`: accept connections."""
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_note_unhandled)
        self.lifespan.state = {}
        tls: dict[str, Any] = {}
        if self._place.tls is not None:
            tls = {
                "ssl": self._place.tls,
                "ssl_handshake_timeout": HANDSHAKE_SECONDS,
                "ssl_shutdown_timeout": HANDSHAKE_SECONDS,
            }

        def connect() -> asyncio.Protocol:
            return ClientConnection(
                self.connections, config=self.config, server_state=self.server_state, app_state={}
            )

        self.servers = [await loop.create_server(connect, sock=self._place.listener, backlog=BACKLOG, **tls)]
        self.started = True
        self.begins()

    async def main_loop(self) -> None:
        """See `Server`: wait, without waking up where nothing happens."""
        loop = asyncio.get_running_loop()
        unused_since = loop.time()
        while not self._stop.is_set():
            if self.connections.clients:
                unused_since = loop.time()
            # One that came and went in between.
            unused_since = max(unused_since, self.connections.last_left)
            left = unused_since + self._idle_seconds - loop.time()
            if self._idle_seconds and left <= 0:
                return
            await self._wait(left)
        if self.server_state.tasks:
            self.note("Ending after the requests that run; Ctrl-C again ends at once.")

    async def shutdown(self, sockets: Any = None) -> None:
        """See `Server`; also end what was being accepted just then."""
        if sys.platform != "win32":
            # asyncio loses a connection that it has accepted, but not begun, when its server closes.
            asyncio.get_running_loop().remove_reader(self._place.listener)
            await asyncio.sleep(0)
        await super().shutdown(sockets)
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=LAST_SECONDS)
        self.connections.drop_all()
        # Transports are closed by callbacks.
        await asyncio.sleep(0)

    async def _wait(self, left: float) -> None:
        """Wait for the end, or until it is time to look whether a client is connected."""
        seconds = min(left, self._idle_seconds / 10) if self._idle_seconds else None
        if sys.platform == "win32":  # there a signal wakes nothing up
            seconds = 0.5
        try:
            async with asyncio.timeout(seconds):
                await self._stop.wait()
        except TimeoutError:
            return

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """See `Server`: end on the first signal, and at once on the second one."""
        if current_thread() is main_thread():
            _handle_signals(self.stop)
        # The handlers stay: the second signal may come while requests end.
        yield


def _handle_signals(end: Callable[[], object]) -> None:
    """Call `end` in the event loop on the first signal, and end the process on the second one."""
    loop, received = asyncio.get_running_loop(), list[int]()

    def handle(number: int, frame: object) -> None:
        if received:
            os._exit(128 + number)
        received.append(number)
        # The loop may be closed already: then all has ended anyway.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(end)

    if sys.platform != "win32":
        # `handle` does not wake up a loop that was just about to wait. As long as the loop itself handles one
        # signal, every signal does. Not one of ours: as it closes, it installs Python's own handler instead.
        loop.add_signal_handler(signal.SIGURG, lambda: None)
    # A signal that is ignored from the start (nohup) stays ignored.
    for number in [number for number in _SIGNALS if signal.getsignal(number) != signal.SIG_IGN]:
        signal.signal(number, handle)


def _most_connections() -> int:
    """Return how many connections the system allows, up to what we want; ask it for that many."""
    if sys.platform == "win32":
        return MOST_CONNECTIONS
    import resource

    wanted = MOST_CONNECTIONS + BACKLOG + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        soft = most
    if soft == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return min(MOST_CONNECTIONS, max(16, soft - _OTHER_FILES))


def _note_unhandled(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Note an error that nothing handled, without its text, which may contain a user's."""
    error = context.get("exception")
    # A client that goes in the middle of something is no error of ours.
    if isinstance(error, OSError):
        return
    text = where(error) if isinstance(error, BaseException) else "without an exception"
    logging.getLogger(LOGGER).error("Unhandled error in the event loop: %s", text)
