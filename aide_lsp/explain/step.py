"""One generated token in figures: what it was drawn from, and what each parameter left.

A step keeps what the page needs to compute the distribution again for other parameters.
"""

from collections.abc import Callable

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from aide_lsp.inference import sampler
from aide_lsp.inference.observer import Draw
from aide_lsp.inference.sampler import Floats
from aide_lsp.settings.fields import Parameters

# The graph computes the logits of its 64 best candidates exactly; the others come from a compressed head.
LOGGED = 64
"""Candidates kept of each step; more if Top K leaves more."""
MOST_LOGGED = 256
"""Maximum number of candidates kept of each step."""
RUNNERS_UP = 8
"""Other tokens listed with each token."""
# The page's slider stops at these: the sum cannot be computed from the logged candidates.
TEMPERATURES = tuple(round(0.05 * step, 2) for step in range(1, 21))
"""Temperatures for which the sum over the whole vocabulary is kept, in addition to the one in effect."""


@frozen
class TokenFacts:
    """What a step's token ids mean."""

    name: Callable[[int], str]
    "Returns the text to show for a token id."
    ends: frozenset[int]
    "End tokens."


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
    "Whether it continues the healed text; always true outside of token healing."


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
    "How many of those continue the healed text, or end the word at its end; null: any may come."
    forced: bool
    "Whether none did, so that the most likely token that does, or one of the text's own, was used."
    own: bool
    "Whether it is the healed text's own token, since the model foresees none that continues the text."
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
    own = () if sampler.is_greedy(parameters) else (parameters.temperature,)
    return tuple(sorted({*TEMPERATURES, *own}))


def read_step(draw: Draw, parameters: Parameters, facts: TokenFacts) -> Step:
    """Return the figures of one step."""
    logits = draw.full_logits()[-1]
    # In float64, as the sampler computes.
    everything = logits.astype(np.float64)
    raw = _softmax(everything)
    left = _after_top_k(draw, parameters)
    ids = _logged(draw, left.size)
    kept, probs, forced = _fitting(draw)
    probability = dict(zip(kept.tolist(), probs.tolist(), strict=True))
    candidates = tuple(
        Candidate(
            token=token,
            text=facts.name(token),
            logit=float(logits[token]),
            probability=probability.get(token, 0.0),
            raw_probability=float(raw[token]),
            fits=fits,
        )
        for token, fits in zip(ids, _fits(draw, ids), strict=True)
    )
    scale = temperatures(parameters)
    return Step(
        token=draw.token,
        text=facts.name(draw.token),
        probability=probability[draw.token],
        raw_probability=float(raw[draw.token]),
        rank=1 + int((everything > everything[draw.token]).sum()),
        entropy=_entropy(probs),
        raw_entropy=_entropy(raw),
        after_top_k=left.size,
        after_top_p=draw.kept.size,
        after_beginning=None if draw.allows is None else int(draw.allows.sum()),
        forced=forced,
        own=draw.is_own,
        ends=draw.token in facts.ends,
        runners_up=tuple(c for c in candidates if c.token != draw.token)[:RUNNERS_UP],
        candidates=candidates,
        log_mass=_log_mass(everything, everything.max(), scale),
        log_mass_top_k=_log_mass(left, everything.max(), scale) if left.size > len(ids) else None,
    )


def _after_top_k(draw: Draw, parameters: Parameters) -> Floats:
    """Return the logits left by Top K; temperature 0 leaves one."""
    if sampler.is_greedy(parameters):
        return np.array([float(draw.logits.max())])
    kept, _ = sampler.apply_top_k(draw.logits, draw.ids, parameters.top_k)
    return kept.astype(np.float64)


def _fits(draw: Draw, ids: list[int]) -> list[bool]:
    """Say which of some tokens continue the healed text."""
    if draw.fits is None:
        return [True] * len(ids)
    return [bool(fits) for fits in draw.fits(np.array(ids))]


def _logged(draw: Draw, left: int) -> list[int]:
    count = min(max(LOGGED, left), MOST_LOGGED)
    # The sampler's order: of equal logits the lower id comes first.
    order = np.lexsort((draw.ids, -draw.logits))[:count]
    return [int(token) for token in draw.ids[order]]


def _fitting(draw: Draw) -> tuple[NDArray[np.int64], Floats, bool]:
    """Return the tokens that could be drawn, their probabilities, and whether the token was forced."""
    if draw.allows is None:
        return draw.kept, draw.probs, False
    if not draw.allows.any():
        return np.array([draw.token]), np.ones(1), True
    probs = draw.probs[draw.allows]
    return draw.kept[draw.allows], probs / probs.sum(), False


def _softmax(logits: Floats) -> Floats:
    weights = np.exp(logits - logits.max())
    probs: Floats = weights / weights.sum()
    return probs


def _entropy(probs: Floats) -> float:
    positive = probs[probs > 0]
    # 0.0 rather than the -0.0 of a certain token.
    return abs(float(-(positive * np.log2(positive)).sum()))


def _log_mass(logits: Floats, best: float, scale: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(float(np.log(sampler.weigh(logits, best, temperature).sum())) for temperature in scale)
