"""The loop: prompt in, token ids out, one at a time.

In: a session, its prefix cache, the prompt's ids, how to sample, when to stop, a cancel token. Out: an
iterator of token ids that afterwards says why it ended and how long things took. A forward may run a draft
behind the newest token (`drafting.py`); the tokens come out one by one as they would without. It does not
know text, FIM formats or files; it never builds the answer and never logs.
"""

from collections.abc import Generator, Iterator, Sequence
from math import isfinite
from time import monotonic

import numpy as np
from attrs import evolve, frozen
from numpy.typing import NDArray

from aide_lsp.errors import SessionError
from aide_lsp.inference import sampler
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.inference.decoder import Forwards
from aide_lsp.inference.drafting import LONGEST_MATCH, Drafter
from aide_lsp.inference.observer import UNOBSERVED, Draw, Observer
from aide_lsp.inference.prefix_cache import PrefixCache
from aide_lsp.inference.sampler import Ids, SamplingParams
from aide_lsp.inference.session import Session
from aide_lsp.inference.token_healing import Beginning


@frozen
class Limits:
    """When a generation ends, whatever the model says."""

    max_tokens: int
    "Tokens to generate at most."
    deadline: float | None = None
    "Seconds of the monotonic clock after which no new forward begins; None: no deadline."
    end_tokens: frozenset[int] = frozenset()
    "Tokens that end the text; they are not given out."


@frozen
class Timings:
    """What a generation cost."""

    prompt_tokens: int = 0
    "Tokens of the prompt."
    cached_tokens: int = 0
    "Those of them that the KV cache held already."
    generated_tokens: int = 0
    "Tokens given out."
    forwards: int = 0
    "Forwards for them, the prompt's last one among them; fewer than tokens where drafts were right."
    prefill_ms: float = 0.0
    "Milliseconds until the prompt was run."
    first_token_ms: float = 0.0
    "Milliseconds until the first token was given out; 0 if none was."
    total_ms: float = 0.0
    "Milliseconds until the end."


def generate(
    session: Session,
    prefix_cache: PrefixCache,
    prompt_ids: Sequence[int],
    sampling: SamplingParams,
    limits: Limits,
    cancel: CancelToken,
    beginning: Beginning | None = None,
    observer: Observer = UNOBSERVED,
    drafter: Drafter | None = None,
) -> "Generation":
    """Return an iterator over the tokens that continue `prompt_ids`. Nothing runs before it is iterated.

    The text that they make begins with `beginning`. What happens is told to `observer`. Drafts come from
    `drafter`; None: each token has a forward of its own.

    Raises:
        SessionError: the prompt is empty or leaves no room in the model's context.
    """
    if not 0 < len(prompt_ids) <= session.context_length:
        raise SessionError(
            f"The prompt has {len(prompt_ids)} tokens; the model takes 1 to {session.context_length}."
        )
    # Drafts are checked by rows that run together, and candidates that left the graph.
    drafts = session.row_rule.drafts and not observer.reads_logits
    if (sampling.candidates_needed or session.vocab_size) > session.candidate_count or not drafts:
        drafter = None
    return Generation(
        session, prefix_cache, list(prompt_ids), sampling, limits, cancel, beginning, observer, drafter
    )


