"""Looks on while a completion is made, and writes down what happens.

In: what a completion tells its observer. Out: the prompt, the steps, the end and the time of each stage, as
they came. Its own work is left out of the times. It does not know what is told to the user.
"""

from time import perf_counter

from attrs import evolve

from aide_lsp.completion.observer import CompletionObserver, GeneratedText, RenderedPrompt
from aide_lsp.completion.postprocess import Cleaned
from aide_lsp.completion.prompt import Prompt
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.completion.window import CountTokens
from aide_lsp.explain.step import Step, Words, read_step
from aide_lsp.inference.observer import Draw

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


class CompletionTrace(CompletionObserver):
    """Writes one completion down."""

    reads_logits = True

    def __init__(self) -> None:
        self._watch, self._step_ms = Stopwatch(), 0.0
        self.request: CompletionRequest | None = None
        self.prompt: Prompt | None = None
        self.rendered_prompt: RenderedPrompt | None = None
        self.steps: list[Step] = []
        self.generated: GeneratedText | None = None
        self.cleaned: Cleaned | None = None

    @property
    def stages(self) -> dict[str, float]:
        """Milliseconds of each stage, in order."""
        return {stage: self._watch.ms.get(stage, 0.0) for stage in STAGES}

    def begins(self, stage: str) -> None:
        """See `Observer`."""
        if stage == "forward" and not self.steps:
            stage = "prefill"
        passed = self._watch.begin(stage)
        if stage == "sampling":
            self._step_ms = passed

    def measuring(self, count_tokens: CountTokens) -> CountTokens:
        """See `CompletionObserver`."""

        def measured(text: str) -> int:
            before = self._watch.stage
            self._watch.begin("tokenise")
            count = count_tokens(text)
            self._watch.begin(before)
            return count

        return measured

    def prompted(self, request: CompletionRequest, prompt: Prompt) -> None:
        """See `CompletionObserver`."""
        self._watch.begin("")
        self.request, self.prompt = request, prompt

    def rendered(self, rendered: RenderedPrompt) -> None:
        """See `CompletionObserver`."""
        self.rendered_prompt = rendered
        self._words = Words(self._name, rendered.end_tokens)

    def drew(self, draw: Draw) -> None:
        """See `Observer`."""
        self._step_ms += self._watch.begin("")
        assert self.request is not None
        step = read_step(draw, self.request.options.parameters, self._words)
        self.steps.append(evolve(step, ms=self._step_ms))

    def finished(self, generated: GeneratedText, cleaned: Cleaned) -> None:
        """See `CompletionObserver`."""
        self._watch.begin("")
        self.generated, self.cleaned = generated, cleaned

    def _name(self, token: int) -> str:
        """Return what a token stands for."""
        assert self.rendered_prompt is not None
        raw, names = self.rendered_prompt.tokenizer.token_bytes(token), self.rendered_prompt.control_names
        if raw or token not in names:
            return raw.decode("utf-8", "backslashreplace") or f"<token {token}>"
        return names[token]
