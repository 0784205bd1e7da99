"""Queues the client's messages for the event loop, in order; only a cancel overtakes.

The loop handles one message per turn, so that everything else on it keeps running under a flood. A request
that is canceled while it waits here is answered at once and never started, with one exception: see
`notifies_later`.
"""

import json
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from threading import Condition, Timer
from typing import TYPE_CHECKING, Any, Final

from attrs import define, frozen

from aide_lsp.lsp.rpc.lifetime import GRACE_SECONDS
from aide_lsp.lsp.rpc.messages import CANCELLED, WEIGHT_LIMIT, MessageId, message_id

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

_KEPT = ("initialize", "shutdown")
"""Requests that are never canceled: later messages depend on them."""


@frozen
class ConnectionEnd:
    """What follows the last message."""

    reason: str
    "Why there are no more; empty: the client closed the connection."


@frozen
class CancelledEarly:
    """A request that was canceled, and answered, before it started."""

    message: dict[str, Any]


@define
class _Entry:
    """A message in the queue."""

    message: Any
    weight: int
    msg_id: MessageId | None
    cancelled: bool = False


NOTHING: Final = object()
"""No message; null is one."""


class Inbox:
    """The messages of one connection. For any thread."""

    def __init__(self, write: Callable[[bytes], None], leave: Callable[[str], object]) -> None:
        self.leave = leave
        """Ends the process. For any thread."""
        self.notifies_later = False
        """Whether the client wants answers even after it canceled (`aide/ready`).

        Then a request canceled in the queue is started all the same, unless another request follows it.
        """
        self._write = write
        self._changed = Condition()
        self._waiting: deque[_Entry] = deque()
        self._requests: dict[MessageId, _Entry] = {}
        self._urgent: deque[Any] = deque()
        self._weight = self._taken = self._count = 0
        self._asleep = True
        self._wake: Callable[[], object] | None = None

    def reserve(self, weight: int) -> None:
        """Wait until the messages queued and being handled leave memory for one of this weight."""
        with self._changed:
            self._changed.wait_for(lambda: not self._weight or self._weight + weight <= WEIGHT_LIMIT)

    def put(self, message: Any, weight: int = 0) -> None:
        """Queue a message."""
        msg_id, withdrawn = None, False
        with self._changed:
            self._count += 1
            method = message.get("method") if isinstance(message, dict) else None
            if method == "$/cancelRequest":
                msg_id = _id_of(message.get("params"))
                entry = self._requests.pop(msg_id, None) if msg_id is not None else None
                if entry is None:
                    self._urgent.append(message)
                else:
                    # It stays in the queue: `_take` decides whether it is started all the same.
                    entry.cancelled = withdrawn = True
            else:
                can_be_cancelled = isinstance(method, str) and method not in _KEPT
                self._append(_Entry(message, weight, _id_of(message) if can_be_cancelled else None))
            self._changed.notify_all()
            self._awaken()
        if withdrawn:  # here, on the thread that reads: the event loop may be busy
            code, text = CANCELLED
            error = {"code": code, "message": text}
            self._write(json.dumps({"jsonrpc": "2.0", "id": msg_id, "error": error}).encode())

    def close(self, reason: str) -> None:
        """End after all queued messages are handled, or without if that takes too long."""
        last = Timer(GRACE_SECONDS, lambda: self.leave(reason or "the client closed the connection"))
        last.daemon = True
        last.start()
        with self._changed:
            self._append(_Entry(ConnectionEnd(reason), 0, None))
            self._changed.notify_all()
            self._awaken()

    def first(self) -> Any:
        """Wait for a message and take it out of the queue."""
        message: Any = NOTHING
        while message is NOTHING:  # what came may have been canceled at once
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
            message = self._take()
        return message

    def put_back(self, message: Any) -> None:
        """Put what `first` took out back to the front."""
        with self._changed:
            # Its weight still counts, as that of the message taken last.
            self._waiting.appendleft(_Entry(message, 0, None))

    @property
    def count(self) -> int:
        """How many messages the client has sent."""
        return self._count

    def heard(self, count: int, seconds: float) -> bool:
        """Wait until the client has sent more than `count` messages; False: it has not after `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._count > count, seconds)

    def open(self, loop: "AbstractEventLoop", handle: Callable[[Any], object]) -> None:
        """Have the loop handle all messages from now on, those already queued first.

        The loop runs callbacks in the order they were scheduled, and a message is scheduled after the one
        before it was handled. So a task started for a message takes its first step before the next message.
        """

        def turn() -> None:
            message = self._take()
            if message is NOTHING:
                return
            try:
                handle(message)
            finally:  # also if it failed: otherwise no message would ever be handled again
                loop.call_soon(turn)

        with self._changed:
            self._wake = lambda: loop.call_soon_threadsafe(turn)
            self._asleep = True
            self._awaken()

    def _append(self, entry: _Entry) -> None:
        self._waiting.append(entry)
        self._weight += entry.weight
        if entry.msg_id is not None:
            self._requests[entry.msg_id] = entry

    def _awaken(self) -> None:
        """Schedule a turn, if none is scheduled."""
        if self._asleep and self._wake is not None:
            self._asleep = False
            with suppress(RuntimeError):  # the loop is closed: the process is ending
                self._wake()

    def _take(self) -> Any:
        """Take the next message out of the queue; `NOTHING` if it is empty."""
        with self._changed:
            if self._urgent:
                return self._urgent.popleft()
            # A message counts until the next one is taken: while it is handled, it needs its memory.
            self._weight -= self._taken
            self._taken = 0
            self._changed.notify_all()
            while self._waiting:
                entry = self._waiting.popleft()
                self._taken += entry.weight
                # Clients may reuse an id: then this one belongs to a later request.
                if entry.msg_id is not None and self._requests.get(entry.msg_id) is entry:
                    del self._requests[entry.msg_id]
                if not entry.cancelled:
                    return entry.message
                if self.notifies_later and not self._requests:
                    return CancelledEarly(entry.message)
            # Under the lock that `put` takes, so that no message is left without a turn.
            self._asleep = True
            return NOTHING


def _id_of(message: Any) -> MessageId | None:
    """Return the id of a request, or the one in the params of a cancel."""
    return message_id(message.get("id")) if isinstance(message, dict) else None
