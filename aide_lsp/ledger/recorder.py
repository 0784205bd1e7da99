"""Records completions in the ledger without delaying them.

A thread of its own writes, a moment later and several at a time. If it cannot keep up, entries are dropped.
If the file cannot be written, that is reported once, and every later completion tries again, so recording
resumes when the cause is gone.
"""

import logging
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

from attrs import frozen

from aide_lsp.errors import LedgerError
from aide_lsp.ledger.entry import GeneratedEvent, entry_of, provenance_of

if TYPE_CHECKING:
    from aide_lsp.completion.model import ModelInfo
    from aide_lsp.completion.request import Completion, CompletionRequest
    from aide_lsp.ledger.file import LedgerFile

log = logging.getLogger("aide.ledger")
WAITING = 64
"""Maximum number of entries waiting to be written; each keeps its text in memory."""
EARLY = 16
"""Most events that are kept until their completion is recorded."""
PAUSE_SECONDS = 0.2
"""Delay before writing, so that the answer is sent first."""


@frozen
class ShownEvent:
    """A completion was sent to an editor."""

    completion_id: str
    "The completion's id."


@frozen
class AcceptedEvent:
    """The user accepted a completion."""

    completion_id: str
    "The completion's id."
    time: float
    "Seconds since 1970."


class LedgerRecorder:
    """Records completions and what became of them. Thread-safe; its methods do not block."""

    def __init__(self, path: Callable[[], Path], *, logs: bool = True) -> None:
        """Record in a file; `logs`: log why it cannot be written, which is otherwise in `problem` only."""
        self._path, self._logs = path, logs
        self._queue: Queue[GeneratedEvent | ShownEvent | AcceptedEvent | Event] = Queue(WAITING)
        self._hurry, self._starting = Event(), Lock()
        self._thread: Thread | None = None
        self.problem: str | None = None
        """Why the latest completions were not recorded; None: they were."""
        self.dropped = 0
        """Entries that were dropped because too many were waiting, or because they could not be written."""
        self._reported: set[str] = set()
        # First lines may be accepted before the rest is generated.
        self._early: deque[ShownEvent | AcceptedEvent] = deque(maxlen=EARLY)

    def record(
        self, mode: str, request: "CompletionRequest", completion: "Completion", model: "ModelInfo"
    ) -> None:
        """Record a completion; those from the completion cache are already recorded."""
        if mode == "off" or completion.from_cache:
            return
        self._start()
        self._put(GeneratedEvent(request, completion, provenance_of(model), time.time(), mode))

    def shown(self, completion_id: str) -> None:
        """Record that a completion was sent to an editor."""
        self._put(ShownEvent(completion_id))

    def accepted(self, completion_id: str) -> None:
        """Record that the user accepted a completion."""
        self._put(AcceptedEvent(completion_id, time.time()))

    def flush(self, seconds: float) -> None:
        """Wait until everything is written, at most `seconds`."""
        if self._thread is None:
            return
        done = Event()
        self._hurry.set()
        try:
            self._queue.put(done, timeout=seconds)
        except Full:
            return
        done.wait(seconds)

    def report(self, mode: str) -> dict[str, Any]:
        """Return the state of recording as JSON."""
        return {"mode": mode, "problem": self.problem, "dropped": self.dropped}

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                thread = Thread(target=self._run, name="aide-ledger", daemon=True)
                try:
                    thread.start()
                except RuntimeError as error:  # no memory for a thread
                    self._failed(f"The ledger cannot be written: {error}.", 1)
                    return
                # Only now: if it could not start, the next completion tries again.
                self._thread = thread

    def _put(self, what: GeneratedEvent | ShownEvent | AcceptedEvent) -> None:
        """Queue an event. Without a thread, nothing was recorded yet."""
        if self._thread is None:
            if not isinstance(what, GeneratedEvent):
                self._early.append(what)
            return
        try:
            self._queue.put_nowait(what)
        except Full:
            self.dropped += 1

    def _run(self) -> None:
        while True:
            waiting = [self._queue.get()]
            # `flush` ends the pause early.
            self._hurry.wait(PAUSE_SECONDS)
            try:
                while True:
                    waiting.append(self._queue.get_nowait())
            except Empty:
                pass
            self._write([one for one in waiting if not isinstance(one, Event)])
            for one in waiting:
                if isinstance(one, Event):
                    self._hurry.clear()
                    one.set()
            del waiting, one  # they keep texts in memory, and the next may take long

    def _write(self, batch: list[GeneratedEvent | ShownEvent | AcceptedEvent]) -> None:
        if not batch:
            return
        try:
            self._write_all(batch)
        except LedgerError as error:
            self._failed(str(error), len(batch))
        # Whatever it is, completions continue. Only its type is reported: the message may hold source text.
        except BaseException as error:
            self._failed(f"The ledger failed ({type(error).__name__}).", len(batch))
        else:
            if self.problem is not None:
                self.problem = None
                log.info("The ledger can be written again.")

    def _write_all(self, batch: list[GeneratedEvent | ShownEvent | AcceptedEvent]) -> None:
        from aide_lsp.ledger.file import opened

        with opened(self._path()) as ledger:
            for one in batch:
                self._keep(ledger, one)
            ledger.trim()

    def _keep(self, ledger: "LedgerFile", one: GeneratedEvent | ShownEvent | AcceptedEvent) -> None:
        if not isinstance(one, GeneratedEvent):
            if not _mark(ledger, one):
                self._early.append(one)
            return
        ledger.add(entry_of(one, ledger.salt))
        for mark in [mark for mark in self._early if mark.completion_id == one.completion.id]:
            self._early.remove(mark)
            _mark(ledger, mark)

    def _failed(self, problem: str, count: int) -> None:
        self.problem = problem
        self.dropped += count
        # Otherwise every completion would log the same line.
        if self._logs and problem not in self._reported:
            self._reported.add(problem)
            log.warning("%s Completions are not recorded until this is resolved.", problem)


def _mark(ledger: "LedgerFile", one: ShownEvent | AcceptedEvent) -> bool:
    if isinstance(one, ShownEvent):
        return ledger.mark_shown(one.completion_id)
    return ledger.mark_accepted(one.completion_id, one.time)
