"""Sends what an explanation needs to the process that asked for it, as lines of the answer's stream."""

from collections.abc import Callable
from typing import Any

from aide_lsp.completion.observer import RenderedPrompt
from aide_lsp.completion.step import Step
from aide_lsp.engines.shared.stream import rendered_line, step_line
from aide_lsp.explain.generation_trace import GenerationTrace
from aide_lsp.settings.fields import Parameters

STAGES = ("prefill", "forward", "sampling")
"""Stages that run where the model is."""


class SentTrace(GenerationTrace):
    """Observes a generation where the model runs."""

    def __init__(self, parameters: Parameters, send: Callable[[dict[str, Any]], object]) -> None:
        """Take the parameters in effect, and what takes each line of the stream."""
        super().__init__(parameters)
        self._send = send

    def rendered(self, rendered: RenderedPrompt) -> None:
        """See `CompletionObserver`."""
        super().rendered(rendered)
        self._send(rendered_line(rendered))

    def stepped(self, step: Step, text: str) -> None:
        """See `CompletionObserver`."""
        super().stepped(step, text)
        spent = {stage: self.watch.ms[stage] for stage in STAGES if stage in self.watch.ms}
        self._send(step_line(step, text, spent))
