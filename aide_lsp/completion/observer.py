"""What a completion reports about itself, to explain it or to follow its text.

An observer changes nothing: the text is the same with and without one.
"""

from typing import TYPE_CHECKING

from attrs import field, frozen

from aide_lsp.inference.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aide_lsp.completion.fitting import Rejection
    from aide_lsp.completion.prompt import Prompt
    from aide_lsp.completion.request import Completion, CompletionRequest
    from aide_lsp.completion.step import Step
    from aide_lsp.completion.window import CountTokens
    from aide_lsp.context.excerpt import Excerpt
    from aide_lsp.inference.observer import Timings
    from aide_lsp.inference.tokenizer import Tokenizer
    from aide_lsp.infill.cleanup import Cleaned
    from aide_lsp.infill.hole import Hole
    from aide_lsp.infill.stop_rules import Stop


@frozen
class RenderedPiece:
    """A piece of a prompt as the model reads it."""

    kind: str
    "`control` for a control token, else the value of a `PartKind`."
    text: str = field(repr=False)
    "The text, or the control token's name."
    tokens: int
    "Its number of tokens."
    excerpt: "Excerpt | None" = None
    "Where lines of another file are from."


@frozen
class RenderedPrompt:
    """A prompt as one model reads it, and what its tokens mean."""

    format: str
    "Name of the prompt format."
    pieces: tuple[RenderedPiece, ...]
    "In the order in which the model reads them."
    healed_tokens: int
    "Tokens of the healed text."
    tokenizer: "Tokenizer | None"
    "For the bytes of tokens; None: the model runs elsewhere."
    control_names: "Mapping[int, str]"
    "Names of the format's control tokens, which have no bytes."
    end_tokens: frozenset[int]
    "Tokens that end a text."


@frozen
class GeneratedText:
    """What a model generated, before clean-up."""

    hole: "Hole"
    "What is missing at the cursor."
    text: str = field(repr=False)
    "All of it."
    stop: "Stop | None"
    "Where a stop rule ends it."
    finish_reason: str
    "`stop` (end token or stop rule), `length` or `timeout`."
    timings: "Timings"
    "What it cost."
    confidence: float = 1.0
    "The model's own probability of what is kept."


class CompletionObserver(Observer):
    """Receives what happens. This one ignores it."""

    def measuring(self, count_tokens: "CountTokens") -> "CountTokens":
        """Return the function that measures the window: the same, or one that times itself."""
        return count_tokens

    def prompted(self, request: "CompletionRequest", prompt: "Prompt") -> None:
        """Note the prompt; the request's options are those in effect."""

    def rendered(self, rendered: RenderedPrompt) -> None:
        """Note how the model reads the prompt; engines that cannot explain do not report it."""

    def stepped(self, step: "Step", text: str) -> None:
        """Note a token that an engine in another process has drawn, and the text that it completes."""

    def spent(self, stages: "Mapping[str, float]") -> None:
        """Note how long the stages took so far in another process, in milliseconds."""

    def wrote(self, text: str) -> None:
        """Note all text that was generated so far, after each piece."""

    def wants_lines(self) -> bool:
        """Return whether to report what is finished of a text that is still being generated."""
        return False

    def wrote_lines(self, completion: "Completion") -> None:
        """Note the lines that are finished, as they can be shown already."""

    def finished(self, generated: GeneratedText, cleaned: "Cleaned", rejection: "Rejection | None") -> None:
        """Note what was generated, what clean-up left of it, and why that is not offered.

        A candidate that is rejected may be followed by another one, from `prompted` on.
        """


UNOBSERVED = CompletionObserver()
"""For completions that no one observes."""
