"""Turns logits into one token id.

The order of the steps, which is what the parameters' documentation promises: temperature scales the
logits, softmax, top-k, renormalise, top-p, renormalise, draw. All in float64. In: logits with their
token ids and the sampling parameters. Out: a distribution, and an id drawn from it by a Philox
generator keyed by (seed, candidate, position), so a draw depends on nothing that was drawn before.
It does not know the model, the KV cache or text.

Conventions are those of the Hugging Face warpers
(https://github.com/huggingface/transformers/blob/main/src/transformers/generation/logits_process.py):
top-k keeps every token whose logit reaches that of the k-th best, so tokens of equal logit stay or go
together; under top-p a token stays when the mass of the tokens above it is below top_p (equal logits:
the lowest id is above), and one token always stays.
"""

from functools import lru_cache
from hashlib import blake2b

import numpy as np
from attrs import field, frozen
from attrs.validators import ge, instance_of, le
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]

FIRST_NUCLEUS = 1024
"""Tokens sorted at first when top-p has to look at a whole vocabulary; most nuclei are far smaller."""


@frozen
class SamplingParams:
    """How one token is chosen. Checked on creation; raises ValueError or TypeError."""

    temperature: float = field(validator=ge(0))
    "Divides the logits; 0 takes the best token (greedy)."
    top_k: int = field(validator=ge(0))
    "How many of the best tokens may be drawn; 0 switches it off."
    top_p: float = field(validator=[ge(0), le(1)])
    "Mass of the best tokens that may be drawn; 1 switches it off."
    seed: int = field(validator=instance_of(int))
    "Any integer, of any size and sign."
    candidate: int = field(default=0, validator=instance_of(int))
    "Which of several completions for one seed."

    @property
    def greedy(self) -> bool:
        """Whether the best token is taken and nothing is drawn."""
        return self.temperature == 0

    @property
    def candidates_needed(self) -> int | None:
        """How many of the best logits decide the distribution; None: all of the vocabulary."""
        if self.greedy:
            return 1
        return self.top_k or None


def suffices(
    logits: NDArray[np.floating],  # (C,) best first
    params: SamplingParams,
    vocab_size: int,
) -> bool:
    """Return whether the C best logits of a vocabulary give the distribution that all of them would."""
    needed = params.candidates_needed or vocab_size
    if logits.size >= vocab_size or needed == logits.size:
        return True
    # Equal logits stay or go together, and those at the cut may go on behind the last candidate.
    return needed < logits.size and bool(logits[-1] < logits[needed - 1])


def distribution(
    logits: NDArray[np.floating],  # (C,)
    ids: NDArray[np.integer],  # (C,)
    params: SamplingParams,
) -> tuple[Ids, Floats]:
    """Return the tokens that may be drawn and their probabilities, best first.

    Tokens of equal logit stand in the order of their ids. The result is that of the
    whole vocabulary when the C best of it are given, in any order, and they suffice (see `suffices`).
    """
    if params.greedy:
        return greedy(logits, ids)
    logits, ids = apply_top_k(logits, ids, params.top_k)
    # Taking off the highest before the division changes nothing, and no temperature can overflow it.
    weights = np.exp((logits.astype(np.float64) - float(logits.max())) / params.temperature)
    mass = weights.sum()
    if params.top_p < 1:
        head = _head_with_mass(weights, mass * params.top_p)
        logits, ids, weights = logits[head], ids[head], weights[head]
    order = np.lexsort((ids, -logits))
    probs = apply_top_p(weights[order] / mass, params.top_p)
    return ids[order[: probs.size]].astype(np.int64), probs


def draw(ids: Ids, probs: Floats, params: SamplingParams, position: int) -> int:
    """Draw one of `ids`; `position` counts the generated tokens from 0."""
    if ids.size == 1:
        return int(ids[0])
    cumulative = probs.cumsum()
    point = uniform(params.seed, params.candidate, position) * cumulative[-1]
    index = int(cumulative.searchsorted(point, side="right"))
    return int(ids[min(index, ids.size - 1)])


def probabilities(
    logits: NDArray[np.floating],  # (V,)
    temperature: float,
    top_k: int | None,
    top_p: float | None,
) -> Floats:  # (V,)
    """Return the distribution over the whole vocabulary; None switches a filter off."""
    params = SamplingParams(temperature, top_k or 0, 1.0 if top_p is None else top_p, seed=0)
    result = np.zeros(logits.size)
    ids, probs = distribution(logits, np.arange(logits.size), params)
    result[ids] = probs
    return result


def uniform(seed: int, candidate: int, position: int) -> float:
    """Return the number in [0, 1) that belongs to (seed, candidate, position)."""
    raw = np.random.Philox(key=_philox_key(seed, candidate), counter=position).random_raw()
    return float(int(raw) >> 11) * 2.0**-53


def greedy(logits: NDArray[np.floating], ids: NDArray[np.integer]) -> tuple[Ids, Floats]:
    """Return the id of the highest logit, of equal ones the lowest, with probability 1."""
    best = ids[logits == logits.max()].min()
    return np.array([best], dtype=np.int64), np.ones(1)


def apply_top_k(
    logits: NDArray[np.floating], ids: NDArray[np.integer], top_k: int
) -> tuple[NDArray[np.floating], NDArray[np.integer]]:
    """Keep the logits that reach the `top_k`-th highest (0: all).

    Done before the softmax: it keeps the order and the ratios, so the softmax of what is left is the
    softmax of everything, cut and renormalised.
    """
    if not top_k or top_k >= logits.size:
        return logits, ids
    kept = _highest(logits, top_k)
    return logits[kept], ids[kept]


def apply_top_p(probs: Floats, top_p: float) -> Floats:
    """Keep the smallest head of sorted probabilities whose mass reaches `top_p`, renormalised."""
    if top_p >= 1:
        return probs
    size = int(probs.cumsum()[:-1].searchsorted(top_p, side="left")) + 1
    kept: Floats = probs[:size] / probs[:size].sum()
    return kept


def _highest(values: NDArray[np.floating], count: int) -> NDArray[np.intp]:
    """Return the indices of all values that reach the `count`-th highest."""
    threshold = np.partition(values, values.size - count)[values.size - count]
    return np.flatnonzero(values >= threshold)


def _head_with_mass(weights: Floats, mass: float) -> NDArray[np.intp]:
    """Return the indices of highest weights, unsorted, that surely hold the nucleus of `mass`.

    Sorting a whole vocabulary costs more than a decoding step of a small model; a nucleus rarely
    has more than a few hundred tokens.
    """
    count = FIRST_NUCLEUS
    while count < weights.size:
        head = _highest(weights, count)
        if weights[head].sum() > mass:
            return head
        count *= 8
    return np.arange(weights.size)


@lru_cache(maxsize=64)
def _philox_key(seed: int, candidate: int) -> int:
    # Hashed, so that any integer fits the 128 bits and neighbouring seeds share nothing.
    digest = blake2b(digest_size=16, person=b"aide sampler")
    for number in (seed, candidate):
        encoded = number.to_bytes(number.bit_length() // 8 + 1, "little", signed=True)
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return int.from_bytes(digest.digest(), "little")
