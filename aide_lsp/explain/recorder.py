"""Looks on while a completion is made, and writes down what happens.

In: what a completion tells its observer. Out: the prompt, the steps, the end and the time of each stage, as
they came. Its own work is left out of the times. It does not know what is told to the user.
"""

from collections.abc import Collection, Sequence
from time import perf_counter

import numpy as np
from attrs import evolve

from aide_lsp.completion.fim import FimPrompt
from aide_lsp.completion.observer import CompletionObserver
from aide_lsp.completion.postprocess import Cleaned
from aide_lsp.completion.window import Encode, Window
from aide_lsp.completion.writer import Task, Written
from aide_lsp.explain.step import Step, Words, read_step
from aide_lsp.inference.observer import Draw
from aide_lsp.inference.session import Session
from aide_lsp.inference.token_healing import Beginning, Beginnings
from aide_lsp.inference.tokenizer import Tokenizer

STAGES = ("window", "tokenise", "prefill", "forward", "sampling", "stop rules", "clean-up")
"""What a completion consists of, in order."""


class Stopwatch:
    """Adds up the time of stages, of which one runs at a time."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._stage, self._since = "", perf_counter()

    @property
    def stage(self) -> str:
        """The stage that runs."""
        return self._stage

    def begin(self, stage: str) -> float:
        """End the running stage and begin another; return the milliseconds of the one that ended."""
        now = perf_counter()
        passed = (now - self._since) * 1000.0
        if self._stage:
            self.ms[self._stage] = self.ms.get(self._stage, 0.0) + passed
        self._stage, self._since = stage, now
        return passed


class Recorder(CompletionObserver):
    """Writes one completion down."""

    reads_logits = True

    def __init__(self, tokenizer: Tokenizer, session: Session, end_tokens: Collection[int]) -> None:
        self._tokenizer, self._session, self._end_tokens = tokenizer, session, frozenset(end_tokens)
        self._watch, self._step_ms = Stopwatch(), 0.0
        self._words = Words(self.name, self._fits, frozenset())
        self._beginning: Beginning | None = None
        self._names: dict[int, str] = {}
        self.task: Task | None = None
        self.prompt: FimPrompt | None = None
        self.window: Window | None = None
        self.given_back = ""
        self.given_back_tokens = 0
        self.steps: list[Step] = []
        self.written: Written | None = None
        self.cleaned: Cleaned | None = None

    @property
    def stages(self) -> dict[str, float]:
        """Milliseconds of each stage, in order."""
        return {stage: self._watch.ms.get(stage, 0.0) for stage in STAGES}

    def name(self, token: int) -> str:
        """Return what a token stands for."""
        if (raw := self._tokenizer.token_bytes(token)) or token not in self._names:
            return raw.decode("utf-8", "backslashreplace") or f"<token {token}>"
        return self._names[token]

    def begins(self, stage: str) -> None:
        """See `Observer`."""
        if stage == "forward" and not self.steps:
            stage = "prefill"
        passed = self._watch.begin(stage)
        if stage == "sampling":
            self._step_ms = passed

    def encoding(self, encode: Encode) -> Encode:
        """See `CompletionObserver`."""

        def measured(text: str) -> Sequence[int]:
            before = self._watch.stage
            self._watch.begin("tokenise")
            ids = encode(text)
            self._watch.begin(before)
            return ids

        return measured

    def prompted(self, task: Task, prompt: FimPrompt, window: Window, given_back: str) -> None:
        """See `CompletionObserver`."""
        self._watch.begin("")
        self.task, self.prompt, self.window, self.given_back = task, prompt, window, given_back
        self.given_back_tokens = len(self._tokenizer.encode(given_back))
        self._beginning = Beginnings(self._tokenizer).of(given_back)
        self._words = evolve(self._words, ends=self._end_tokens | prompt.stop_ids)
        control = {*prompt.format.control_tokens, *prompt.format.stops}
        ids = {self._tokenizer.token_id(token): token for token in control}
        self._names = {number: token for number, token in ids.items() if number is not None}

    def drew(self, draw: Draw) -> None:
        """See `Observer`."""
        self._step_ms += self._watch.begin("")
        assert self.task is not None
        assert self._beginning is not None
        logits = self._session.full_logits()[-1]
        step = read_step(draw, logits, self.task.sampling, self._words)
        self.steps.append(evolve(step, ms=self._step_ms))
        self._beginning.push(draw.token)

    def finished(self, written: Written, cleaned: Cleaned) -> None:
        """See `CompletionObserver`."""
        self._watch.begin("")
        self.written, self.cleaned = written, cleaned

    def _fits(self, ids: list[int]) -> list[bool]:
        if self._beginning is None or self._beginning.is_given:
            return [True] * len(ids)
        return [bool(fits) for fits in self._beginning.allows(np.array(ids))]
