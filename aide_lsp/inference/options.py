"""How one completion is generated: one value, from the request down to the sampler.

A new parameter of sampling is a field of `Parameters`; a new setting of one completion is a field here. Both
are part of the completion cache's key automatically, unless a field says `NOT_IN_KEY`.
"""

from attrs import field, frozen

from aide_lsp.settings.fields import Parameters, new_seed

IN_KEY = "in_key"
NOT_IN_KEY = {IN_KEY: False}
"""Metadata of a field that does not change what a completion says, only whether it comes in time."""


@frozen
class GenerationOptions:
    """How one completion is generated."""

    parameters: Parameters
    "The generation parameters; the seed may be unset."
    max_tokens: int
    "Tokens to generate at most."
    candidate: int = 0
    "Which of several completions for one seed."
    show: str = "fitting"
    "`fitting`: only text that passes the checks is offered; `all`: also text that does not."
    min_confidence: float = 0.0
    "The least probability of a text that is offered; 0: any."
    context_share: float = 0.0
    "Share of Num Context for excerpts of other files, at most."
    # Changes no completion: only `RequestPreparer` reads it, which puts what counts into `context_share`.
    most_card_share: float = field(default=0.0, metadata=NOT_IN_KEY)
    "As much of the share that the model's card says counts; 0: the user has set one."
    deadline_ms: int = field(default=0, metadata=NOT_IN_KEY)
    "Milliseconds after which generation ends without a completion; 0: never."
    # Not compared: two requests for the same completion are equal, whatever was drawn for them.
    drawn_seed: int = field(factory=new_seed, eq=False, metadata=NOT_IN_KEY)
    "The seed where the parameters set none: a request that is tried again draws no other."

    @property
    def seed(self) -> int:
        """The seed that is used: the one the parameters set, or the one drawn."""
        return self.drawn_seed if self.parameters.seed is None else self.parameters.seed
