"""Answers requests: from a place in a document to completions, or the reason why there are none.

Of two requests for one document, the older one gets an empty answer at once. An answer to a text that has
changed since is withheld. A completion being generated keeps running while it may still be used: as long as
the user types what it predicts (`in_flight.py`), and after a cancel if the client can be notified later.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import evolve, frozen

from aide_lsp.application import ledger
from aide_lsp.errors import DeclinedError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.lsp.requests.answer import Answer, Completions, HasCompletion, NoCompletion, failure
from aide_lsp.lsp.requests.history import History
from aide_lsp.lsp.requests.in_flight import InFlight, InFlightRequests
from aide_lsp.lsp.requests.model_host import ModelHost
from aide_lsp.lsp.requests.notifications import Notifier
from aide_lsp.lsp.requests.prefetch import Prefetcher
from aide_lsp.lsp.requests.snapshot import Snapshot, take_snapshot
from aide_lsp.lsp.requests.status import Status
from aide_lsp.lsp.rpc.protocol import current_request
from aide_lsp.lsp.workspace.client_settings import Configuration
from aide_lsp.lsp.workspace.documents import Document, DocumentStore, Place
from aide_lsp.lsp.workspace.notebooks import Around, Notebooks
from aide_lsp.reasons import NoCompletionReason
from aide_lsp.settings.fields import Parameters
from aide_lsp.text_limits import LONGEST_TEXT

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer
    from aide_lsp.completion.request import Completion, CompletionRequest
    from aide_lsp.ledger.recorder import LedgerRecorder

T = TypeVar("T", bound=HasCompletion)
Work = Callable[["Completer", "CompletionRequest", CancelToken], T]
"""What the worker does for a request other than completing it, on its thread."""
_NO_MODEL = (
    NoCompletionReason.LOADING.code,
    NoCompletionReason.MISSING.code,
    NoCompletionReason.FAILED.code,
)
_SUPERSEDED = NoCompletion.because(NoCompletionReason.SUPERSEDED)


@frozen
class _Kept:
    """A completion kept for the next request at its place: from `aide.regenerate`, or announced."""

    snapshot: Snapshot
    "Where it is offered."
    completion: "Completion"
    alone: bool
    "The client was notified and asks for just this one: it is given without other candidates."


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
        recorder: "LedgerRecorder",
        notifier: Notifier,
        loading_seconds: float,
    ) -> None:
        self._documents, self._notebooks = documents, notebooks
        self._configuration, self._host = configuration, host
        self._status, self._loading_seconds = status, loading_seconds
        self._recorder, self._notifier = recorder, notifier
        self._in_flight = InFlightRequests()
        self._prefetcher = Prefetcher(self._in_flight, host, recorder)
        self._tasks = set[asyncio.Task[None]]()
        self._kept: dict[str, _Kept] = {}
        self._too_early: Snapshot | None = None
        self.history = History()

    # -- answers

    def snapshot(self, uri: str, place: Place) -> Snapshot | NoCompletion:
        """Take the snapshot for the request being handled, before the next message changes the document."""
        if self._status.paused:
            return NoCompletion.because(NoCompletionReason.PAUSED, self._status.snoozed())
        document = self._documents.get(uri)
        # The size is checked here too: copying such a text for each key would cost more than declining it.
        if self._documents.is_too_large(uri) or (document is not None and document.size > LONGEST_TEXT):
            return NoCompletion.because(NoCompletionReason.TOO_LARGE)
        if document is None:
            return NoCompletion.because(NoCompletionReason.UNKNOWN_DOCUMENT)
        resolved = self._configuration.resolve(uri)
        if resolved.off is not None:
            return NoCompletion.because(NoCompletionReason.OFF, resolved.off.sentence())
        around, file_uri = self._notebooks.around(document), self._notebooks.notebook_of(uri)
        if around is None:
            return NoCompletion.because(NoCompletionReason.TOO_LARGE)
        return take_snapshot(document, place, resolved.settings, current_request.get(), around, file_uri)

    def declined(self, reason: NoCompletion) -> None:
        """Note that the request being handled has no snapshot."""
        self._status.declined(current_request.get(), reason)

    async def complete(self, snapshot: Snapshot) -> Answer:
        """Complete the text at the cursor."""
        in_flight = self._begin(snapshot)
        # VS Code gives up on automatic requests after 750 ms; a cancel of one for several is meant.
        return await self._wait(in_flight, self._complete(in_flight), announced=snapshot.count == 1)

    async def run(self, snapshot: Snapshot, work: Work[T]) -> T | NoCompletion:
        """Have the worker do something else at the cursor; it serves no other request."""
        in_flight = self._begin(snapshot, own_work=True)
        running = self._on_model(
            in_flight, lambda completer: work(completer, snapshot.request, in_flight.token)
        )
        return await self._wait(in_flight, running, announced=False)

    async def regenerate(self, snapshot: Snapshot, parameters: Parameters) -> "Completion | NoCompletion":
        """Complete again with these parameters; keep the answer for the next request at this place."""
        self._kept.pop(snapshot.uri, None)
        again = evolve(
            snapshot,
            fresh=True,
            settings=evolve(snapshot.settings, parameters=parameters),
            request=snapshot.request.with_options(parameters=parameters),
        )
        answer = await self.complete(again)
        if isinstance(answer, NoCompletion):
            return answer
        # Editors show ghost text only in answer to a request of their own, which comes next.
        self._keep(snapshot, answer.completion)
        return answer.completion

    def previous(self, snapshot: Snapshot) -> "Completion | NoCompletion":
        """Return to the completion shown here before the last one; keep it for the next request."""
        self.supersede(snapshot.uri)
        completion = self.history.back(snapshot)
        if completion is None:
            return NoCompletion.because(NoCompletionReason.NO_PREVIOUS)
        self._keep(snapshot, completion)
        return completion

    # -- what happens meanwhile

    def changed(self, document: Document) -> None:
        """End what no one waits for and cannot be used in the changed text."""
        self._prefetcher.interrupt()
        # First, since `text()` joins all lines.
        if self._in_flight.has_unwaited(document.uri):
            around = self._notebooks.around(document) or Around()
            self._in_flight.changed(document.uri, around.before + document.text() + around.after)

    def cursor(self, uri: str, place: Place) -> None:
        """Prefill the text around a cursor where nothing is requested yet."""
        snapshot = self.snapshot(uri, place)
        if not isinstance(snapshot, NoCompletion):
            self._prefetcher.at_cursor(snapshot)

    def loaded(self) -> None:
        """Notify the client whose last request came before the model was loaded; prefill at its cursor."""
        self._prefetcher.loaded()
        snapshot, self._too_early = self._too_early, None
        if snapshot is not None:
            self._notifier.ready(snapshot.uri, snapshot.version, snapshot.place)

    def cancelled(self, request: int | str | None) -> None:
        """End all work for a request that the client cancelled, even if it was answered already."""
        # A client that is notified also cancels what it still wants: VS Code does so after 750 ms.
        if request is not None and not self._notifier.enabled:
            self._in_flight.cancel(request)

    def supersede(self, uri: str) -> None:
        """End what is generated for a document; give the request that waits for it an empty answer."""
        self._in_flight.drop(uri)
        self._answer_waiting(uri)

    def forget(self, uri: str) -> None:
        """Drop what belongs to a document that was closed."""
        self._kept.pop(uri, None)
        self.history.forget(uri)

    # -- one request

    def _begin(self, snapshot: Snapshot, *, own_work: bool = False) -> InFlight:
        self._prefetcher.interrupt()
        self._answer_waiting(snapshot.uri)
        in_flight = InFlight(snapshot, asyncio.get_running_loop().create_future(), own_work=own_work)
        self._in_flight.begin(in_flight)
        self._status.began()
        return in_flight

    def _answer_waiting(self, uri: str) -> None:
        self._in_flight.answer_waiting(uri, _SUPERSEDED)

    async def _wait(
        self, in_flight: InFlight, work: Coroutine[Any, Any, T], *, announced: bool
    ) -> T | NoCompletion:
        """Wait for the answer, or for a newer request that replaces this one.

        The work runs in a separate task: it may continue after this request is answered early or cancelled.

        Args:
            in_flight: the request.
            work: what produces the answer.
            announced: if the client cancels, continue; notify it when the answer is ready, if it wants that.
        """
        waiting = in_flight.answer
        assert waiting is not None
        announced = announced and self._notifier.enabled
        task = asyncio.get_running_loop().create_task(self._finish(in_flight, work, announced))
        # The event loop keeps only weak references to tasks.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            answer: T | NoCompletion = await waiting
        except asyncio.CancelledError:
            if not announced:
                in_flight.token.cancel()
                self.cancelled(in_flight.snapshot.request_id)
            elif not waiting.cancelled():  # the cancel came with the answer
                self._announce(in_flight.snapshot, waiting.result())
            raise
        return answer

    async def _finish(self, in_flight: InFlight, work: Awaitable[T], announced: bool) -> None:
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
        if isinstance(answer, Completions):
            if is_given:
                self._note_shown(snapshot, answer)
            elif announced and waiting.cancelled():
                self._announce(snapshot, answer)

    async def _complete(self, in_flight: InFlight) -> Completions:
        snapshot = in_flight.snapshot
        kept = self._kept_answer(snapshot)
        if kept is not None and (snapshot.count == 1 or kept.alone):
            # The next request of the user gets the other candidates as well.
            self._kept[snapshot.uri] = evolve(kept, alone=False)
            return Completions((kept.completion,))
        first = kept.completion if kept else None
        return await self._on_model(
            in_flight, lambda completer: _complete_several(completer, in_flight, first, self._recorder)
        )

    async def _on_model(self, in_flight: InFlight, job: "Callable[[Completer], T]") -> T:
        snapshot = in_flight.snapshot
        try:
            result = await self._host.run(job, in_flight.token, self._loading_seconds)
        except DeclinedError as error:
            if error.reason in _NO_MODEL:
                self._too_early = snapshot
            raise
        # Identity: one that was closed and opened again counts its revisions from the start.
        if self._documents.get(snapshot.uri) is not snapshot.document:
            raise NoCompletionReason.STALE.error("The document was closed in the meantime.")
        if snapshot.document.revision != snapshot.revision:
            raise NoCompletionReason.STALE.error("The text was changed in the meantime.")
        return result

    # -- completions shown and kept

    def _note_shown(self, snapshot: Snapshot, answer: Completions) -> None:
        for completion in answer.completions:
            self._recorder.shown(completion.id)
        # Editors show the first one; the others are shown only if the user pages through them.
        for completion in [one for one in answer.completions if one.text][:1]:
            self.history.add(snapshot, completion)
            pinned = snapshot.settings.parameters.seed is not None
            self._status.offered(snapshot.uri, completion, pinned)
            self._prefetcher.after(snapshot, completion)

    def _announce(self, snapshot: Snapshot, answer: Answer) -> None:
        """Notify a client that stopped waiting that its answer is ready."""
        if isinstance(answer, NoCompletion) or not answer.completion.text:
            return
        # Otherwise the answer to a newer request comes anyway.
        if not self._in_flight.is_waited_for(snapshot.uri):
            self._keep(snapshot, answer.completion)
            self._notifier.ready(snapshot.uri, snapshot.version, snapshot.place)

    def _keep(self, snapshot: Snapshot, completion: "Completion") -> None:
        """Keep an answer for the next request; a client that is notified asks for just this one."""
        self._kept[snapshot.uri] = _Kept(snapshot, completion, alone=self._notifier.enabled)

    def _kept_answer(self, snapshot: Snapshot) -> _Kept | None:
        kept = self._kept.get(snapshot.uri)
        if kept is None or snapshot.fresh or not snapshot.asks_the_same_as(kept.snapshot):
            return None
        return kept


def _complete_several(
    completer: "Completer", in_flight: InFlight, first: "Completion | None", recorder: "LedgerRecorder"
) -> Completions:
    """Generate the candidates, on the worker's thread. `first` is the first one, if it exists already."""
    # Here, since `initialize` is answered before anything that completing needs is imported.
    from aide_lsp.completion.candidates import complete_several

    snapshot = in_flight.snapshot
    request = snapshot.request
    if snapshot.fresh:
        completer.forget(request)
    found = complete_several(completer, request, snapshot.count, in_flight.token, first, in_flight)
    ledger.record(recorder, snapshot.settings.ledger, request, found, completer)
    return Completions(found)
