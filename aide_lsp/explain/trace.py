"""Record how one completion is generated: its prompt, steps, end, and the time of each stage.

The time spent on recording is excluded.
"""

from time import perf_counter

from attrs import evolve

from aide_lsp.completion.fitting import Rejection
from aide_lsp.completion.observer import CompletionObserver, GeneratedText, RenderedPrompt
from aide_lsp.completion.prompt import Prompt
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.completion.window import CountTokens
from aide_lsp.explain.step import Step, TokenFacts, read_step
from aide_lsp.inference.observer import Draw
from aide_lsp.infill.cleanup import Cleaned

STAGES = (
    "window", "tokenize", "prefill", "forward", "sampling", "server", "stop rules", "clean-up", "checks",
)  # fmt: skip
"""The stages of a completion, in order. `server`: all that a server does."""


class Stopwatch:
    """Adds up the time of stages; one stage runs at a time."""

    def __init__(self) -> None:
        self.ms: dict[str, float] = {}
        self._stage, self._since = "", perf_counter()

    @property
    def stage(self) -> str:
        """The running stage."""
        return self._stage

    def begin(self, stage: str) -> float:
        """End the running stage and begin another; return the milliseconds since the running stage began."""
        now = perf_counter()
        passed = (now - self._since) * 1000.0
        if self._stage:
            self.ms[self._stage] = self.ms.get(self._stage, 0.0) + passed
        self._stage, self._since = stage, now
        return passed


class CompletionTrace(CompletionObserver):
    """Records one completion; of several candidates the last one."""

    traces = True

    def __init__(self) -> None:
        self._watch, self._step_ms = Stopwatch(), 0.0
        self.request: CompletionRequest | None = None
        self.prompt: Prompt | None = None
        self.rendered_prompt: RenderedPrompt | None = None
        self.steps: list[Step] = []
        self.generated: GeneratedText | None = None
        self.cleaned: Cleaned | None = None
        self.rejection: Rejection | None = None
        self.rejected: list[tuple[CompletionRequest, Cleaned, Rejection]] = []
        """The candidates before this one that failed the checks."""

    @property
    def stages(self) -> dict[str, float]:
        """Milliseconds of each stage, in order; those that the engine does not have are left out."""
        on_server = self.rendered_prompt is not None and self.rendered_prompt.tokenizer is None
        others = ("prefill", "forward", "sampling") if on_server else ("server",)
        return {stage: self._watch.ms.get(stage, 0.0) for stage in STAGES if stage not in others}

    def begins(self, stage: str) -> None:
        """See `Observer`."""
        # The forwards before the first token run the prompt.
        if stage == "forward" and not self.steps:
            stage = "prefill"
        passed = self._watch.begin(stage)
        # A token's time is that of its forward, which ends here, and of sampling, which `drew` adds.
        if stage == "sampling":
            self._step_ms = passed

    def measuring(self, count_tokens: CountTokens) -> CountTokens:
        """See `CompletionObserver`."""

        def measured(text: str) -> int:
            # The window counts tokens while it is cut, but the time is the tokenizer's.
            before = self._watch.stage
            self._watch.begin("tokenize")
            count = count_tokens(text)
            self._watch.begin(before)
            return count

        return measured

    def prompted(self, request: CompletionRequest, prompt: Prompt) -> None:
        """See `CompletionObserver`."""
        self._watch.begin("")
        if self.request and self.cleaned and self.rejection:
            self.rejected.append((self.request, self.cleaned, self.rejection))
        self.request, self.prompt, self.steps = request, prompt, []

    def rendered(self, rendered: RenderedPrompt) -> None:
        """See `CompletionObserver`."""
        self.rendered_prompt = rendered
        if rendered.tokenizer is None:
            self._watch.begin("server")
        self._token_facts = TokenFacts(self._name, rendered.end_tokens)

    def drew(self, draw: Draw) -> None:
        """See `Observer`."""
        # First, so that the time for the figures below is excluded.
        self._step_ms += self._watch.begin("")
        assert self.request is not None
        step = read_step(draw, self.request.options.parameters, self._token_facts)
        self.steps.append(evolve(step, ms=self._step_ms))

    def finished(self, generated: GeneratedText, cleaned: Cleaned, rejection: Rejection | None) -> None:
        """See `CompletionObserver`."""
        self._watch.begin("")
        self.generated, self.cleaned, self.rejection = generated, cleaned, rejection

    def _name(self, token: int) -> str:
        """Return the text to show for a token."""
        assert self.rendered_prompt is not None
        assert self.rendered_prompt.tokenizer is not None
        raw, names = self.rendered_prompt.tokenizer.token_bytes(token), self.rendered_prompt.control_names
        if raw or token not in names:
            return raw.decode("utf-8", "backslashreplace") or f"<token {token}>"
        return names[token]
