"""Carries messages: one thread reads them, one writes them, neither waits for the model.

Whatever a handler does, the next cancel is read; and a client that stops reading cannot stop the server
(until `QUEUE_LIMIT` bytes wait for it).
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from threading import Condition, Thread
from typing import Any, BinaryIO

from aide_lsp.lsp.rpc.framing import FrameError, frame, read_length
from aide_lsp.lsp.rpc.lifetime import die
from aide_lsp.lsp.rpc.messages import read_message

QUEUE_LIMIT = 16 * 1024 * 1024
"""Bytes; they stay in memory until the client reads them."""


class Transport:
    """Both directions of one connection. `write` may be called from any thread."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self._source, self._sink = source, sink
        self._changed = Condition()
        self._waiting: deque[bytes] = deque()
        self._unwritten = 0  # bytes in `_waiting` and in the current write
        self._open = True
        self._closed: Callable[[str], None] = lambda reason: None

    def start(
        self,
        reserve: Callable[[int], object],
        receive: Callable[[Any, int], object],
        closed: Callable[[str], None],
    ) -> None:
        """Start to read and write.

        Args:
            reserve: waits until there is memory for that many bytes, on the reader's thread.
            receive: gets each message (see `messages.py`) and its weight, in order, on the reader's thread.
            closed: gets the reason why no more can be read or written; empty: the client closed it.
        """
        self._closed = closed
        Thread(target=self._run, args=("writing", self._write_all), name="aide-writer", daemon=True).start()
        read_all = partial(self._read_all, reserve, receive)
        Thread(target=self._run, args=("reading", read_all), name="aide-reader", daemon=True).start()

    def write(self, body: bytes) -> None:
        """Queue a body to be sent. Never waits; closes the connection if too much is queued."""
        with self._changed:
            if not self._open:
                return
            data = frame(body)
            self._unwritten += len(data)
            self._waiting.append(data)
            full = self._unwritten > QUEUE_LIMIT
            self._open = not full
            self._changed.notify_all()
        if full:
            self._closed(f"the client left {QUEUE_LIMIT // 2**20} MiB unread")

    def flush(self, seconds: float) -> bool:
        """Wait until everything is sent; False: it is not after `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._unwritten == 0, seconds)

    def _run(self, what: str, work: Callable[[], None]) -> None:
        """Run one direction. However it ends, `closed` is called: a server must not live on deaf or dumb."""
        reason = ""
        try:
            work()
        except FrameError as error:
            reason = str(error)
        except MemoryError:
            reason = f"there was not enough memory for {what} a message"
        except BaseException as error:  # mostly OSError: the connection broke
            reason = f"{what} failed ({type(error).__name__})"
        try:
            if what == "writing":
                self._drop_unwritten()  # `flush` must not wait for it
            self._closed(reason)
        except BaseException:
            die(f"The server exits: {reason}.")

    def _read_all(self, reserve: Callable[[int], object], receive: Callable[[Any, int], object]) -> None:
        while (length := read_length(self._source)) is not None:
            receive(*read_message(self._source, length, reserve))

    def _write_all(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
                data = b"".join(self._waiting)
                self._waiting.clear()
            # Not under the lock: this blocks while the client does not read, and `write` must never wait.
            self._sink.write(data)
            self._sink.flush()
            with self._changed:
                self._unwritten -= len(data)
                self._changed.notify_all()

    def _drop_unwritten(self) -> None:
        with self._changed:
            self._open = False
            self._unwritten = 0
            self._waiting.clear()
            self._changed.notify_all()
