"""Uses idle time: prefills the text at a new cursor, and generates the completion after the one being shown.

This only makes the next answer come sooner: prefilled text is in the KV cache, a completion in the completion
cache. It starts after a pause, only while nothing else is in flight, and ends with the next request that it
does not serve.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from attrs import evolve

from aide_lsp.lsp.requests.in_flight import InFlight, InFlightRequests
from aide_lsp.lsp.requests.model_host import ModelHost
from aide_lsp.lsp.requests.snapshot import Snapshot
from aide_lsp.settings.fields import new_seed

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer
    from aide_lsp.completion.request import Completion
    from aide_lsp.ledger.recorder import LedgerRecorder

CURSOR_SECONDS = 0.05
"""The cursor often moves on at once."""
SHOWN_SECONDS = 0.3
"""Users who type on mostly do so sooner; users who read the completion take longer."""
_Job = Callable[["Completer", InFlight], object]


class Prefetcher:
    """Plans and starts such work. For the event loop's thread."""

    def __init__(self, in_flight: InFlightRequests, host: ModelHost, recorder: "LedgerRecorder") -> None:
        self._in_flight, self._host, self._recorder = in_flight, host, recorder
        self._planned: asyncio.TimerHandle | None = None
        self._cursor: Snapshot | None = None  # where the text is to be prefilled
        self._running = set[asyncio.Task[None]]()

    def interrupt(self) -> None:
        """Drop the plan: the user continues."""
        self._cursor = None
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None

    def at_cursor(self, snapshot: Snapshot) -> None:
        """Prefill the text around a cursor, after a pause; if the model is not loaded yet, then."""
        # At once: a prompt that is being prefilled for another place takes seconds.
        self._in_flight.move(snapshot)
        self._plan_cursor(snapshot)

    def loaded(self) -> None:
        """Prefill where the cursor is: the model was not loaded when it went there."""
        if self._cursor is not None:
            self._plan_cursor(self._cursor)

    def after(self, snapshot: Snapshot, completion: "Completion") -> None:
        """Complete the text as it will be if the completion is accepted, after a pause."""
        request = snapshot.request.with_options(drawn_seed=new_seed())
        accepted = request.text[: request.offset] + completion.text
        request = evolve(request, text=accepted + request.text[request.offset :], offset=len(accepted))
        self._plan(SHOWN_SECONDS, evolve(snapshot, request=request, count=1), self._complete)

    def _plan_cursor(self, snapshot: Snapshot) -> None:
        self._plan(CURSOR_SECONDS, snapshot, _prefill)
        self._cursor = snapshot

    def _plan(self, seconds: float, snapshot: Snapshot, job: _Job) -> None:
        self.interrupt()
        if snapshot.settings.work_ahead:
            self._planned = asyncio.get_running_loop().call_later(seconds, self._begin, snapshot, job)

    def _begin(self, snapshot: Snapshot, job: _Job) -> None:
        self._planned = None
        if self._host.completer is None:
            return
        if self._in_flight:
            # The model is busy. Only a cursor stays where it is: what would be next is known too late then.
            if snapshot is self._cursor:
                self._plan_cursor(snapshot)
            return
        self._cursor = None
        in_flight = InFlight(snapshot)
        self._in_flight.begin(in_flight)
        task = asyncio.get_running_loop().create_task(self._run(in_flight, job))
        # The event loop keeps only weak references to tasks.
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, in_flight: InFlight, job: _Job) -> None:
        # What fails here fails again when it is requested, and is reported then.
        with suppress(Exception):
            await self._host.run(lambda completer: job(completer, in_flight), in_flight.token, 0.0)
        self._in_flight.end(in_flight)

    def _complete(self, completer: "Completer", in_flight: InFlight) -> None:
        request = in_flight.snapshot.request
        completion = completer.complete(request, in_flight.token, in_flight)
        self._recorder.record(in_flight.snapshot.settings.ledger, request, completion, completer.info)


def _prefill(completer: "Completer", in_flight: InFlight) -> None:
    completer.prefill(in_flight.snapshot.request, in_flight.token)
