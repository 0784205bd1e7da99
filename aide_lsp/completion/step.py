"""One generated token in figures: what it was drawn from, and what each parameter left.

A step keeps what the page needs to compute the distribution again for other parameters. Values only: they are
read where the model runs (`explain/read_step.py`), and can be sent.
"""

from attrs import frozen

from aide_lsp.settings.fields import Parameters

# The page's slider stops at these: the sum cannot be computed from the logged candidates.
TEMPERATURES = tuple(round(0.05 * step, 2) for step in range(1, 21))
"""Temperatures for which the sum over the whole vocabulary is kept, in addition to the one in effect."""


@frozen
class Candidate:
    """A token that could have been generated."""

    token: int
    "Its id."
    text: str
    "Its text; bytes that are not complete characters are shown as `\\xNN`."
    logit: float
    "Its logit."
    probability: float
    "Its probability when the token was drawn; 0: excluded by Temperature, Top K or Top P."
    raw_probability: float
    "Its probability by the model: softmax over the whole vocabulary at temperature 1."
    fits: bool
    "Whether it continues the healed text or a known name; always true elsewhere."


@frozen
class Step:
    """One generated token, and the distribution it was drawn from."""

    token: int
    "Its id."
    text: str
    "Its text."
    probability: float
    "Its probability when it was drawn, after all parameters."
    raw_probability: float
    "Its probability by the model: softmax over the whole vocabulary at temperature 1."
    rank: int
    "Its rank by the model; 1: the most likely token."
    entropy: float
    "Entropy of the distribution it was drawn from, in bits; 1: as open as a choice between two equal tokens."
    raw_entropy: float
    "Entropy of the model's distribution, in bits."
    after_top_k: int
    "Tokens left by Top K."
    after_top_p: int
    "Tokens left by Top P after that."
    # "Beginning" is the healed text; `explanation.FORMAT` keeps the key.
    after_beginning: int | None
    "How many of those continue the healed text or a known name, or end the word; null: any may come."
    forced: bool
    "Whether none did, so that the most likely token that does, or one of the text's own, was used."
    own: bool
    "Whether it is a token that the healed text or a known name begins with, since the model foresees none."
    ends: bool
    "Whether it is an end token, which ends the text and is not shown."
    runners_up: tuple[Candidate, ...]
    "The most likely other tokens, best first."
    candidates: tuple[Candidate, ...]
    "The most likely tokens, best first: all those left by Top K, up to 256."
    log_mass: tuple[float, ...]
    """For each of `temperatures`: the logarithm of the sum of exp((logit - best logit) / temperature) over
    the whole vocabulary. A token's probability after temperature is exp((logit - best logit) / temperature -
    this)."""
    log_mass_top_k: tuple[float, ...] | None
    "The same over the tokens left by Top K; null if all of them are among the candidates."
    ms: float = 0.0
    "Milliseconds for the forward pass and sampling."


def temperatures(parameters: Parameters) -> tuple[float, ...]:
    """Return the temperatures of `Step.log_mass`, lowest first."""
    own = (parameters.temperature,) if parameters.temperature else ()
    return tuple(sorted({*TEMPERATURES, *own}))