class Generation:
    """An iterator of token ids. `close` it, or use it as a context manager, to end it early."""

    def __init__(
        self,
        session: Session,
        prefix_cache: PrefixCache,
        ids: list[int],
        sampling: SamplingParams,
        limits: Limits,
        cancel: CancelToken,
        beginning: Beginning | None = None,
        observer: Observer = UNOBSERVED,
        drafter: Drafter | None = None,
    ) -> None:
        self._session, self._ids = session, ids
        self._sampling, self._limits, self._cancel = sampling, limits, cancel
        self._beginning, self._observer, self._drafter = beginning, observer, drafter
        self._forwards = Forwards(session, prefix_cache, cancel, limits.deadline, drafter)
        self._started = monotonic()
        self.finish_reason: str | None = None
        "`stop` (end token), `length`, `timeout`, `cancelled`, `closed` (by the user); None while it runs."
        self.timings = Timings(prompt_tokens=len(ids))
        self._tokens = self._run()

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        return next(self._tokens)

    def __enter__(self) -> "Generation":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the generation; does nothing when it has ended."""
        if self.finish_reason is None:
            self._finish("closed")
        self._tokens.close()

    def _run(self) -> Generator[int, None, None]:
        position = 0
        while (reason := self._stop_reason(position)) is None:
            self._observer.begins("forward")
            try:
                logits, ids = self._forward(position)
                self._observer.begins("sampling")
                token = self._sample(logits, ids, position)
            except Cancelled:
                return self._finish("cancelled")
            except TimeoutError:
                return self._finish("timeout")
            self._observer.begins("stop rules")
            if token in self._limits.end_tokens:
                return self._finish("stop")
            position += 1
            self._ids.append(token)
            self._note_token(position)
            yield token
        return self._finish(reason)

    def _stop_reason(self, generated: int) -> str | None:
        if self._cancel.cancelled:
            return "cancelled"
        if generated >= self._limits.max_tokens:
            return "length"
        if len(self._ids) > self._session.context_length:
            return "length"
        if self._limits.deadline is not None and monotonic() >= self._limits.deadline:
            return "timeout"
        return None

    def _forward(self, position: int) -> tuple[NDArray[np.float32], Ids]:
        """Return the candidates behind the last token."""
        forwards, beginning = self._forwards, self._beginning
        fits = beginning.fits if beginning and not beginning.is_given else None
        candidates = forwards.behind(self._ids, self._limits.max_tokens - position - 1, fits)
        if position == 0:
            cached = forwards.cached_tokens or 0
            self.timings = evolve(self.timings, cached_tokens=cached, prefill_ms=self._elapsed_ms())
        return candidates

    def _sample(self, logits: NDArray[np.floating], ids: Ids, position: int) -> int:
        candidates = _checked(logits), ids
        if not sampler.suffices(logits, self._sampling, self._session.vocab_size):
            logits = _checked(self._forwards.full_logits(self._ids))
            ids = np.arange(logits.size)
        kept, probs = sampler.distribution(logits, ids, self._sampling)
        allows = self._allows(kept)
        if allows is None:
            token = sampler.draw(kept, probs, self._sampling, position)
        elif allows.any():
            token = sampler.draw(kept[allows], probs[allows], self._sampling, position)
        else:
            token = self._best(*candidates)
        if self._beginning is not None:
            self._beginning.push(token)
        self._observer.drew(Draw(token, logits, ids, kept, probs, allows))
        return token

    def _allows(self, ids: Ids) -> NDArray[np.bool_] | None:
        """Say which of some tokens may come next; None: any."""
        if self._beginning is None or self._beginning.is_given:
            return None
        return self._beginning.allows(ids)

    def _best(self, logits: NDArray[np.floating], ids: Ids) -> int:
        """Return the most likely token that continues the text as it must; of equal ones the lowest id.

        `logits` and `ids` are the candidates, best first.
        """
        assert self._beginning is not None
        allows = self._beginning.allows(ids)
        if not allows.any() or logits[allows].max() == logits[-1]:
            # None of them does, or tokens that are no candidates may have the same logit.
            ids = self._beginning.allowed
            logits = self._forwards.full_logits(self._ids)[ids]
        else:
            logits, ids = logits[allows], ids[allows]
        (token,), _ = sampler.greedy(logits, ids)
        return int(token)

    def _note_token(self, generated: int) -> None:
        self.timings = evolve(self.timings, generated_tokens=generated, forwards=self._forwards.count)
        if generated == 1:
            self.timings = evolve(self.timings, first_token_ms=self._elapsed_ms())

    def _finish(self, reason: str) -> None:
        self.finish_reason = reason
        self.timings = evolve(self.timings, cached_tokens=self._forwards.cached_tokens or 0)
        generated = self.timings.generated_tokens
        if self._drafter is not None and generated:
            self._drafter.remember(self._ids[-generated - LONGEST_MATCH :])
        self.timings = evolve(self.timings, total_ms=self._elapsed_ms())

    def _elapsed_ms(self) -> float:
        return (monotonic() - self._started) * 1000.0


def _checked(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return logits of which the highest is a number: NaN anywhere is not, nor is infinity."""
    if not isfinite(logits.max()):
        raise SessionError("The model produced NaN or infinite logits. Try another recipe or provider.")
    return logits
