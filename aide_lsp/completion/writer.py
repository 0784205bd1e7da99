"""From a hole to raw text: window, prompt, generation, stop rules.

In: the texts left and right of the cursor, the hole they make, how to sample. Out: what the model wrote up
to where a stop rule ends it. Holds what the model has read (the slots). It does not know
documents, line ends other than \\n, or what becomes of the text.
"""

import re
from collections.abc import Collection
from functools import lru_cache
from typing import Protocol

from attrs import field, frozen

from aide_lsp.completion.fim import open_format
from aide_lsp.completion.hole import Hole
from aide_lsp.completion.observer import UNOBSERVED, CompletionObserver
from aide_lsp.completion.stopping import Stop, break_off, find_stop
from aide_lsp.completion.window import cut_window
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.inference.drafting import Drafter
from aide_lsp.inference.generate import Generation, Limits, Timings, generate
from aide_lsp.inference.memory import give_back_freed
from aide_lsp.inference.onnx.runtime_errors import session_errors
from aide_lsp.inference.prefix_cache import CHUNK_ROWS
from aide_lsp.inference.sampler import SamplingParams
from aide_lsp.inference.session import Session
from aide_lsp.inference.slots import Slots
from aide_lsp.inference.token_healing import Beginnings
from aide_lsp.inference.tokenizer import TextStream, Tokenizer
from aide_lsp.settings.fields import Settings

UNFINISHED = re.compile(r"(?:[^\w\r\n]|_)?[^\W\d_]+\Z|[ \t]?(?:[^\w\s]|_)+\Z|[ \t]\Z")
"""What the last token of a prefix may be a part of: a word with the character before it, signs, a blank.

Tokens of code are whole words with the blank, dot or bracket before them (` return`, `(self`), and runs of
signs (`()`, `):`). Behind half of one the model is lost, so this much of the prefix is not shown to it
but has to be written first, by the tokens it likes best. Lines of HumanEval cut at 90 places of each
kind pass their tests, without and with this: indentation 20 % and 76 %, a blank 74 % and 86 %, a sign
54 % and 86 %, the middle of a word 9 % and 88 %. It also keeps the prompt the same while a word is typed.
"""
LONGEST_WORD = 64
"""Characters of the prefix that are looked at for it; a longer word is left as it is."""
ENCODED_TEXTS = 8192
"""Texts whose token ids are remembered: most lines of a window are those of the last one."""


class ModelFacts(Protocol):
    """What is read of a model's description."""

    @property
    def fim(self) -> str | None:
        """Name of its FIM format; None: it reads the prefix only."""

    @property
    def end_tokens(self) -> Collection[int]:
        """Tokens that end a text."""

    @property
    def recipe(self) -> str:
        """How its weights are stored and multiplied."""

    @property
    def model(self) -> str:
        """Its id."""

    @property
    def source_sha256(self) -> str:
        """Of the file it was converted from; empty if it was not."""


@frozen
class Task:
    """What is to be written."""

    prefix: str = field(repr=False)
    "Text left of the cursor."
    suffix: str = field(repr=False)
    "Text right of the cursor."
    hole: Hole
    "What the two say about what is missing."
    num_context: int
    "Tokens of text the model reads."
    sampling: SamplingParams
    "How tokens are drawn."
    max_tokens: int
    "Tokens to write at most."
    deadline: float | None
    "Seconds of the monotonic clock; None: no deadline."


@frozen
class Written:
    """What the model wrote."""

    text: str = field(repr=False)
    "All of it."
    stop: Stop | None
    "Where a stop rule ends it."
    finish_reason: str
    "`stop` (end token or stop rule), `length` or `timeout`."
    timings: Timings
    "What it cost."


