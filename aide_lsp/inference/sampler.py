"""Turns logits into one token id.

The steps, in the order that the documentation of the parameters promises: temperature scales the logits,
softmax, top-k, renormalize, top-p, renormalize, draw. All in float64. The draw uses a Philox generator keyed
by (seed, candidate, position), so it depends on nothing that was drawn before.

Tokens are ranked by logit; of equal logits the lower id comes first. Top-k keeps exactly the first k. Top-p
keeps the smallest head whose mass exceeds top_p: at 0 that is the first token, and 1 keeps all. So
temperature 0, top-k 1 and top-p 0 all take the same token. The Hugging Face warpers
(https://github.com/huggingface/transformers/blob/main/src/transformers/generation/logits_process.py) differ
if logits are equal (top-k keeps all that tie) and if a mass is exactly top_p (top-p stops there).

The result is the same whether it comes from the candidates of the graph or from all logits: sums run in an
order of their own, so their last bits do not depend on the order in which tokens are given.
"""

from functools import lru_cache
from hashlib import blake2b
from math import inf

import numpy as np
from numpy.typing import NDArray

from aide_lsp.inference.options import GenerationOptions
from aide_lsp.settings.fields import Parameters

Floats = NDArray[np.float64]
Ids = NDArray[np.int64]

FIRST_NUCLEUS = 1024
"""Tokens sorted first when top-p has to consider a whole vocabulary; most nuclei are far smaller."""
MARGIN = 1.0 + 1e-9
"""Larger than any rounding error of a sum over a vocabulary."""


def check(parameters: Parameters) -> None:
    """Check that these parameters define a distribution; Top K may be 0 here, which keeps all tokens.

    Raises:
        ValueError: they do not.
    """
    # Each range is negated as a whole, so that NaN is refused too.
    if not 0 <= parameters.temperature < inf:
        raise ValueError(f"temperature must be a finite number from 0, not {parameters.temperature}")
    if not parameters.top_k >= 0:
        raise ValueError(f"top_k must be 0 or more, not {parameters.top_k}")
    if not 0 <= parameters.top_p <= 1:
        raise ValueError(f"top_p must be from 0 to 1, not {parameters.top_p}")


def is_greedy(parameters: Parameters) -> bool:
    """Whether the best token is taken and nothing is drawn."""
    return parameters.temperature == 0


def candidates_needed(parameters: Parameters) -> int | None:
    """Return how many of the best logits decide the distribution; None: all of the vocabulary."""
    return 1 if is_greedy(parameters) else parameters.top_k or None


def suffices(
    logits: NDArray[np.floating],  # (C,) best first
    parameters: Parameters,
    vocab_size: int,
) -> bool:
    """Return whether the C best logits of a vocabulary give the distribution that all of them would."""
    needed = candidates_needed(parameters) or vocab_size
    if logits.size >= vocab_size or needed == logits.size:
        return True
    # Tokens with the logit at the cut may continue beyond the last candidate, and one may have a lower id.
    # If all candidates are needed there is no way to know: the graph's choice is taken.
    return needed < logits.size and bool(logits[-1] < logits[needed - 1])


def distribution(
    logits: NDArray[np.floating],  # (C,)
    ids: NDArray[np.integer],  # (C,)
    parameters: Parameters,
) -> tuple[Ids, Floats]:
    """Return the tokens that may be drawn and their probabilities, best first.

    Given the C best of a vocabulary, if they suffice (see `suffices`), the result is that of the whole
    vocabulary. Up to `FIRST_NUCLEUS` of them may be given in any order.
    """
    if is_greedy(parameters):
        return greedy(logits, ids)
    logits, ids = apply_top_k(logits, ids, parameters.top_k)
    weights = weigh(logits, float(logits.max()), parameters.temperature)
    mass = _sum(weights)
    if parameters.top_p < 1:
        head = _head_with_mass(weights, mass * parameters.top_p)
        logits, ids, weights = logits[head], ids[head], weights[head]
    order = np.lexsort((ids, -logits))
    probs = apply_top_p(weights[order], mass, parameters.top_p)
    return ids[order[: probs.size]].astype(np.int64), probs


def draw(ids: Ids, probs: Floats, options: GenerationOptions, position: int) -> int:
    """Draw one of `ids`; `position` counts the generated tokens from 0."""
    if ids.size == 1:
        return int(ids[0])
    cumulative = probs.cumsum()
    # A product with rounding may reach the sum itself, hence `min`. On the right, so that a point on a border
    # is the next token's, and none of probability 0 is drawn.
    point = uniform(options.seed, options.candidate, position) * cumulative[-1]
    index = int(cumulative.searchsorted(point, side="right"))
    return int(ids[min(index, ids.size - 1)])


