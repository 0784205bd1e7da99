"""The text that a server generates, as its stream brings it."""

from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from threading import Timer
from time import monotonic

from attrs import evolve

from aide_lsp.completion.fim_template import FimTemplate
from aide_lsp.completion.prompt import Prompt
from aide_lsp.engines.remote.flavors.flavor import ForeignFlavor, Piece, ServerRequest
from aide_lsp.engines.remote.flavors.formats import written_stops
from aide_lsp.engines.remote.http.connection import Answer, Connection
from aide_lsp.engines.remote.http.events import EventParser, UnreadableEventError
from aide_lsp.engines.remote.http.failures import broken_off, failed_while_generating, unreadable
from aide_lsp.engines.remote.link import ServerLink
from aide_lsp.errors import EngineChangedError, ServerError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.observer import Timings
from aide_lsp.inference.options import GenerationOptions

LONGEST_SECONDS = 600.0
"""Limit of an answer whose options have no deadline."""
MOST_BYTES = 64_000_000
"""Of an answer: thousands of tokens with all that servers write about each."""
DRAIN_SECONDS = 1.0
"""Limit for what follows the last piece, so that the connection can be used again."""


class _LateError(Exception):
    """The deadline has passed: the server is slow, and has not failed."""


class RemoteGeneration:
    """A `completion.model.TextGeneration`: reads the stream, and leaves out the healed text."""

    def __init__(
        self, link: ServerLink, prompt: Prompt, options: GenerationOptions, cancel: CancelToken
    ) -> None:
        """Take what the server is asked for; it is asked once this is iterated."""
        self._link, self._prompt, self._options, self._cancel = link, prompt, options, cancel
        self._started = monotonic()
        self._pieces: Generator[Piece] | None = None
        self._timings = Timings()
        self.finish_reason: str | None = None
        self.log_probability = 0.0
        """See `TextGeneration`."""

    @property
    def timings(self) -> Timings:
        """See `TextGeneration`."""
        return self._timings

    def __iter__(self) -> Iterator[str]:
        try:
            yield from self._text()
        except _LateError:
            self.finish_reason = "timeout"

    def close(self) -> None:
        """See `TextGeneration`. Closes the connection, unless the answer is complete."""
        if self._pieces is not None:
            self._pieces.close()
        # Closed by its reader, whose stop rule has ended the text.
        self.finish_reason = self.finish_reason or "stop"
        self._timings = evolve(self._timings, total_ms=self._passed_ms())

    def _text(self) -> Iterator[str]:
        """Yield what comes after the healed text."""
        sent = (*(part.text for part in self._prompt.parts), self._prompt.healed)
        with self._link.failures(sent):
            flavor, facts = self._link.connect(self._cancel)
            if not isinstance(flavor, ForeignFlavor):  # `aide serve` has come up instead
                raise EngineChangedError
            with self._deadline():
                request = flavor.request(
                    facts, self._prompt, self._options, self._link.connection, self._cancel
                )
            self._timings = Timings(prompt_tokens=request.prompt_tokens)
            waiting: ServerRequest | None = request
            while waiting is not None:
                self._pieces = self._read(flavor, facts.template, waiting, sent)
                is_used = yield from self._after_healed(waiting)
                waiting = None if is_used else waiting.otherwise

    def _after_healed(self, request: ServerRequest) -> Generator[str, None, bool]:
        """Yield what comes after the healed text; return whether the answer begins with it."""
        assert self._pieces is not None
        said, healed = "", request.healed
        for piece in self._pieces:
            text = piece.text[max(0, len(healed) - len(said)) :]
            said += piece.text
            is_another = said[: len(healed)] != healed[: len(said)]
            ends_early = bool(piece.finish) and len(said) < len(healed)
            if is_another or (ends_early and request.otherwise):
                self._pieces.close()
                return False
            self._note(piece, is_kept=bool(text))
            self.finish_reason = piece.finish
            if text or piece.finish:
                yield text
        return True

    def _read(
        self,
        flavor: ForeignFlavor,
        template: FimTemplate | None,
        request: ServerRequest,
        sent: tuple[str, ...],
    ) -> Generator[Piece]:
        """Yield what the server says. The last piece says why it ends; by then the answer is complete."""
        connection, host = self._link.connection, self._link.choice.address.host
        parser, seconds = EventParser(), self._seconds_left()
        with (
            self._deadline(),
            connection.open(request.path, request.body, cancel=self._cancel, seconds=seconds) as answer,
        ):
            events = _events(parser, answer, host)
            for event in events:
                if event.get("error"):
                    raise failed_while_generating(host, event, (*connection.secrets, *sent))
                piece = flavor.read(event)
                if piece.finish:
                    self._drain(flavor, events, connection)
                piece = _ended(piece, template)
                yield piece
                if piece.finish:
                    return
            if not parser.is_done:
                raise broken_off(host)
            yield Piece(finish="stop")

    def _drain(
        self, flavor: ForeignFlavor, events: Iterator[dict[str, object]], connection: Connection
    ) -> None:
        """Read what follows the last piece: counts, and the end of the answer."""
        timer = Timer(DRAIN_SECONDS, connection.abort)
        timer.daemon = True
        timer.start()
        try:
            # The text is complete, whatever went wrong afterwards.
            with suppress(ServerError):
                for event in events:
                    self._note(flavor.read(event), is_kept=False)
        finally:
            timer.cancel()
            timer.join()

    def _note(self, piece: Piece, *, is_kept: bool) -> None:
        """Note what a piece cost, and its probability if it is not of the healed text."""
        known, passed = self._timings, self._passed_ms()
        generated = known.generated_tokens + (piece.tokens or bool(piece.text))
        self._timings = evolve(
            known,
            prompt_tokens=piece.prompt_tokens or known.prompt_tokens,
            cached_tokens=known.cached_tokens if piece.cached_tokens is None else piece.cached_tokens,
            generated_tokens=piece.generated_tokens or generated,
            forwards=piece.generated_tokens or generated,
            first_token_ms=known.first_token_ms or (passed if piece.text else 0.0),
            total_ms=passed,
        )
        if is_kept:
            self.log_probability += piece.log_probability

    @contextmanager
    def _deadline(self) -> Iterator[None]:
        """Distinguish a deadline that has passed from a server that fails."""
        try:
            yield
        except ServerError as error:
            if self._options.deadline_ms and error.kind == "timeout" and self._seconds_left() <= 0.001:
                raise _LateError from None
            raise

    def _seconds_left(self) -> float:
        if not self._options.deadline_ms:
            return LONGEST_SECONDS
        return max(0.001, (self._options.deadline_ms - self._passed_ms()) / 1000.0)

    def _passed_ms(self) -> float:
        return (monotonic() - self._started) * 1000.0


def _events(parser: EventParser, answer: Answer, host: str) -> Iterator[dict[str, object]]:
    """Yield the events of an answer, up to its end or the server's word that it ends."""
    size = 0
    try:
        for data in answer.pieces():
            size += len(data)
            if size > MOST_BYTES:
                raise unreadable(host, "too much data")
            yield from parser.feed(data)
        yield from parser.finish()
    except UnreadableEventError:
        raise unreadable(host, "a stream of data that is none") from None


def _ended(piece: Piece, template: FimTemplate | None) -> Piece:
    """Return a piece that ends where the model generates a control token that ends a completion."""
    if template is None:
        return piece
    if not template.stop_ids.isdisjoint(piece.token_ids):
        return evolve(piece, finish="stop")
    # Some servers write the names of control tokens.
    ends = [at for name in written_stops(template) if (at := piece.text.find(name)) >= 0]
    return evolve(piece, text=piece.text[: min(ends)], finish="stop") if ends else piece
