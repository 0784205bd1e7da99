"""The queue of one client session: its requests run one after the other, and newer ones end older ones.

Within a session nothing is gained by running two at once: there is one forward at a time.
"""

from threading import Event, Lock
from time import monotonic

from attrs import define, field

from aide_lsp.errors import BusyError
from aide_lsp.inference.cancel import CancelToken

LONGEST = 16
"""Requests of one session that run or wait."""


@define(eq=False)
class Queued:
    """One request in the queue."""

    document: str
    "Any name of the document that it is for; empty: of none."
    ahead: bool
    "Whether no one waits for its result."
    cancel: CancelToken
    "Ends it."
    is_first: Event = field(factory=Event)
    "Set when it may run, and when it is to look again."


class RequestQueue:
    """The requests of one client session. Thread-safe."""

    def __init__(self) -> None:
        self._lock, self._queue = Lock(), list[Queued]()

    def __len__(self) -> int:
        return len(self._queue)

    def join(self, document: str, cancel: CancelToken, *, ahead: bool = False) -> Queued:
        """Take the last place, and end what the new request makes needless.

        A request ends older ones for the same document, and work ahead.

        Raises:
            BusyError: the queue is too long.
        """
        queued = Queued(document, ahead, cancel)
        with self._lock:
            needless = [] if ahead else [one for one in self._queue if one.ahead or _same(one, queued)]
            if len(self._queue) - len(needless) >= LONGEST:
                raise BusyError(f"{LONGEST} requests of this client are waiting already.")
            self._queue.append(queued)
            self._queue[0].is_first.set()
        for one in needless:
            one.cancel.cancel()
        return queued

    def wait(self, queued: Queued, deadline: float | None) -> None:
        """Wait until a request may run.

        Raises:
            Cancelled: no one waits for its result anymore.
            TimeoutError: the deadline, a time of `time.monotonic`, has passed.
        """
        # It also wakes up when it is canceled.
        with queued.cancel.watch(queued.is_first.set):
            while self._queue[0] is not queued:
                left = None if deadline is None else deadline - monotonic()
                if left is not None and left <= 0:
                    raise TimeoutError
                queued.is_first.wait(left)
                with self._lock:
                    if self._queue[0] is not queued:
                        queued.is_first.clear()
                # After that, so that a cancel that was cleared is noticed.
                queued.cancel.check()

    def leave(self, queued: Queued) -> None:
        """Give a place up; the next request may run. Does nothing when it has been given up."""
        with self._lock:
            if queued in self._queue:
                self._queue.remove(queued)
            if self._queue:
                self._queue[0].is_first.set()


def _same(left: Queued, right: Queued) -> bool:
    return bool(left.document) and left.document == right.document
