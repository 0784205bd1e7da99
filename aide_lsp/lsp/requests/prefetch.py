"""Uses idle time: prefills the text at a new cursor, and generates what the next key may ask for.

While a completion is being shown, that is the next candidate, then the completion after it is accepted, then
the other candidates. This only makes the next answer come sooner: prefilled text is in the KV cache, a
completion in the completion cache or in its list of candidates. It starts only while nothing else is in
flight, for a moved cursor at once and else after a pause, and ends with the next request that it does not
serve. A server on another machine does nothing ahead.

At the end of a line, the excerpts of other files are those of the next line: Enter may be the next key, and
the prompt begins with them. While the user types in a line, the prompt with those of the next line is
prefilled in a slot of its own, in the pauses between keys.
"""

import asyncio
import re
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from attrs import evolve, field, frozen

from aide_lsp.lsp.model.model_host import ModelHost
from aide_lsp.lsp.requests.candidate_lists import CandidateList, CandidateLists
from aide_lsp.lsp.requests.in_flight import InFlight, InFlightRequests
from aide_lsp.lsp.requests.model_work import ModelWork
from aide_lsp.lsp.requests.snapshot import Snapshot
from aide_lsp.lsp.workspace.documents import Place
from aide_lsp.server_address import server_address
from aide_lsp.settings.fields import Settings, new_seed

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer
    from aide_lsp.completion.request import Completion, CompletionRequest

BUSY_SECONDS = 0.05
"""How long a cursor waits before it is seen again whether the model is free for it."""
LINE_SECONDS = 0.15
"""Users who type on mostly do so sooner."""
SHOWN_SECONDS = 0.3
"""Users who type on mostly do so sooner; users who read the completion take longer."""
LINE_END = re.compile(r"[\r\n]")


@frozen
class _Step:
    """One thing to generate ahead."""

    in_flight: InFlight
    work: Callable[["Completer", "CompletionRequest", InFlight], Any]
    "On the worker."
    done: Callable[[Any], object] = field(default=lambda result: None)
    "Takes the result."
    next_line: bool = False
    "With the excerpts of other files that the line after the cursor's wants, if the cursor is at its end."


@frozen
class _Ahead:
    """A candidate being generated ahead."""

    candidates: CandidateList
    in_flight: InFlight
    task: "asyncio.Task[None]"


