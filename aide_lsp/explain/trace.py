"""Record how one completion is generated: its prompt, steps, end, and the time of each stage.

The time spent on recording is excluded.
"""

from collections.abc import Mapping

from aide_lsp.completion.fitting import Rejection
from aide_lsp.completion.observer import GeneratedText
from aide_lsp.completion.prompt import Prompt
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.completion.step import Step
from aide_lsp.completion.window import CountTokens
from aide_lsp.explain.generation_trace import GenerationTrace
from aide_lsp.infill.cleanup import Cleaned

STAGES = (
    "window", "tokenize", "prefill", "forward", "sampling", "server", "stop rules", "clean-up", "checks",
)  # fmt: skip
"""The stages of a completion, in order. `server`: all that a server does, if it does not say more."""


class CompletionTrace(GenerationTrace):
    """Records one completion; of several candidates the last one."""

    def __init__(self) -> None:
        super().__init__()
        self.request: CompletionRequest | None = None
        self.prompt: Prompt | None = None
        self.steps: list[Step] = []
        self.texts: list[str] = []
        """The text that each step completes."""
        self.generated: GeneratedText | None = None
        self.cleaned: Cleaned | None = None
        self.rejection: Rejection | None = None
        self.rejected: list[tuple[CompletionRequest, Cleaned, Rejection]] = []
        """The candidates before this one that failed the checks."""
        self._elsewhere: dict[str, float] = {}

    def stages(self, *, explains: bool) -> dict[str, float]:
        """Return the milliseconds of each stage, in order; `explains`: whether the engine reports steps."""
        others = ("server",) if explains else ("prefill", "forward", "sampling")
        ms = self.watch.ms | self._elsewhere
        return {stage: ms.get(stage, 0.0) for stage in STAGES if stage not in others}

    def measuring(self, count_tokens: CountTokens) -> CountTokens:
        """See `CompletionObserver`."""

        def measured(text: str) -> int:
            # The window counts tokens while it is cut, but the time is the tokenizer's.
            before = self.watch.stage
            self.watch.begin("tokenize")
            count = count_tokens(text)
            self.watch.begin(before)
            return count

        return measured

    def prompted(self, request: CompletionRequest, prompt: Prompt) -> None:
        """See `CompletionObserver`."""
        self.watch.begin("")
        if self.request and self.cleaned and self.rejection:
            self.rejected.append((self.request, self.cleaned, self.rejection))
        # One that is shown after all is generated again.
        candidate = request.options.candidate
        self.rejected = [one for one in self.rejected if one[0].options.candidate != candidate]
        self.request, self.prompt, self.steps, self.texts = request, prompt, [], []
        self.parameters = request.options.parameters

    def stepped(self, step: Step, text: str) -> None:
        """See `CompletionObserver`."""
        super().stepped(step, text)
        self.steps.append(step)
        self.texts.append(text)

    def spent(self, stages: Mapping[str, float]) -> None:
        """See `CompletionObserver`."""
        for stage in STAGES:
            if stage in stages:
                self._elsewhere[stage] = stages[stage]

    def finished(self, generated: GeneratedText, cleaned: Cleaned, rejection: Rejection | None) -> None:
        """See `CompletionObserver`."""
        self.watch.begin("")
        self.generated, self.cleaned, self.rejection = generated, cleaned, rejection