def probabilities(
    logits: NDArray[np.floating],  # (V,)
    temperature: float,
    top_k: int | None,
    top_p: float | None,
) -> Floats:  # (V,)
    """Return the distribution over the whole vocabulary; None switches a filter off."""
    parameters = Parameters(temperature, top_k or 0, 1.0 if top_p is None else top_p)
    result = np.zeros(logits.size)
    ids, probs = distribution(logits, np.arange(logits.size), parameters)
    result[ids] = probs
    return result


def uniform(seed: int, candidate: int, position: int) -> float:
    """Return the number in [0, 1) that belongs to (seed, candidate, position)."""
    # Recorded in a test: a seed that someone noted gives the same completion in every later version. Hence
    # `random_raw`: NumPy keeps the streams of bit generators, not what `Generator` makes of them (NEP 19).
    raw = np.random.Philox(key=_philox_key(seed, candidate), counter=position).random_raw()
    # The 53 bits that a float holds.
    return float(int(raw) >> 11) * 2.0**-53


def greedy(logits: NDArray[np.floating], ids: NDArray[np.integer]) -> tuple[Ids, Floats]:
    """Return the id of the highest logit, of equal ones the lowest, with probability 1."""
    best = ids[logits == logits.max()].min()
    return np.array([best], dtype=np.int64), np.ones(1)


def weigh(logits: NDArray[np.floating], best: float, temperature: float) -> Floats:
    """Return how likely each token is, relative to a token with the logit `best`."""
    # Subtracted before the division, so that the best token always weighs 1. With a tiny temperature the
    # others may overflow to minus infinity, and weigh nothing.
    with np.errstate(over="ignore"):
        weights: Floats = np.exp((logits.astype(np.float64) - best) / temperature)
    return weights


def apply_top_k(
    logits: NDArray[np.floating], ids: NDArray[np.integer], top_k: int
) -> tuple[NDArray[np.floating], NDArray[np.integer]]:
    """Keep the `top_k` highest logits (0: all), of equal ones those with the lowest ids.

    Applied before the softmax, which keeps order and ratios: the softmax of what is left is the softmax of
    everything, cut and renormalized.
    """
    if not top_k or top_k >= logits.size:
        return logits, ids
    kept = _highest(logits, top_k)
    if kept.size > top_k:
        kept = kept[np.lexsort((ids[kept], -logits[kept]))[:top_k]]
    return logits[kept], ids[kept]


def apply_top_p(weights: Floats, mass: float, top_p: float) -> Floats:
    """Keep the smallest head of sorted weights above the share `top_p` of `mass`; return probabilities.

    Weights are added up, not probabilities: n equal tokens weigh exactly n, not n times a rounded 1/n.
    """
    probs = weights / mass
    # A probability that a low temperature makes 0 cannot be drawn, even if nothing else continues a word.
    probs = probs[: np.count_nonzero(probs)]
    if top_p >= 1:
        return probs
    # On the right, since the mass has to exceed the share. Without the last sum, so that rounding cannot ask
    # for more tokens than there are.
    size = int(weights.cumsum()[:-1].searchsorted(top_p * mass, side="right")) + 1
    kept: Floats = probs[:size] / probs[:size].sum()
    return kept


def _highest(values: NDArray[np.floating], count: int) -> NDArray[np.intp]:
    """Return the indices of all values that reach the `count`-th highest."""
    threshold = np.partition(values, values.size - count)[values.size - count]
    return np.flatnonzero(values >= threshold)


def _sum(weights: Floats) -> float:
    """Add up weights; up to `FIRST_NUCLEUS` of them, the result does not depend on their order."""
    return float((np.sort(weights) if weights.size <= FIRST_NUCLEUS else weights).sum())


def _head_with_mass(weights: Floats, mass: float) -> NDArray[np.intp]:
    """Return the indices of highest weights, unsorted, that are sure to contain the nucleus of `mass`.

    Sorting a whole vocabulary takes about as long as a decoding step of a small model, and a nucleus rarely
    has more than a few hundred tokens.
    """
    count = FIRST_NUCLEUS
    while count < weights.size:
        head = _highest(weights, count)
        if weights[head].sum() > mass * MARGIN:
            return head
        count *= 8
    return np.arange(weights.size)


@lru_cache(maxsize=64)
def _philox_key(seed: int, candidate: int) -> int:
    # Hashed, so that any integer fits the 128 bits and neighboring seeds share nothing.
    digest = blake2b(digest_size=16, person=b"aide sampler")
    for number in (seed, candidate):
        # With its length, so that no two pairs of numbers give the same bytes.
        encoded = number.to_bytes(number.bit_length() // 8 + 1, "little", signed=True)
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    return int.from_bytes(digest.digest(), "little")
