"""From a place in a document to a completion: snapshot, newest wins, worker, nothing stale.

In: a URI and a position. Out: a future with what the client gets. Of two requests for one document the
older is answered at once, with nothing; an answer to a text that changed is not given. What is being made
goes on where it may still be of use (`flights.py`): also after a client gave up waiting, if it is one that
can be told when the answer is there.
It does not know the protocol's types, nor how a completion is made.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from attrs import evolve, frozen

from aide_lsp.completion.limits import LONGEST_TEXT, MOST_LINES
from aide_lsp.errors import AideError, DeclinedError
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.lsp.client_settings import Configuration
from aide_lsp.lsp.documents import Document, DocumentStore, Place
from aide_lsp.lsp.notifications import Announcer
from aide_lsp.lsp.requests.history import Shown, spot
from aide_lsp.lsp.requests.in_flight import Flight, Flights
from aide_lsp.lsp.requests.model_host import ModelHost
from aide_lsp.lsp.requests.prefetch import Ahead
from aide_lsp.lsp.requests.snapshot import Asked, request_of
from aide_lsp.lsp.rpc.protocol import where
from aide_lsp.lsp.status import Nothing, Status
from aide_lsp.settings.fields import Parameters, Settings

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer, Completion, CompletionRequest
    from aide_lsp.ledger.recorder import Recorder

log = logging.getLogger("aide.requests")
T = TypeVar("T")
Job = Callable[["Completer", "CompletionRequest", CancelToken], "Completion"]
"""What the worker does for a request, if it is more than to complete it."""
Answer = tuple["Completion", ...] | Nothing
"""The first candidate and those to choose from besides, or why there is none."""


TOO_LARGE = (
    f"The text has more than {LONGEST_TEXT:,} characters or {MOST_LINES:,} lines. "
    "Make it shorter and open it again."
)


@frozen
class _Kept:
    """An answer the user asked for by `aide.regenerate`, to be offered when the editor asks next."""

    text: str
    offset: int
    settings: Settings
    completion: "Completion"
    alone: bool = False
    "The client was told to ask for just this one: it is given without the others to choose from."


class Completing:
    """Takes requests. All methods belong to the event loop's thread."""

    def __init__(
        self,
        documents: DocumentStore,
        configuration: Configuration,
        host: ModelHost,
        status: Status,
        recorder: "Recorder",
        announcer: Announcer,
        loading_seconds: float,
    ) -> None:
        self._documents, self._configuration, self._host = documents, configuration, host
        self._status, self._loading_seconds = status, loading_seconds
        self._recorder, self._announcer = recorder, announcer
        self._newest: dict[str, Callable[[Nothing], None]] = {}
        self._flights = Flights()
        self._ahead = Ahead(self._flights, host, recorder)
        self._kept: dict[str, _Kept] = {}
        self._too_early: Asked | None = None
        self.shown = Shown()

    def look(self, request_id: int | str | None, uri: str, place: Place) -> Asked | Nothing:
        """Take the snapshot that a request is about, before the next message changes the document."""
        if self._status.paused:
            return Nothing("paused", "Aide is paused. Resume it with the command aide.resume.")
        document = self._documents.get(uri)
        if self._documents.is_too_large(uri):
            return Nothing("too-large", TOO_LARGE)
        if document is None:
            return Nothing(
                "unknown-document", "The document is not open, or its text was lost: open it again."
            )
        if document.size > LONGEST_TEXT:
            # Said here too: copying such a text for every keystroke would cost more than declining it.
            return Nothing("too-large", TOO_LARGE)
        resolved = self._configuration.resolve(uri)
        if resolved.off is not None:
            return Nothing("off", resolved.off.sentence())
        offset, settings = document.offset(place), resolved.settings
        return Asked(
            request_id,
            document,
            document.revision,
            document.version,
            place,
            document.text(),
            offset,
            settings,
        )

    def submit(
        self, asked: Asked, shape: Callable[["Completion | Nothing"], T], job: Job | None = None
    ) -> "asyncio.Future[T]":
        """Begin to answer with one completion; otherwise as `offer`.

        With a `job` the worker does that, and no answer of before is given.
        """
        return self.offer(asked, lambda answer: shape(_first(answer)), job)

    def offer(
        self, asked: Asked, shape: Callable[[Answer], T], job: Job | None = None
    ) -> "asyncio.Future[T]":
        """Begin to answer; the document's older request ends now. `shape` makes what the client gets."""
        uri = asked.document.uri
        self._ahead.interrupt()
        self._answer_waiting(uri)
        flight = Flight(asked, own_job=job is not None)
        self._flights.begin(flight)
        self._status.began()
        result: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        task = asyncio.ensure_future(self._answer(asked, flight, job))

        def give(answer: Answer) -> None:
            if result.done():
                return
            try:
                if job is None:
                    self._note_shown(asked, answer)
                result.set_result(shape(answer))
            except Exception as error:  # still one reply
                result.set_exception(error)

        def landed(task: "asyncio.Task[Answer]") -> None:
            self._flights.end(flight)
            self._status.ended()
            if task.cancelled():
                return
            if result.cancelled():
                self._announce(asked, task.result())
            give(task.result())

        def ended(result: "asyncio.Future[T]") -> None:
            """Nobody waits any more. For a client that cannot be told later the generation stops."""
            flight.is_waited_for = False
            if self._newest.get(uri) is give:
                del self._newest[uri]
            if result.cancelled() and not (job is None and self._announcer.enabled and asked.count == 1):
                flight.token.cancel()
                self.given_up(asked.request_id)

        task.add_done_callback(landed)
        result.add_done_callback(ended)
        self._newest[uri] = give
        return result

    def given_up(self, request_id: int | str | None) -> None:
        """The client cancelled a request: what goes on for it ends, though it may be answered already."""
        if request_id is not None and not self._announcer.enabled:
            self._flights.cancel(request_id)

    def changed(self, document: Document) -> None:
        """Follow a change of a text: what is made for nobody and of no use in it ends."""
        self._ahead.interrupt()
        if self._flights.has_unwaited(document.uri):
            self._flights.changed(document.uri, document.text())

    def loaded(self) -> None:
        """Tell the client whose last request came before the model that it can ask now."""
        asked, self._too_early = self._too_early, None
        if asked is not None:
            self._announcer.ready(asked.document.uri, asked.version, asked.place.line, asked.place.character)

    def cursor(self, uri: str, place: Place) -> None:
        """Follow the cursor to a place where nothing is asked yet: the text around it is read ahead."""
        asked = self.look(None, uri, place)
        if not isinstance(asked, Nothing):
            self._ahead.at_cursor(asked)

    def supersede(self, uri: str) -> None:
        """End what is being made for a document; who waits for it is answered at once, with nothing."""
        self._flights.drop(uri)
        self._answer_waiting(uri)

    def regenerate(
        self, asked: Asked, parameters: Parameters, shape: Callable[["Completion | Nothing"], T]
    ) -> "asyncio.Future[T]":
        """Answer anew with these parameters; keep the answer for the next request at this place."""
        kept_for = asked.settings
        asked = evolve(asked, fresh=True, settings=evolve(asked.settings, parameters=parameters))

        def keep(answer: "Completion | Nothing") -> T:
            if not isinstance(answer, Nothing):
                self._keep(asked, kept_for, answer)
            return shape(answer)

        self._kept.pop(asked.document.uri, None)
        return self.submit(asked, keep)

    def previous(self, asked: Asked) -> "Completion | Nothing":
        """Go back to the completion shown before the last one here; keep it for the next request."""
        uri = asked.document.uri
        self.supersede(uri)
        completion = self.shown.back(uri, spot(asked.text, asked.offset))
        if completion is None:
            return Nothing("no-previous", "No other completion was shown before at this place.")
        self._keep(asked, asked.settings, completion)
        return completion

    def forget(self, uri: str) -> None:
        """Drop what belongs to a document that was closed."""
        self._kept.pop(uri, None)
        self.shown.forget(uri)

    def _answer_waiting(self, uri: str) -> None:
        give = self._newest.pop(uri, None)
        if give is not None:
            give(Nothing("superseded", "A newer request for this document came."))

    def _keep(self, asked: Asked, settings: Settings, completion: "Completion") -> None:
        """Keep an answer for the next request; a client that hears from us asks for just this one."""
        alone = self._announcer.enabled
        self._kept[asked.document.uri] = _Kept(asked.text, asked.offset, settings, completion, alone)

    def _announce(self, asked: Asked, answer: Answer) -> None:
        """Tell a client that gave up waiting that its answer is here."""
        uri = asked.document.uri
        if isinstance(answer, Nothing) or not answer[0].text or uri in self._newest:
            return
        self._keep(asked, asked.settings, answer[0])
        self._announcer.ready(uri, asked.version, asked.place.line, asked.place.character)

    def _note_shown(self, asked: Asked, answer: Answer) -> None:
        offered = () if isinstance(answer, Nothing) else answer
        for completion in offered:
            self._recorder.shown(completion.id)
        for completion in [one for one in offered if one.text][:1]:
            self.shown.add(asked.document.uri, spot(asked.text, asked.offset), completion)
            pinned = asked.settings.parameters.seed is not None
            self._status.offered(asked.document.uri, completion, pinned)
            self._ahead.behind(asked, completion)

    async def _answer(self, asked: Asked, flight: Flight, job: Job | None) -> Answer:
        """Make the answer and note the outcome. Never raises but for a cancel."""
        answer: Answer
        try:
            kept = None if job else self._kept_answer(asked)
            if kept is not None and (asked.count == 1 or kept.alone):
                answer = (kept.completion,)
                self._kept[asked.document.uri] = evolve(kept, alone=False)
            else:
                answer = await self._complete(asked, flight, job, kept.completion if kept else None)
        except Cancelled:
            answer = Nothing("cancelled", "The request was cancelled.")
        except DeclinedError as error:
            answer = Nothing(error.reason, str(error))
        except AideError as error:
            answer = Nothing("error", str(error))
        except Exception as error:
            log.error("Completing failed: %s", where(error))
            answer = Nothing("error", f"Internal error ({type(error).__name__}); the log says where.")
        if isinstance(answer, Nothing):
            self._status.declined(asked.request_id, answer)
        else:
            self._status.completed(asked.request_id, answer[0])
        return answer

    async def _complete(
        self, asked: Asked, flight: Flight, job: Job | None, first: "Completion | None"
    ) -> Answer:
        try:
            completer, completions = await self._host.run(
                lambda completer: (completer, _run(completer, asked, flight, job, first)),
                flight.token,
                self._loading_seconds,
            )
        except DeclinedError as error:
            if error.reason in ("loading", "failed"):
                self._too_early = asked
            raise
        for completion in completions if job is None else ():
            request = evolve(request_of(asked), candidate=completion.candidate)
            self._recorder.record(asked.settings.ledger, request, completion, completer)
        if self._documents.get(asked.document.uri) is not asked.document:
            return Nothing("stale", "The document was closed meanwhile.")
        if asked.document.revision != asked.revision:
            return Nothing("stale", "The text was changed meanwhile.")
        return completions

    def _kept_answer(self, asked: Asked) -> _Kept | None:
        kept = self._kept.get(asked.document.uri)
        if kept is None or asked.fresh:
            return None
        same = (kept.offset, kept.settings, kept.text) == (asked.offset, asked.settings, asked.text)
        return kept if same else None


def _first(answer: Answer) -> "Completion | Nothing":
    return answer if isinstance(answer, Nothing) else answer[0]


def _run(
    completer: "Completer", asked: Asked, flight: Flight, job: Job | None, first: "Completion | None"
) -> "tuple[Completion, ...]":
    """Do the work, on the worker's thread. `first`: the first candidate, if it was made already."""
    from aide_lsp.completion.candidates import complete_several

    request = request_of(asked)
    if job is not None:
        return (job(completer, request, flight.token),)
    if asked.fresh:
        completer.forget(request)
    return complete_several(completer, request, asked.count, flight.token, first, flight)
