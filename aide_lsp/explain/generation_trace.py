"""Follow what an engine does with one prompt: what each token was drawn from, and the time of each stage.

Used where the model runs: for an explanation in the same process, or to send what it needs to another one.
"""

from time import perf_counter
from typing import TYPE_CHECKING

from aide_lsp.completion.observer import CompletionObserver, RenderedPrompt
from aide_lsp.completion.step import Step
from aide_lsp.inference.observer import Draw
from aide_lsp.settings.fields import Parameters

if TYPE_CHECKING:
    from aide_lsp.explain.read_step import StepReader


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


class GenerationTrace(CompletionObserver):
    """Turns what tokens are drawn from into steps, each of which `stepped` gets."""

    traces = True

    def __init__(self, parameters: Parameters | None = None) -> None:
        """Take the parameters in effect; they must be known before the first token."""
        self.watch, self._step_ms = Stopwatch(), 0.0
        self.parameters = parameters
        self.rendered_prompt: RenderedPrompt | None = None
        self._reader: StepReader | None = None
        self._has_begun = False

    def begins(self, stage: str) -> None:
        """See `Observer`."""
        # The forwards before the first token run the prompt.
        if stage == "forward" and not self._has_begun:
            stage = "prefill"
        passed = self.watch.begin(stage)
        # A token's time is that of its forward, which ends here, and of sampling, which `drew` adds.
        if stage == "sampling":
            self._step_ms = passed

    def rendered(self, rendered: RenderedPrompt) -> None:
        """See `CompletionObserver`."""
        self.rendered_prompt, self._has_begun = rendered, False
        if rendered.tokenizer is None:
            self.watch.begin("server")
            return
        # NumPy, which is only loaded where the model runs.
        from aide_lsp.explain.read_step import StepReader

        assert self.parameters is not None
        self._reader = StepReader(rendered, self.parameters)

    def drew(self, draw: Draw) -> None:
        """See `Observer`."""
        # First, so that the time for the figures below is excluded.
        self._step_ms += self.watch.begin("")
        assert self._reader is not None
        self.stepped(*self._reader.read(draw, self._step_ms))

    def stepped(self, step: Step, text: str) -> None:
        """See `CompletionObserver`."""
        self._has_begun = True
