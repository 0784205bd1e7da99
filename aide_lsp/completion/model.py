"""A model that completes prompts: the interface the completer uses, whatever engine runs it.

An engine is a module in `aide_lsp/engines/` with a class that has these methods. All but `info`, `failure`,
and `is_back` is used by one thread at a time.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from attrs import frozen

from aide_lsp.completion.observer import UNOBSERVED, CompletionObserver
from aide_lsp.completion.prompt import Prompt
from aide_lsp.errors import ServerError
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.observer import Timings
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.settings.fields import PARAMETERS
from aide_lsp.settings.limits import ModelLimits

ALL_PARAMETERS = frozenset(PARAMETERS)
SHARES = {
    "joined": "One process runs the model for all your editors. This one joined it.",
    "started": "One process runs the model for all your editors. This one started it.",
    "alone": 'This editor runs the model alone, although the setting engine is "shared": {}.',
}
"""What each value of `sharing` means."""


@frozen
class ModelInfo:
    """What is known of a loaded model, and what it can do."""

    id: str
    "Id of its card, or the name of its folder."
    engine: str
    "What runs it: `onnx`, ..."
    device: str
    "`cpu` or `cuda`; `server`: one that does not say."
    recipe: str
    "How its weights are stored and multiplied; empty where unknown."
    vocabulary_size: int
    "Number of logits."
    context_length: int
    "Tokens it takes at most."
    device_note: str | None = None
    "Why it does not run on the requested device; None: it does."
    host: str = ""
    "Host (and port) of the server that text is sent to; empty: no text leaves this process."
    source_sha256: str = ""
    "Of the file it was converted from; empty if it was not."
    runtime: str = ""
    "Version of the library, or of the server, that runs it; empty where unknown."
    processor: str = ""
    "Kind of the processor where it runs; empty where unknown."
    folder: Path | None = None
    "Where its files are; None: it was not read from files."
    fim: str = ""
    "Name of the FIM format in which prompts are written for it; empty: unknown."
    reads_suffix: bool = True
    "Whether it can read the text after the cursor."
    reads_files: bool = False
    "Whether it can read excerpts of other files."
    context_share: float = 0.0
    "Share of Num Context for them that its card says."
    replays: bool = False
    "Whether one seed always gives the same bytes."
    explains: bool = False
    "Whether it reports what each token was drawn from."
    rates: bool = True
    "Whether it reports how probable a text is; otherwise `min_confidence` has no effect."
    sharing: str = ""
    """Of Aide's own engine: `joined` or `started`, if one process runs it for several editors; `alone`, if it
    was to be shared, but runs here; empty: it was not to be shared."""
    sharing_note: str = ""
    "Why it runs alone: a reason that fits after a colon."
    honored: frozenset[str] = ALL_PARAMETERS
    "Names of the generation parameters that have an effect."

    @property
    def limits(self) -> ModelLimits:
        """What it allows for Top K and Num Context."""
        return ModelLimits(self.vocabulary_size, self.context_length)

    @property
    def runs_on(self) -> str:
        """Device and recipe, or the server, for people."""
        return (
            f"{self.engine} at {self.host}" if self.host else f"{self.device.upper()}, recipe {self.recipe}"
        )

    @property
    def shares(self) -> str:
        """Whether its engine is shared, in a sentence; empty: it was not to be."""
        return SHARES.get(self.sharing, "").format(self.sharing_note)

    def context_share_of(self, options: GenerationOptions) -> float:
        """Return the share of Num Context that other files take at most."""
        return max(options.context_share, min(options.most_card_share, self.context_share))

    def is_rated(self, options: GenerationOptions) -> bool:
        """Whether the probability of a text generated with these options is known."""
        # Servers are only asked for it where it decides: it makes their answers longer.
        return self.explains or (self.rates and options.min_confidence > 0)

    @property
    def ignored(self) -> tuple[str, ...]:
        """Keys of the generation parameters that have no effect."""
        return tuple(key for key in PARAMETERS if key not in self.honored)


class TextGeneration(Protocol):
    """The text that a model generates, piece by piece. Iterate it once; close it in any case."""

    finish_reason: str | None
    "`stop`, `length` or `timeout`; None while it runs. The last piece may come with it."

    @property
    def timings(self) -> Timings:
        """What it has cost so far."""

    @property
    def log_probability(self) -> float:
        """Natural logarithm of the model's own probability of what was yielded so far; 0 if unknown."""

    def __iter__(self) -> Iterator[str]:
        """Yield the pieces; the healed text is not among them.

        Raises:
            Cancelled: no one waits for it anymore.
            SessionError: the model failed.
        """
        ...

    def close(self) -> None:
        """End it; does nothing when it has ended."""


class Model(Protocol):
    """A loaded model."""

    @property
    def info(self) -> ModelInfo:
        """What is known of it. It may change where a server runs it."""

    @property
    def failure(self) -> ServerError | None:
        """Why the server that runs it gave the last request no answer; None: it did, or there is none."""

    def is_back(self) -> bool:
        """Ask that server, without any text, whether it answers again. Never raises."""
        ...

    def count_tokens(self, text: str) -> int:
        """Count the tokens of a text, at least approximately. Must be fast: it runs for many lines."""
        ...

    def generate(
        self,
        prompt: Prompt,
        options: GenerationOptions,
        cancel: CancelToken,
        observer: CompletionObserver = UNOBSERVED,
    ) -> TextGeneration:
        """Begin to generate what comes at the cursor. The deadline of the options counts from now.

        Raises:
            SessionError: the model failed.
        """
        ...

    def prefill(self, prompt: Prompt, options: GenerationOptions, cancel: CancelToken) -> int:
        """Prefill a prompt ahead of a request; return how many tokens were run. May do nothing.

        Raises:
            Cancelled: it is no longer wanted; what was prefilled by then stays.
            SessionError: the model failed.
        """
        ...

    def self_test(self) -> bool:
        """Whether results are independent of what was generated before, as a seed promises."""
        ...

    def release_memory(self) -> None:
        """Drop what was prefilled, and keep less of it from now on."""
