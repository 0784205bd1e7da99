"""The text that an engine in another process generates, as its stream brings it."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import AbstractContextManager, closing
from time import monotonic
from typing import Any, TypeVar

from attrs import evolve

from aide_lsp.completion.observer import CompletionObserver
from aide_lsp.completion.prompt import Prompt
from aide_lsp.engines.remote.http.failures import BadStatus, broken_off, unreadable
from aide_lsp.engines.shared import stream
from aide_lsp.engines.shared.client import EngineClient
from aide_lsp.engines.shared.wire import WireError
from aide_lsp.errors import BrokenSessionError, EngineChangedError, ServerError, StuckSessionError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.observer import Timings
from aide_lsp.inference.options import GenerationOptions

T = TypeVar("T")
PASSING = frozenset({"broken-off", "refused", "unreachable"})
"""Kinds of failures after which another process may answer at once."""
PASSING_STATUS = frozenset({502, 503})


class SharedGeneration:
    """A `completion.model.TextGeneration`: reads the stream; closing it ends the generation at the engine."""

    def __init__(
        self,
        client: EngineClient,
        prompt: Prompt,
        options: GenerationOptions,
        cancel: CancelToken,
        observer: CompletionObserver,
        failures: Callable[[Sequence[str]], AbstractContextManager[None]],
        restarts: int = 0,
    ) -> None:
        """Take what the engine is asked for, once this is iterated; arguments as in `SharedModel`."""
        self._client, self._prompt, self._options, self._cancel = client, prompt, options, cancel
        self._observer, self._failures, self._restarts = observer, failures, restarts
        self._started = monotonic()
        self._pieces: Generator[str] | None = None
        self._said, self._steps, self._is_rendered = "", 0, False
        self.finish_reason: str | None = None
        self.log_probability, self.timings = 0.0, Timings()
        """See `TextGeneration`."""

    def __iter__(self) -> Iterator[str]:
        # One iterator, so that `close` can end what runs.
        self._pieces = self._all()
        return self._pieces

    def close(self) -> None:
        """See `TextGeneration`."""
        if self._pieces is not None:
            self._pieces.close()
        # Closed by its reader, whose stop rule has ended the text.
        self.finish_reason = self.finish_reason or "stop"
        self.timings = evolve(self.timings, total_ms=self._passed_ms())

    def _all(self) -> Generator[str]:
        """Yield all pieces. If the engine is lost, another one goes on after what was yielded."""
        sent = (*(part.text for part in self._prompt.parts), self._prompt.healed)
        with self._failures(sent):
            while True:
                try:
                    yield from self._once()
                    return
                except (ServerError, BadStatus, BrokenSessionError) as error:
                    if not self._restarts or not _may_pass(error):
                        raise
                    self._restarts -= 1
                    self._client.connection.close()

    def _once(self) -> Iterator[str]:
        """Ask once; yield what was not yielded before."""
        again, steps = "", 0
        traces = self._observer.traces
        with closing(self._client.lines(self._prompt, self._left(), self._cancel, traces=traces)) as lines:
            for line in lines:
                if "error" in line:
                    raise self._checked(stream.to_line_error, line)
                if "rendered" in line:
                    self._render(line["rendered"])
                elif "step" in line:
                    steps += 1
                    if steps > self._steps:
                        self._step(line)
                elif "end" in line:
                    end = self._checked(stream.to_progress, line["end"])
                    if len(again) < len(self._said) and end.finish_reason != "timeout":
                        raise broken_off(self._host)  # not the same engine
                    self._note(end)
                    self._begin("stop rules")
                    return
                else:
                    progress = self._checked(stream.to_progress, line)
                    again += progress.text
                    if again[: len(self._said)] != self._said[: len(again)]:
                        raise broken_off(self._host)  # not the same engine
                    self._note(progress)
                    if piece := again[len(self._said) :]:
                        self._said = again
                        yield from self._shown(piece)

    def _shown(self, piece: str) -> Iterator[str]:
        # What the reader does with it is its own.
        self._begin("stop rules")
        yield piece
        self._begin("server")

    def _begin(self, stage: str) -> None:
        if self._observer.traces:
            self._observer.begins(stage)

    def _render(self, data: Any) -> None:
        if not self._is_rendered:
            excerpts = stream.excerpts_by_place(self._prompt.parts)
            self._observer.rendered(self._checked(lambda found: stream.to_rendered(found, excerpts), data))
            self._is_rendered = True

    def _step(self, line: dict[str, Any]) -> None:
        step, text, stages = self._checked(stream.to_step, line)
        self._steps += 1
        self._observer.stepped(step, text)
        self._observer.spent(stages)

    def _note(self, progress: stream.GenerationProgress) -> None:
        self.finish_reason = progress.finish_reason
        self.log_probability, self.timings = progress.log_probability, progress.timings

    def _checked(self, read: Callable[[Any], T], found: Any) -> T:
        try:
            return read(found)
        except WireError:
            raise unreadable(self._host, "something else") from None

    @property
    def _host(self) -> str:
        return self._client.connection.address.host

    def _left(self) -> GenerationOptions:
        """Return the options with what is left of the deadline."""
        deadline = self._options.deadline_ms
        # 0 would mean no deadline.
        left = max(1, int(deadline - self._passed_ms())) if deadline else 0
        return evolve(self._options, deadline_ms=left)

    def _passed_ms(self) -> float:
        return (monotonic() - self._started) * 1000.0


def _may_pass(error: Exception) -> bool:
    if isinstance(error, BadStatus):
        return error.status in PASSING_STATUS
    if isinstance(error, ServerError):
        return error.kind in PASSING
    # An engine that broke is replaced. Another kind of engine goes on with no text of this one, and what one
    # engine could not compute in minutes must not occupy the next one too.
    return not isinstance(error, EngineChangedError | StuckSessionError)
