"""Answers requests: from a place in a document to completions, or the reason why there are none.

Of two requests for one document, the older one gets an empty answer at once. An answer to a text that has
changed since is withheld. A completion being generated keeps running while it may still be used: as long as
the user types what it predicts (`in_flight.py`), and after a cancel if the client can be notified later.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeVar

from aide_lsp.application.excerpts import Prepared
from aide_lsp.errors import DeclinedError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.lsp.model.model_host import ModelHost
from aide_lsp.lsp.requests.answer import Answer, Completions, HasCompletion, NoCompletion, failure
from aide_lsp.lsp.requests.candidate_lists import CandidateLists
from aide_lsp.lsp.requests.in_flight import InFlight, InFlightRequests
from aide_lsp.lsp.requests.model_work import ModelWork
from aide_lsp.lsp.requests.notifications import Notifier, WaitingPlace
from aide_lsp.lsp.requests.prefetch import Prefetcher
from aide_lsp.lsp.requests.screen import Screen
from aide_lsp.lsp.requests.shown import Shown
from aide_lsp.lsp.requests.snapshot import Snapshot, SnapshotTaker
from aide_lsp.lsp.requests.status import Status
from aide_lsp.lsp.rpc.protocol import current_request
from aide_lsp.lsp.workspace.client_settings import Configuration
from aide_lsp.lsp.workspace.documents import Document, DocumentStore, Place
from aide_lsp.lsp.workspace.notebooks import Around, Notebooks
from aide_lsp.reasons import NoCompletionReason

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer
    from aide_lsp.ledger.recorder import LedgerRecorder

REST_SECONDS = 0.15
"""How long the first lines of a completion are visible before the rest."""
T = TypeVar("T", bound=HasCompletion)
Work = Callable[["Completer", Prepared, CancelToken], T]
"""What the worker does for a request other than completing it, on its thread."""
Given = Callable[[Snapshot, T | NoCompletion], None]
"""Called with a request and its answer, in the same step in which the client is given it."""
_SUPERSEDED = NoCompletion.because(NoCompletionReason.SUPERSEDED)


class Scheduler:
    """Answers requests. For the event loop's thread.

    `snapshot` and the part of `complete` and `run` before their first suspension run in the same step of the
    handler, before the next message is handled.
    """

    def __init__(
        self,
        documents: DocumentStore,
        notebooks: Notebooks,
        configuration: Configuration,
        host: ModelHost,
        status: Status,
        screen: Screen,
        recorder: "LedgerRecorder",
        notifier: Notifier,
        loading_seconds: float,
    ) -> None:
        self._documents, self._notebooks = documents, notebooks
        self._host, self._status, self._loading_seconds = host, status, loading_seconds
        self._screen, self._notifier = screen, notifier
        self._in_flight = InFlightRequests()
        self._snapshots = SnapshotTaker(documents, notebooks, configuration)
        self.work = ModelWork(recorder)
        lists = CandidateLists()
        self.prefetcher = Prefetcher(self._in_flight, host, lists, self.work)
        self.shown = Shown(screen, lists, self.prefetcher, recorder, notifier)
        self._tasks = set[asyncio.Task[None]]()
        self._waiting = WaitingPlace(documents, notifier)

    # -- answers

    def snapshot(self, uri: str, place: Place) -> Snapshot | NoCompletion:
        """Take the snapshot for the request being handled, before the next message changes the document."""
        if self._status.paused:
            return NoCompletion.because(NoCompletionReason.PAUSED, self._status.snoozed)
        return self._snapshots.take(uri, place, current_request.get())

    def declined(self, uri: str, place: Place, reason: NoCompletion) -> None:
        """Note that the request being handled has no snapshot."""
        self._waiting.note(reason.reason, self._documents.get(uri), place)
        self._screen.enter(uri)
        self._screen.show_nothing(uri, reason)
        self._status.declined(current_request.get(), reason)

    async def complete(self, snapshot: Snapshot) -> Answer:
        """Complete the text at the cursor; what the client is given is on the screen then."""
        self._screen.asked(snapshot)
        self.prefetcher.asked(snapshot)
        self._waiting.forget()
        in_flight = self._begin(snapshot)
        # With a seed set, what is shown is always all that the seed gives.
        seed = snapshot.request.options.parameters.seed
        if self._notifier.first_lines and snapshot.count == 1 and seed is None and not snapshot.fresh:
            loop = asyncio.get_running_loop()
            in_flight.take_lines(lambda: loop.call_soon_threadsafe(self._give_lines, snapshot.uri))
            # Once it is awaited: a cancel may have come first.
            loop.call_soon(self._give_lines, snapshot.uri)
        # VS Code gives up on automatic requests after 750 ms; a cancel of one for several is meant.
        return await self._wait(
            in_flight, self._complete(in_flight), announced=snapshot.count == 1, given=self.shown.given
        )

    async def run(self, snapshot: Snapshot, work: Work[T], *, aside: bool = False) -> T | NoCompletion:
        """Have the worker do something else at the cursor; it serves no other request.

        What is on the screen stays. `aside`: so does what others wait for, and their next request ends it.
        """
        in_flight = self._begin(snapshot, own_work=True, aside=aside)
        running = self._on_model(
            in_flight, lambda completer, prepared: work(completer, prepared, in_flight.token)
        )
        return await self._wait(in_flight, running, announced=False)

    # -- for other ways to get a completion

    def is_current(self, snapshot: Snapshot) -> bool:
        """Whether a result for a snapshot can still be shown: nothing has happened to its document."""
        return self.is_unchanged(snapshot) and not self._in_flight.is_waited_for(snapshot.uri)

    def is_unchanged(self, snapshot: Snapshot) -> bool:
        """Whether the document of a snapshot is open, and has the same text."""
        is_open = self._documents.get(snapshot.uri) is snapshot.document
        return is_open and snapshot.document.revision == snapshot.revision

    async def waited_for(self, snapshot: Snapshot) -> Answer | None:
        """Wait for the completion that a client already waits for at a place; None: there is none."""
        in_flight = self._in_flight.waited_for_at(snapshot)
        if in_flight is None or in_flight.answer is None:
            return None
        try:
            answer: Answer = await asyncio.shield(in_flight.answer)
        except asyncio.CancelledError:
            if not in_flight.answer.cancelled():
                raise
            return None
        return answer

    async def whole(self, uri: str) -> None:
        """Wait for all of a completion whose first lines are visible in a document."""
        while (in_flight := self._in_flight.with_lines_given(uri)) is not None:
            await in_flight.ended.wait()

    # -- what happens meanwhile

    def changed(self, document: Document) -> None:
        """End what no one waits for and cannot be used in the changed text."""
        self.prefetcher.interrupt()
        visible = self._screen.visible
        is_visible = visible is not None and visible.snapshot.uri == document.uri
        # First, since `text()` joins all lines.
        if is_visible or self._in_flight.has_unwaited(document.uri):
            around = self._notebooks.around(document) or Around()
            text = around.before + document.text() + around.after
            self._screen.edited(document.uri, text)
            self._in_flight.changed(document.uri, text)

    def cursor(self, uri: str, place: Place, *, exact: bool = False) -> None:
        """Prefill where nothing is requested yet; `exact`: the user pointed at this very place."""
        snapshot = self.snapshot(uri, place)
        self._screen.enter(uri, place)
        if isinstance(snapshot, NoCompletion):
            self._screen.clear()
        # Otherwise what is visible there is being continued already.
        elif self._screen.at(snapshot) is None:
            self._screen.clear()
            self.prefetcher.at_cursor(snapshot, exact=exact)

    def loaded(self) -> None:
        """Go on where the user waits for the model."""
        self.prefetcher.loaded()
        self.retry()

    def retry(self) -> None:
        """Notify the client whose last request came too early, if it can be answered now."""
        waiting = self._waiting.waiting
        if waiting is None or self._host.completer is None:
            return
        if not isinstance(self.snapshot(waiting.uri, waiting.place), NoCompletion):
            self._waiting.notify()

    def cancelled(self, request: int | str | None) -> None:
        """End all work for a request that the client canceled, even if it was answered already."""
        # A client that is notified also cancels what it still wants: VS Code does so after 750 ms.
        if request is not None and not self._notifier.enabled:
            self._in_flight.cancel(request)

    def supersede(self, uri: str) -> None:
        """End what is generated or planned for a document; give the request that waits an empty answer."""
        self.prefetcher.leave(uri)
        self._in_flight.drop(uri)
        self._answer_waiting(uri)

    def forget(self, uri: str) -> None:
        """Drop what belongs to a document that was closed."""
        self.shown.forget(uri)

    # -- one request

    def _begin(self, snapshot: Snapshot, *, own_work: bool = False, aside: bool = False) -> InFlight:
        self.prefetcher.interrupt()
        in_flight = InFlight(snapshot, asyncio.get_running_loop().create_future(), own_work=own_work)
        if aside:
            self._in_flight.begin_aside(in_flight)
        else:
            self._answer_waiting(snapshot.uri)
            self._in_flight.begin(in_flight)
        self._status.began()
        return in_flight

    def _answer_waiting(self, uri: str) -> None:
        self._in_flight.answer_waiting(uri, _SUPERSEDED)

    async def _wait(
        self,
        in_flight: InFlight,
        work: Coroutine[Any, Any, T],
        *,
        announced: bool,
        given: "Given[T] | None" = None,
    ) -> T | NoCompletion:
        """Wait for the answer, or for a newer request that replaces this one.

        The work runs in a separate task: it may continue after this request is answered early or canceled.

        Args:
            in_flight: the request.
            work: what produces the answer.
            announced: if the client cancels, continue; notify it when the answer is ready, if it wants that.
            given: called with an answer for which the client still waits.
        """
        waiting = in_flight.answer
        assert waiting is not None
        announced = announced and self._notifier.enabled
        task = asyncio.get_running_loop().create_task(self._finish(in_flight, work, announced, given))
        # The event loop keeps only weak references to tasks.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            answer: T | NoCompletion = await waiting
        except asyncio.CancelledError:
            self._screen.withdraw(in_flight.snapshot)
            if not announced:
                in_flight.token.cancel()
                self.cancelled(in_flight.snapshot.request_id)
            elif not waiting.cancelled():  # the cancel came with the answer
                self._announce(in_flight.snapshot, waiting.result())
            raise
        return answer

    async def _finish(
        self, in_flight: InFlight, work: Awaitable[T], announced: bool, given: "Given[T] | None"
    ) -> None:
        """Do the work, answer the request if it still waits, and note the outcome."""
        snapshot, waiting = in_flight.snapshot, in_flight.answer
        assert waiting is not None
        answer: T | NoCompletion
        try:
            answer = await work
        except Exception as error:  # whatever it is, the request must be answered
            answer = failure(error)
        if is_given := not waiting.done():
            waiting.set_result(answer)
        self._in_flight.end(in_flight)
        if isinstance(answer, NoCompletion):
            self._status.declined(snapshot.request_id, answer)
        else:
            self._status.completed(snapshot.request_id, answer.completion)
        self._status.ended()
        if is_given and given is not None:
            given(snapshot, answer)
        elif announced and isinstance(answer, NoCompletion | Completions):
            if in_flight.lines_given is not None:
                await self._announce_rest(snapshot, answer, in_flight.lines_given)
            elif waiting.cancelled():
                self._announce(snapshot, answer)

    async def _complete(self, in_flight: InFlight) -> Completions:
        snapshot = in_flight.snapshot
        kept = self.shown.kept.answer(snapshot)
        if kept is not None and (snapshot.count == 1 or kept.alone):
            self.shown.kept.given(snapshot)
            return Completions((kept.completion,))
        first = kept.completion if kept else None
        return await self._on_model(
            in_flight,
            lambda completer, prepared: self.work.complete(completer, prepared.request, in_flight, first),
        )

    async def _on_model(self, in_flight: InFlight, job: "Callable[[Completer, Prepared], T]") -> T:
        snapshot = in_flight.snapshot
        try:
            result = await self._host.run(
                lambda completer: job(completer, self.work.prepare(completer, snapshot)),
                in_flight.token,
                self._loading_seconds,
            )
        except DeclinedError as error:
            if in_flight.is_waited_for:
                self._waiting.note(error.reason, snapshot.document, snapshot.place)
            raise
        # Identity: one that was closed and opened again counts its revisions from the start.
        if self._documents.get(snapshot.uri) is not snapshot.document:
            raise NoCompletionReason.STALE.error("The document was closed in the meantime.")
        if snapshot.document.revision != snapshot.revision:
            raise NoCompletionReason.STALE.error("The text was changed in the meantime.")
        return result

    def _give_lines(self, uri: str) -> None:
        """Answer the newest request with first lines of what it asks for, or announce them after a cancel."""
        asking, lines = self._in_flight.lines_for(uri) or (None, None)
        if asking is None or lines is None or not self.is_unchanged(asking.snapshot):
            return
        asking.lines_given = monotonic()
        if asking.answer is not None and not asking.answer.done():
            asking.answer.set_result(Completions((lines,)))
            self.shown.given_lines(asking.snapshot, lines)
        else:
            self.shown.offer(asking.snapshot, lines)

    async def _announce_rest(self, snapshot: Snapshot, answer: Answer, given: float) -> None:
        """Notify a client that was given first lines of a completion that all of it is there."""
        visible, kept = self._screen.at(snapshot), self.shown.kept.answer(snapshot)
        # It may not have asked for them yet.
        first = visible or (kept.completion if kept else None)
        if isinstance(answer, NoCompletion) or not answer.completion.text:
            return
        if first is None or not self.is_unchanged(snapshot):
            return
        self.shown.has_all(snapshot, answer.completion)
        # VS Code has to have drawn the lines.
        await asyncio.sleep(given + REST_SECONDS - monotonic())
        while self.is_unchanged(snapshot) and self._in_flight.is_waited_for(snapshot.uri):
            await asyncio.sleep(REST_SECONDS)
        is_shown = visible is not None and self._screen.at(snapshot) is visible
        # Of two requests at one place, the newer one is announced.
        if is_shown and self.is_unchanged(snapshot) and not self._in_flight.with_lines_given(snapshot.uri):
            self._notifier.ready(snapshot.uri, snapshot.version, snapshot.place, more=True)

    def _announce(self, snapshot: Snapshot, answer: Answer) -> None:
        """Notify a client that stopped waiting that its answer is ready; an empty one only has a reason."""
        # Otherwise the answer to a newer request comes anyway.
        if not self.is_current(snapshot):
            return
        if isinstance(answer, Completions) and answer.completion.text:
            self.shown.offer(snapshot, answer.completion)
        elif snapshot is self._screen.awaited:
            if isinstance(answer, NoCompletion):
                self._waiting.note(answer.reason, snapshot.document, snapshot.place)
            self.shown.given(snapshot, answer)
