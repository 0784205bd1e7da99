"""Reads what one token was drawn from, where the model runs."""

import numpy as np
from attrs import evolve
from numpy.typing import NDArray

from aide_lsp.completion.observer import RenderedPrompt
from aide_lsp.completion.step import Candidate, Step, temperatures
from aide_lsp.inference import sampler
from aide_lsp.inference.observer import Draw
from aide_lsp.inference.sampler import Floats
from aide_lsp.inference.tokenizer import TextStream
from aide_lsp.settings.fields import Parameters

# The graph computes the logits of its 64 best candidates exactly; the others come from a compressed head.
LOGGED = 64
"""Candidates kept of each step; more if Top K leaves more."""
MOST_LOGGED = 256
"""Maximum number of candidates kept of each step."""
RUNNERS_UP = 8
"""Other tokens listed with each token."""


class StepReader:
    """Reads the tokens of one generation, in their order."""

    def __init__(self, rendered: RenderedPrompt, parameters: Parameters) -> None:
        """Take the prompt, which says what tokens mean, and the parameters in effect."""
        assert rendered.tokenizer is not None
        self._tokenizer, self._control_names = rendered.tokenizer, rendered.control_names
        self._ends, self._parameters = rendered.end_tokens, parameters
        self._stream = TextStream(self._tokenizer)

    def read(self, draw: Draw, ms: float) -> tuple[Step, str]:
        """Return the figures of a token, and the text that it completes; an end token has none.

        `ms`: milliseconds that its forward and its drawing took.
        """
        step = evolve(self._figures(draw), ms=ms)
        return step, "" if step.ends else self._stream.push(step.token)

    def _name(self, token: int) -> str:
        """Return the text to show for a token."""
        raw, names = self._tokenizer.token_bytes(token), self._control_names
        if raw or token not in names:
            return raw.decode("utf-8", "backslashreplace") or f"<token {token}>"
        return names[token]

    def _figures(self, draw: Draw) -> Step:
        parameters = self._parameters
        logits = draw.full_logits()
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
                text=self._name(token),
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
            text=self._name(draw.token),
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
            ends=draw.token in self._ends,
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
