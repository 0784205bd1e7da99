"""Limits that clients set for a text: strings that end it, the least indentation, and time.

They end a generation as llama.cpp's server does, so that its clients get what they expect.
"""

from collections.abc import Callable, Iterator
from time import monotonic

from attrs import define, evolve, field, frozen

from aide_lsp.completion.model import Model, ModelInfo, TextGeneration
from aide_lsp.completion.observer import UNOBSERVED, CompletionObserver
from aide_lsp.completion.prompt import Prompt, PromptPart
from aide_lsp.errors import ServerError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.observer import Timings
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.serve.protocols.given import Given

MOST_STOPS, LONGEST_STOP = 64, 1_000


@frozen
class TextLimits:
    """What ends a text, besides the model and the number of tokens."""

    stops: tuple[str, ...] = ()
    "Strings that end it; they are not part of it."
    indent: int = 0
    "Blanks with which each further line begins at least, unless it is empty."
    seconds: float = 0.0
    "After this many, it ends with the next line; 0: never. What it says then depends on the machine."


def stops_in(given: Given) -> tuple[str, ...]:
    """Return the strings that end a text, which clients of all kinds call `stop`.

    Raises:
        ParameterError: they cannot be used.
    """
    return tuple(filter(None, given.texts("stop", MOST_STOPS, LONGEST_STOP)))


@define
class TextEnd:
    """What ended a text."""

    word: str = ""
    "The string that did."
    is_limit: bool = False
    "Whether indentation or time did."


@frozen
class LimitedModel:
    """A `completion.model.Model` for one request: its texts end by the client's limits, too."""

    model: Model
    limits: TextLimits = TextLimits()
    files: tuple[PromptPart, ...] = ()
    "What each prompt begins with."
    ending: TextEnd = field(factory=TextEnd)
    "Of the last text."
    clock: Callable[[], float] = monotonic

    @property
    def info(self) -> ModelInfo:
        """See `Model`."""
        return self.model.info

    @property
    def failure(self) -> ServerError | None:
        """See `Model`."""
        return self.model.failure

    def is_back(self) -> bool:
        """See `Model`."""
        return self.model.is_back()

    def count_tokens(self, text: str) -> int:
        """See `Model`."""
        return self.model.count_tokens(text)

    def generate(
        self,
        prompt: Prompt,
        options: GenerationOptions,
        cancel: CancelToken,
        observer: CompletionObserver = UNOBSERVED,
    ) -> "LimitedGeneration":
        """See `Model`."""
        self.ending.word, self.ending.is_limit = "", False
        generation = self.model.generate(self._with_files(prompt), options, cancel, observer)
        return LimitedGeneration(generation, self.limits, options.max_tokens, self.ending, self.clock)

    def prefill(self, prompt: Prompt, options: GenerationOptions, cancel: CancelToken) -> int:
        """See `Model`."""
        return self.model.prefill(self._with_files(prompt), options, cancel)

    def self_test(self) -> bool:
        """See `Model`."""
        return self.model.self_test()

    def release_memory(self) -> None:
        """See `Model`."""
        self.model.release_memory()

    def _with_files(self, prompt: Prompt) -> Prompt:
        return evolve(prompt, parts=(*self.files, *prompt.parts))


class LimitedGeneration:
    """A `completion.model.TextGeneration` that also ends by limits.

    Tokens of the healed text alone are not counted: they are the client's.
    """

    def __init__(
        self,
        generation: TextGeneration,
        limits: TextLimits,
        max_tokens: int,
        ending: TextEnd,
        clock: Callable[[], float],
    ) -> None:
        self._generation, self._limits, self._ending, self._clock = generation, limits, ending, clock
        self._max_tokens, self._healed_tokens = max_tokens, 0
        self._said, self._sent, self._began = "", 0, 0.0
        # Where the last line begins whose indentation is not known, and the empty lines above it.
        self._line = 0
        self._blank_from: int | None = None
        self.finish_reason: str | None = None

    @property
    def timings(self) -> Timings:
        """See `TextGeneration`."""
        timings = self._generation.timings
        return evolve(timings, generated_tokens=max(0, timings.generated_tokens - self._healed_tokens))

    @property
    def log_probability(self) -> float:
        """See `TextGeneration`."""
        return self._generation.log_probability

    def __iter__(self) -> Iterator[str]:
        for piece in self._generation:
            if not self._said:
                self._began = self._clock()
                self._healed_tokens = max(0, self._generation.timings.generated_tokens - 1)
            self._said += piece
            end, reason = self._end(len(piece)), "stop"
            if end is None and self.timings.generated_tokens >= self._max_tokens:
                end, reason = len(self._said), self._generation.finish_reason or "length"
            if end is not None:
                self.finish_reason = reason
                self._generation.close()
                if text := self._said[self._sent : end]:
                    yield text
                return
            if text := self._said[self._sent : self._safe()]:
                self._sent += len(text)
                yield text
        self.finish_reason = self._generation.finish_reason
        if text := self._said[self._sent :]:
            yield text

    def close(self) -> None:
        """See `TextGeneration`."""
        self._generation.close()
        self.finish_reason = self.finish_reason or "stop"

    def _end(self, added: int) -> int | None:
        """Return where the text ends; None: it goes on."""
        start = len(self._said) - added
        stops = ((self._said.find(one, max(0, start - len(one) + 1)), one) for one in self._limits.stops)
        end, word = min(((at, one) for at, one in stops if at >= 0), default=(len(self._said), ""))
        ends = [at for at in (self._shallow_line(), self._late_line(start)) if at is not None and at < end]
        if ends:
            self._ending.is_limit = True
            return min(ends)
        self._ending.word = word
        return end if word else None

    def _shallow_line(self) -> int | None:
        """Return the end of the lines that are indented enough; None: all are."""
        if not self._limits.indent:
            return None
        while (at := self._said.find("\n", self._line)) >= 0:
            line, line_end, _ = self._said[at + 1 :].partition("\n")
            content = line.lstrip(" \t")
            if content and len(line) - len(content) < self._limits.indent:
                return at if self._blank_from is None else self._blank_from
            if not line_end:
                return None
            # Empty lines belong to the next one.
            self._blank_from = None if content else at if self._blank_from is None else self._blank_from
            self._line = at + 1 + len(line)
        return None

    def _late_line(self, start: int) -> int | None:
        """Return the end of the line during which the time has passed; None: it has not, or goes on."""
        limit = self._limits.seconds
        at = self._said.rfind("\n", start)
        return at if limit and at >= 0 and self._clock() - self._began > limit else None

    def _safe(self) -> int:
        """Return how much of the text stays, whatever follows."""
        said = self._said
        end = len(said)
        for stop in self._limits.stops:
            held = next((size for size in range(len(stop) - 1, 0, -1) if said.endswith(stop[:size])), 0)
            end = min(end, len(said) - held)
        if self._limits.indent and (lines := said.rstrip(" \t\n")) != said and "\n" in said[len(lines) :]:
            end = min(end, said.index("\n", len(lines)))
        return max(end, self._sent)