class Prefetcher:
    """Plans and starts such work. For the event loop's thread."""

    def __init__(
        self, in_flight: InFlightRequests, host: ModelHost, lists: CandidateLists, work: ModelWork
    ) -> None:
        self._in_flight, self._host, self._lists, self._work = in_flight, host, lists, work
        self._planned: asyncio.TimerHandle | None = None
        self._uri = ""  # of the document that the last plan was for
        self._cursor: Snapshot | None = None  # where the text is to be prefilled
        self._at: tuple[str, Place] | None = None  # where the user is: a document, and the cursor in it
        self._is_exact = False  # the user went to this very place in its line
        self._running = set[asyncio.Task[None]]()
        self._ahead: _Ahead | None = None

    @property
    def is_planned(self) -> bool:
        """Whether something begins after a pause."""
        return self._planned is not None

    def interrupt(self) -> None:
        """Drop the plan: the user continues."""
        self._cursor = None
        if self._planned is not None:
            self._planned.cancel()
            self._planned = None

    def leave(self, uri: str) -> None:
        """Drop the plan if it is for a document in which nothing is offered anymore, or which was closed."""
        if uri == self._uri:
            self.interrupt()

    def at_cursor(self, snapshot: Snapshot, *, exact: bool = False) -> None:
        """Prefill for a cursor that was moved, at once; if the model is not loaded yet, then.

        `exact`: the user pointed at this very place.
        """
        exact = exact or self._is_exact_in_line(snapshot)
        self.asked(snapshot)
        self._is_exact = exact
        end, place = (_moved(snapshot, exact=one) for one in (False, exact))
        # A prompt that is being prefilled for another line takes seconds.
        self._in_flight.move(place, end)
        self._plan_cursor(place)

    def asked(self, snapshot: Snapshot) -> None:
        """Note where the user is."""
        self._at, self._is_exact = (snapshot.uri, snapshot.place), False

    def _is_exact_in_line(self, snapshot: Snapshot) -> bool:
        """Whether the cursor was at another place of its line until now; of the same place, what it was."""
        uri, place = self._at or ("", snapshot.place)
        is_same_line = uri == snapshot.uri and place.line == snapshot.place.line
        return is_same_line and (self._is_exact or place != snapshot.place)

    def loaded(self) -> None:
        """Prefill where the cursor is: the model was not loaded when it went there."""
        if self._cursor is not None:
            self._plan_cursor(self._cursor)

    def after(self, snapshot: Snapshot, completion: "Completion", *, others: bool) -> None:
        """Generate what may be asked for after a completion was shown; `others`: also its next candidates."""
        candidates = self._lists.of(snapshot, completion) if others else None

        def then(seconds: float = SHOWN_SECONDS) -> None:
            self._plan(seconds, snapshot, lambda: self._after(snapshot, completion, candidates))

        if not self._reads_files(snapshot):
            then()
        else:
            later = SHOWN_SECONDS - LINE_SECONDS
            self._plan(LINE_SECONDS, snapshot, lambda: self._next_line(snapshot, lambda: then(later)))

    def after_none(self, snapshot: Snapshot) -> None:
        """Prefill what the next line may ask for after there was no completion to show."""
        if self._reads_files(snapshot):
            self._plan(LINE_SECONDS, snapshot, lambda: self._next_line(snapshot))

    async def joined(self, candidates: CandidateList) -> bool:
        """Wait for the candidate that is being generated ahead; return False if there is none.

        From now on someone waits for it: it ends as a request does.
        """
        ahead = self._ahead
        if ahead is None or ahead.candidates is not candidates or ahead.in_flight.token.cancelled:
            return False
        waiting = ahead.in_flight.answer = asyncio.get_running_loop().create_future()
        ahead.task.add_done_callback(lambda _: None if waiting.done() else waiting.set_result(None))
        await waiting
        return True

    def _plan_cursor(self, snapshot: Snapshot, seconds: float = 0.0) -> None:
        self._plan(seconds, snapshot, lambda: self._prefill(snapshot))
        self._cursor = snapshot

    def _plan(
        self, seconds: float, snapshot: Snapshot, work: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        self.interrupt()
        self._uri = snapshot.uri
        if snapshot.settings.work_ahead and not self._costs_others(snapshot.settings):
            self._planned = asyncio.get_running_loop().call_later(seconds, self._begin, work)

    def _reads_files(self, snapshot: Snapshot) -> bool:
        """Whether the model may read excerpts of other files."""
        completer = self._host.completer
        if completer is None or snapshot.readable is None:
            return False
        return completer.info.context_share_of(snapshot.request.options) > 0

    def _costs_others(self, settings: Settings) -> bool:
        """Whether another machine would do the work: someone may pay for each token, or wait for it."""
        server, completer = server_address(settings.engine), self._host.completer
        if server is None or completer is None:
            return False
        # A server on this machine may pass requests on.
        return not server.is_loopback or completer.info.host != server.host

    def _begin(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._planned = None
        if self._host.completer is None:
            return
        if self._in_flight:
            # The model is busy. Only a cursor stays where it is: what would be next is known too late then.
            if self._cursor is not None:
                self._plan_cursor(self._cursor, BUSY_SECONDS)
            return
        self._cursor = None
        task = asyncio.get_running_loop().create_task(work())
        # The event loop keeps only weak references to tasks.
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _prefill(self, snapshot: Snapshot) -> None:
        # The prefill goes on while the user begins to type, and someone may wait for it: reading does not.
        if await self._run(_Step(InFlight(snapshot), _prefill, next_line=True)):
            await self._run(_Step(InFlight(snapshot, own_work=True), self._read_ahead))

    def _read_ahead(self, completer: "Completer", request: "CompletionRequest", in_flight: InFlight) -> None:
        self._work.read_ahead(completer, in_flight.snapshot, in_flight.token)

    async def _next_line(self, snapshot: Snapshot, then: Callable[[], None] = lambda: None) -> None:
        if await self._run(_Step(InFlight(snapshot, own_work=True), self._prefill_next)):
            then()

    def _prefill_next(
        self, completer: "Completer", request: "CompletionRequest", in_flight: InFlight
    ) -> None:
        # Choosing excerpts is not interrupted: a key that came meanwhile waits for one choice, not for two.
        in_flight.token.check()
        excerpts = self._work.prepare(completer, in_flight.snapshot, next_line=True).request.excerpts
        if excerpts != request.excerpts:
            completer.prefill_next(request, excerpts, in_flight.token)

    async def _after(
        self, snapshot: Snapshot, completion: "Completion", candidates: CandidateList | None
    ) -> None:
        going_on = candidates is None or candidates.is_complete or await self._candidate(candidates)
        going_on = going_on and await self._run(_Step(_accepted(snapshot, completion), self._complete))
        while going_on and candidates is not None and not candidates.is_complete:
            going_on = await self._candidate(candidates)

    async def _candidate(self, candidates: CandidateList) -> bool:
        request = candidates.next_request(deadline_ms=0)
        in_flight = InFlight(evolve(candidates.snapshot, request=request, count=1), own_work=True)
        task = asyncio.get_running_loop().create_task(self._run_candidate(candidates, in_flight))
        self._ahead = _Ahead(candidates, in_flight, task)
        await task
        self._ahead = None
        # Someone waits for it, so the user is here again.
        return in_flight.answer is None and not in_flight.token.cancelled and not self._in_flight

    async def _run_candidate(self, candidates: CandidateList, in_flight: InFlight) -> None:
        await self._run(_Step(in_flight, self._complete, candidates.add))

    async def _run(self, step: _Step) -> bool:
        """Do one thing; return whether it was done and the user is still idle."""
        in_flight = step.in_flight
        self._in_flight.begin(in_flight)
        # What fails here fails again when it is requested, and is reported then.
        with suppress(Exception):
            found = await self._host.run(
                lambda completer: step.work(
                    completer,
                    self._work.prepare(completer, in_flight.snapshot, next_line=step.next_line).request,
                    in_flight,
                ),
                in_flight.token,
                0.0,
            )
            step.done(found)
        self._in_flight.end(in_flight)
        return not in_flight.token.cancelled and not self._in_flight

    def _complete(
        self, completer: "Completer", request: "CompletionRequest", in_flight: InFlight
    ) -> "Completion":
        completion = completer.complete(request, in_flight.token, in_flight)
        self._work.record(completer, in_flight.snapshot, request, (completion,))
        return completion


def typing_offset(text: str, offset: int, *, exact: bool) -> int:
    """Return where in its line a cursor that was moved is likely to type; all offsets in code points.

    That is the end of the line: models read the text after the cursor first, and there it is the same for all
    that ends this line or begins the next one. Those who go to a place within the line (`exact`) type there,
    but not at its beginning: that is where going to a line leads.
    """
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    if exact and text[start:offset].strip():
        return offset
    found = LINE_END.search(text, offset)
    return found.start() if found else len(text)


def _moved(snapshot: Snapshot, *, exact: bool) -> Snapshot:
    request = snapshot.request
    offset = typing_offset(request.text, request.offset, exact=exact)
    return evolve(snapshot, request=evolve(request, offset=offset))


def _accepted(snapshot: Snapshot, completion: "Completion") -> InFlight:
    """Return the request for the text as it will be if a completion is accepted."""
    request = snapshot.request.with_options(drawn_seed=new_seed())
    accepted = request.text[: request.offset] + completion.text
    after = request.text[request.offset + completion.replaces :]
    request = evolve(request, text=accepted + after, offset=len(accepted))
    return InFlight(evolve(snapshot, request=request, count=1))


def _prefill(completer: "Completer", request: "CompletionRequest", in_flight: InFlight) -> None:
    completer.prefill(request, in_flight.token)
