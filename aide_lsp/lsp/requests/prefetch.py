"""Uses idle time: reads the text at a new cursor, and makes the completion behind the one that is shown.

In: where the cursor went; what was shown. Out: nothing, but the next answer comes sooner: what was read is in
the KV cache, what was made in the completion cache. It begins a moment later and only while nothing else is
under way, and it ends with the next request that it does not serve. It does not know the protocol.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from attrs import evolve

from aide_lsp.lsp.requests.in_flight import Flight, Flights
from aide_lsp.lsp.requests.model_host import ModelHost
from aide_lsp.lsp.requests.snapshot import Asked, request_of
from aide_lsp.settings.fields import new_seed

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer, Completion
    from aide_lsp.ledger.recorder import Recorder

CURSOR_SECONDS = 0.05
"""The cursor often goes on at once."""
SHOWN_SECONDS = 0.3
"""Who types on does so within it, mostly; who reads what is shown takes longer."""
_Job = Callable[["Completer", Asked, Flight], object]


class Ahead:
    """Plans and begins such work. All methods belong to the event loop's thread."""

    def __init__(self, flights: Flights, host: ModelHost, recorder: "Recorder") -> None:
        self._flights, self._host, self._recorder = flights, host, recorder
        self._running: set[asyncio.Future[object]] = set()
        self._planned: asyncio.TimerHandle | None = None

    def interrupt(self) -> None:
        """Begin nothing: the user goes on."""
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None

    def at_cursor(self, asked: Asked) -> None:
        """Read the text around a cursor, in a moment."""
        self._plan(
            CURSOR_SECONDS,
            asked,
            lambda completer, asked, flight: completer.read(request_of(asked), flight.token),
        )

    def behind(self, asked: Asked, completion: "Completion") -> None:
        """Complete the text as it will be if what is shown is accepted, in a moment."""
        accepted = asked.text[: asked.offset] + completion.text
        text = accepted + asked.text[asked.offset :]
        asked = evolve(asked, text=text, offset=len(accepted), count=1, drawn_seed=new_seed())
        self._plan(SHOWN_SECONDS, asked, self._complete)

    def _plan(self, seconds: float, asked: Asked, job: _Job) -> None:
        self.interrupt()
        if asked.settings.work_ahead:
            self._planned = asyncio.get_running_loop().call_later(seconds, self._begin, asked, job)

    def _begin(self, asked: Asked, job: _Job) -> None:
        self._planned = None
        if self._host.completer is None or self._flights:
            return
        flight = Flight(asked, own_job=False)
        flight.is_waited_for = False
        self._flights.begin(flight)
        running = asyncio.ensure_future(
            self._host.run(lambda completer: job(completer, asked, flight), flight.token, 0.0)
        )
        running.add_done_callback(lambda done: self._ended(flight, done))
        self._running.add(running)

    def _ended(self, flight: Flight, done: "asyncio.Future[object]") -> None:
        # What goes wrong here goes wrong again when it is asked for, and is reported then.
        if not done.cancelled():
            done.exception()
        self._running.discard(done)
        self._flights.end(flight)

    def _complete(self, completer: "Completer", asked: Asked, flight: Flight) -> None:
        request = request_of(asked)
        completion = completer.complete(request, flight.token, flight)
        self._recorder.record(asked.settings.ledger, request, completion, completer)
