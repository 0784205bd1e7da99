"""Writes the ledger beside the completions, never in their way.

In: completions as they are made, and what became of them. Out: nothing; a thread of its own writes, a moment
later and several together. Where it cannot keep up, entries are dropped. Where the file cannot be written,
that is reported once; each later completion tries again, so recording resumes when the cause is gone. It does
not know what is in the file.
"""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from queue import Empty, Full, Queue
from threading import Event, Lock, Thread
from typing import TYPE_CHECKING, Any

from attrs import frozen

from aide_lsp.errors import LedgerError
from aide_lsp.ledger.entry import Made, entry_of, maker_of

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer, Completion, CompletionRequest
    from aide_lsp.ledger.file import LedgerFile

log = logging.getLogger("aide.ledger")
WAITING = 64
"""Entries that may wait for being written; each holds on to its text."""
PAUSE_SECONDS = 0.2
"""Let the answer go out first."""


@frozen
class Shown:
    """An editor was given a completion."""

    completion_id: str
    "Which."


@frozen
class Accepted:
    """The user took a completion."""

    completion_id: str
    "Which."
    time: float
    "Seconds since 1970."


class Recorder:
    """Takes what is to be kept, from any thread, and returns at once."""

    def __init__(self, path: Callable[[], Path]) -> None:
        self._path = path
        self._queue: Queue[Made | Shown | Accepted | Event] = Queue(WAITING)
        self._hurry, self._starting = Event(), Lock()
        self._thread: Thread | None = None
        self.problem: str | None = None
        """Why the last ones were not kept; None: nothing is wrong."""
        self.dropped = 0
        """Entries that found no room among the waiting ones, or could not be written."""
        self._reported: set[str] = set()

    def record(
        self, mode: str, request: "CompletionRequest", completion: "Completion", completer: "Completer"
    ) -> None:
        """Keep a completion that was made; those from the completion cache have been kept already."""
        if mode == "off" or completion.from_cache:
            return
        self._start()
        self._put(Made(request, completion, maker_of(completer), time.time(), mode))

    def shown(self, completion_id: str) -> None:
        """Note that an editor was given a completion."""
        self._put(Shown(completion_id))

    def accepted(self, completion_id: str) -> None:
        """Note that the user took a completion."""
        self._put(Accepted(completion_id, time.time()))

    def flush(self, seconds: float) -> None:
        """Wait until all is written, but not longer than that."""
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
        """Say how it stands, as JSON."""
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
                self._thread = thread

    def _put(self, what: Made | Shown | Accepted) -> None:
        """Queue it. Without a thread nothing was kept yet, so there is nothing to mark."""
        if self._thread is None:
            return
        try:
            self._queue.put_nowait(what)
        except Full:
            self.dropped += 1

    def _run(self) -> None:
        while True:
            waiting = [self._queue.get()]
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
            del waiting, one  # they hold texts; the next may be long in coming

    def _write(self, batch: list[Made | Shown | Accepted]) -> None:
        if not batch:
            return
        try:
            self._write_all(batch)
        except LedgerError as error:
            self._failed(str(error), len(batch))
        except BaseException as error:  # whatever it is, completions go on; its text may hold the user's
            self._failed(f"The ledger failed ({type(error).__name__}).", len(batch))
        else:
            if self.problem is not None:
                self.problem = None
                log.info("The ledger is written again.")

    def _write_all(self, batch: list[Made | Shown | Accepted]) -> None:
        from aide_lsp.ledger.file import opened

        with opened(self._path()) as ledger:
            for one in batch:
                _keep(ledger, one)
            ledger.trim()

    def _failed(self, problem: str, count: int) -> None:
        self.problem = problem
        self.dropped += count
        if problem not in self._reported:
            self._reported.add(problem)
            log.warning("%s Completions are not recorded until that is solved.", problem)


def _keep(ledger: "LedgerFile", one: Made | Shown | Accepted) -> None:
    if isinstance(one, Made):
        ledger.add(entry_of(one, ledger.salt))
    elif isinstance(one, Shown):
        ledger.mark_shown(one.completion_id)
    else:
        ledger.mark_accepted(one.completion_id, one.time)