class Writer:
    """A model that fills holes."""

    def __init__(
        self, tokenizer: Tokenizer, session: Session, model: ModelFacts, cache_mb: int = Settings().cache_mb
    ) -> None:
        """Take a loaded model. What it has read takes `cache_mb` MB of memory at most.

        Raises:
            ModelFilesError: its FIM format is unknown or its vocabulary lacks a token of it.
        """
        self._tokenizer, self._session = tokenizer, session
        self._prompt = open_format(model.fim, tokenizer)
        self._end_tokens = frozenset(model.end_tokens) | self._prompt.stop_ids
        self._drafter = Drafter()
        self._slots = Slots(session, cache_mb * 1_000_000)
        self._beginnings = Beginnings(tokenizer)
        self._encode = lru_cache(maxsize=ENCODED_TEXTS)(lambda text: tuple(tokenizer.encode(text)))

    def write(self, task: Task, cancel: CancelToken, observer: CompletionObserver = UNOBSERVED) -> Written:
        """Write a completion; tell an observer about it.

        Raises:
            Cancelled: nobody waits for it any more.
            SessionError: the runtime failed.
        """
        given_back = _given_back(task.prefix)
        ids = self._prompt_ids(task, given_back, observer)
        # What is given back is written once more, and takes nothing from the completion.
        max_tokens = task.max_tokens + len(self._encode(given_back))
        with session_errors():
            prefix_cache = self._slots.take(ids)
        generation = generate(
            self._session,
            prefix_cache,
            ids,
            task.sampling,
            Limits(max_tokens, task.deadline, self._end_tokens),
            cancel,
            self._beginnings.of(given_back),
            observer,
            self._drafter,
        )
        with generation:
            text, stop = self._read(generation, task.hole, given_back, observer)
        _tidy(generation)
        if generation.finish_reason == "cancelled":
            raise Cancelled
        reason = "stop" if generation.finish_reason == "closed" else generation.finish_reason or "stop"
        return Written(text, stop, reason, generation.timings)

    def read(self, task: Task, cancel: CancelToken) -> int:
        """Read what would be read for a completion, and write nothing; return how many tokens were run.

        Raises:
            Cancelled: it is not wanted any more; what was read by then stays read.
            SessionError: the runtime failed.
        """
        given_back = _given_back(task.prefix)
        limits = Limits(max_tokens=1, deadline=None, end_tokens=self._end_tokens)
        ids = self._prompt_ids(task, given_back, UNOBSERVED)
        with session_errors():
            prefix_cache = self._slots.take(ids, ahead=True)
        with generate(self._session, prefix_cache, ids, task.sampling, limits, cancel) as generation:
            next(generation, None)
        _tidy(generation)
        if generation.finish_reason == "cancelled":
            raise Cancelled
        return generation.timings.prompt_tokens - generation.timings.cached_tokens

    def free_memory(self) -> None:
        """Forget what was read; of what is read from now on, less is kept."""
        self._slots.shrink()
        self._encode.cache_clear()
        give_back_freed()

    def _prompt_ids(self, task: Task, given_back: str, observer: CompletionObserver) -> list[int]:
        observer.begins("window")
        prefix = task.prefix.removesuffix(given_back)
        suffix = task.suffix if self._prompt.format.reads_suffix else ""
        budget = max(0, task.num_context - len(self._encode(given_back)))
        window = cut_window(prefix, suffix, budget, observer.encoding(self._encode))
        observer.prompted(task, self._prompt, window, given_back)
        # A model needs something to go on from: no text at all is shown as an empty line.
        return self._prompt.render(window.prefix_ids, window.suffix_ids) or list(self._encode("\n"))

    def _read(
        self, generation: Generation, hole: Hole, given_back: str, observer: CompletionObserver
    ) -> tuple[str, Stop | None]:
        """Read what comes behind the text given back, until it ends or a stop rule ends it."""
        stream, text = TextStream(self._tokenizer), ""
        for token in generation:
            text += stream.push(token)
            if len(text) <= len(given_back):
                continue
            observer.wrote(text[len(given_back) :])
            if (stop := find_stop(hole, text[len(given_back) :])) is not None:
                return text[len(given_back) :], stop
        text = (text + stream.finish())[len(given_back) :]
        ended = generation.finish_reason == "stop"
        return text, find_stop(hole, text, ended=ended) or (None if ended else break_off(hole, text))


def _tidy(generation: Generation) -> None:
    """Give memory back where many rows were run; it takes some milliseconds."""
    if generation.timings.prompt_tokens - generation.timings.cached_tokens > CHUNK_ROWS:
        give_back_freed()


def _given_back(prefix: str) -> str:
    """Return the end of the prefix that the model writes again, so that its tokens are whole ones."""
    start = max(0, len(prefix) - LONGEST_WORD)
    match = UNFINISHED.search(prefix, start)
    return match.group() if match and (match.start() > start or start == 0) else ""
