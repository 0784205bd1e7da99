"""What a completion tells about itself to whoever wants to explain it.

In: the prompt, what was written, what was left of it. Out: nothing; the base class does nothing. An observer
changes nothing: the text is the same with and without one. It does not know what becomes of what it is
told.
"""

from typing import TYPE_CHECKING

from aide_lsp.inference.observer import Observer

if TYPE_CHECKING:
    from aide_lsp.completion.fim import FimPrompt
    from aide_lsp.completion.postprocess import Cleaned
    from aide_lsp.completion.window import Encode, Window
    from aide_lsp.completion.writer import Task, Written


class CompletionObserver(Observer):
    """Is told what happens. This one does not listen."""

    def encoding(self, encode: "Encode") -> "Encode":
        """Return what the window is to be tokenised with: the same, or one that measures itself."""
        return encode

    def prompted(self, task: "Task", prompt: "FimPrompt", window: "Window", given_back: str) -> None:
        """Note what the model is shown; `given_back` ends the prefix and has to be written again."""

    def wrote(self, text: str) -> None:
        """Note all that was written so far, after each token."""

    def finished(self, written: "Written", cleaned: "Cleaned") -> None:
        """Note what was written, and what clean-up left of it."""


UNOBSERVED = CompletionObserver()
"""Nobody looks on."""
