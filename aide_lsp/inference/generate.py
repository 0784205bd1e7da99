"""The generation loop: a prompt's token ids in, the token ids that follow out, one at a time.

A forward may run a draft after the newest token (`drafting.py`); the tokens come out one by one all the same.
The loop never builds the answer, and never logs.
"""

from collections.abc import Generator, Iterator, Sequence
from functools import partial
from math import isfinite
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from aide_lsp.errors import PromptLengthError, SessionError
from aide_lsp.inference import sampler
from aide_lsp.inference.cancel import Cancelled, CancelToken
from aide_lsp.inference.decoder import Decoder
from aide_lsp.inference.drafting import LONGEST_MATCH, Drafter
from aide_lsp.inference.observer import UNOBSERVED, Draw, Observer, Timings
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.prefix_cache import PrefixCache
from aide_lsp.inference.sampler import Ids
from aide_lsp.inference.session import Alone, Session
from aide_lsp.inference.token_healing import FORESEEN, HealedText


def generate(
    session: Session,
    prefix_cache: PrefixCache,
    prompt_ids: Sequence[int],
    options: GenerationOptions,
    cancel: CancelToken,
    *,
    end_tokens: frozenset[int] = frozenset(),
    healed: HealedText | None = None,
    observer: Observer = UNOBSERVED,
    drafter: Drafter | None = None,
    turn: Alone | None = None,
) -> "Generation":
    """Return an iterator over the tokens that continue `prompt_ids`. Nothing runs before it is iterated.

    Args:
        session: the model; it uses the KV cache that `prefix_cache` describes.
        prefix_cache: the tokens that need not be run.
        prompt_ids: the prompt.
        options: how tokens are drawn, and how many. Its deadline counts from now.
        cancel: ends the generation, even in the middle of a forward.
        end_tokens: tokens that end the text; they are not yielded.
        healed: the text that the output must begin with.
        observer: is shown what happens.
        drafter: where drafts come from; None: each token has a forward of its own.
        turn: waits for the session where others use it too.

    Raises:
        PromptLengthError: the prompt is empty or too long for the model's context.
        ValueError: the parameters define no distribution.
    """
    sampler.check(options.parameters)
    check_length(prompt_ids, session)
    # Drafts are checked with rows that run together, and with candidates that left the graph.
    drafts = session.row_rule.drafts and not observer.traces
    needed = sampler.candidates_needed(options.parameters) or session.vocab_size
    if needed > session.candidate_count or not drafts:
        drafter = None
    return Generation(
        session, prefix_cache, list(prompt_ids), options, cancel, end_tokens, healed, observer, drafter, turn
    )


def check_length(prompt_ids: Sequence[int], session: Session) -> None:
    """Check that the model can read a prompt.

    Raises:
        PromptLengthError: it cannot.
    """
    if not 0 < len(prompt_ids) <= session.context_length:
        raise PromptLengthError(
            f"The prompt has {len(prompt_ids)} tokens; the model takes 1 to {session.context_length}."
        )


class Generation:
    """An iterator of token ids. `close` it, or use it as a context manager, to end it early."""

    def __init__(
        self,
        session: Session,
        prefix_cache: PrefixCache,
        ids: list[int],
        options: GenerationOptions,
        cancel: CancelToken,
        end_tokens: frozenset[int],
        healed: HealedText | None,
        observer: Observer,
        drafter: Drafter | None,
        turn: Alone | None = None,
    ) -> None:
        self._session, self._ids, self._options, self._cancel = session, ids, options, cancel
        self._end_tokens, self._healed, self._drafter = end_tokens, healed, drafter
        # None if no one looks: the loop then reports nothing at each token.
        self._trace = observer if observer.traces else None
        self._started = monotonic()
        self._deadline = self._started + options.deadline_ms / 1000.0 if options.deadline_ms else None
        self._decoder = Decoder(session, prefix_cache, cancel, self._deadline, drafter, turn)
        self.finish_reason: str | None = None
        "`stop` (end token), `length`, `timeout`, `cancelled`, `closed` (by the caller); None while it runs."
        self.log_probability = 0.0
        """Natural logarithm of the model's own probability of the tokens so far, whatever the parameters."""
        self._prompt_tokens, self._forwards = len(ids), 0
        self._first_token_ms = self._total_ms = 0.0
        self._tokens = self._run()

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        return next(self._tokens)

    def __enter__(self) -> "Generation":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def timings(self) -> Timings:
        """What it has cost so far; the total is known at the end."""
        return Timings(
            prompt_tokens=self._prompt_tokens,
            cached_tokens=self._decoder.cached_tokens or 0,
            generated_tokens=len(self._ids) - self._prompt_tokens,
            forwards=self._forwards,
            first_token_ms=self._first_token_ms,
            total_ms=self._total_ms,
        )

    def close(self) -> None:
        """End the generation; does nothing when it has ended."""
        if self.finish_reason is None:
            # First, since closing the generator ends `_run` without a reason.
            self._finish("closed")
        self._tokens.close()

    def _run(self) -> Generator[int, None, None]:
        position = 0
        while (reason := self._stop_reason(position)) is None:
            try:
                self._begin("forward")
                logits, ids = self._forward(position)
                self._begin("sampling")
                token = self._sample(logits, ids, position)
            except Cancelled:
                return self._finish("cancelled")
            except TimeoutError:
                return self._finish("timeout")
            self._begin("stop rules")
            if token in self._end_tokens:
                return self._finish("stop")
            position += 1
            self._ids.append(token)
            self._forwards = self._decoder.count
            if position == 1:
                self._first_token_ms = self._elapsed_ms()
            yield token
        return self._finish(reason)

    def _begin(self, stage: str) -> None:
        if self._trace:
            self._trace.begins(stage)

    def _stop_reason(self, generated: int) -> str | None:
        # First, so that a cancel is never reported as a length or a timeout.
        if self._cancel.cancelled:
            return "cancelled"
        if generated >= self._options.max_tokens:
            return "length"
        # One token may follow a text that fills the context: the last token need not be run.
        if len(self._ids) > self._session.context_length:
            return "length"
        if self._deadline is not None and monotonic() >= self._deadline:
            return "timeout"
        return None

    def _forward(self, position: int) -> tuple[NDArray[np.float32], Ids]:
        """Return the candidates for the next token."""
        decoder, healed = self._decoder, self._healed
        fits = healed.fits if healed and not healed.is_complete else None
        return decoder.next_token_logits(self._ids, self._options.max_tokens - position - 1, fits)

    def _sample(self, logits: NDArray[np.floating], ids: Ids, position: int) -> int:
        candidates = _checked(logits), ids
        if not sampler.suffices(logits, self._options.parameters, self._session.vocab_size):
            logits = _checked(self._decoder.full_logits(self._ids))
            ids = np.arange(logits.size)
        kept, probs = sampler.distribution(logits, ids, self._options.parameters)
        healed = self._healed
        best = int(kept[0])
        allows = healed.allows(kept, best) if healed and healed.restricts(best) else None
        is_own = False
        if allows is None:
            token = sampler.draw(kept, probs, self._options, position)
        elif allows.any():
            # What is left need not add up to 1: `draw` scales by the sum.
            token = sampler.draw(kept[allows], probs[allows], self._options, position)
        else:
            token, is_own, candidates = self._foreseen(*candidates)
        self._rate(token, *candidates)
        if self._trace:
            fits = partial(healed.allows, best=best) if healed and allows is not None else None
            full_logits = partial(self._decoder.full_logits, self._ids)
            self._trace.drew(Draw(token, logits, ids, kept, probs, full_logits, allows, fits, is_own))
        if healed:
            healed.push(token)
        return token

    def _rate(self, token: int, logits: NDArray[np.floating], ids: Ids) -> None:
        """Add the probability of a token among the candidates, which hold nearly all of it."""
        if self._healed and not self._healed.is_complete:
            # The user typed the healed text: only the choice among tokens that continue it is the model's.
            allows = self._healed.allows(ids, best=token)
            logits, ids = logits[allows], ids[allows]
        self.log_probability += _log_probability(token, logits, ids)

    def _foreseen(
        self, logits: NDArray[np.floating], ids: Ids
    ) -> tuple[int, bool, tuple[NDArray[np.floating], Ids]]:
        """Return the most likely token that continues the healed text, or an own one if none is foreseen.

        Also return whether it is an own one, and the tokens to rate it among. `logits` and `ids` are the
        candidates, best first. Top K and Top P do not apply: the less they leave to chance, the fewer ends of
        words would be found.
        """
        healed, candidates = self._healed, (logits, ids)
        assert healed is not None
        if logits.size < FORESEEN < self._session.vocab_size:
            logits = _checked(self._decoder.full_logits(self._ids))
            ids = np.arange(logits.size)
        best, foreseen = sampler.apply_top_k(logits, ids, FORESEEN)
        allows = healed.allows(foreseen, int(foreseen[0]))
        if allows.any():
            (token,), _ = sampler.greedy(best[allows], foreseen[allows])
            return int(token), False, candidates
        own = np.array(healed.own_tokens(), dtype=np.int64)
        if own.size == 1:
            return int(own[0]), True, candidates
        if not own.size:
            healed.drop_names()
            return int(foreseen[0]), False, candidates
        logits = _checked(self._decoder.logits_of(own, self._ids))
        (token,), _ = sampler.greedy(logits, own)
        return int(token), True, (logits, own)

    def _finish(self, reason: str) -> None:
        self.finish_reason = reason
        generated = len(self._ids) - self._prompt_tokens
        if self._drafter is not None and generated:
            # With tokens of the prompt before them, so that the first generated ones can be found as well.
            self._drafter.remember(self._ids[-generated - LONGEST_MATCH :])
        self._total_ms = self._elapsed_ms()

    def _elapsed_ms(self) -> float:
        return (monotonic() - self._started) * 1000.0


def _log_probability(token: int, logits: NDArray[np.floating], ids: Ids) -> float:
    """Return the natural logarithm of a token's probability among some; 0 if it is not one of them."""
    (index,) = np.nonzero(ids == token)
    if not index.size:
        return 0.0
    above = logits.astype(np.float64) - float(logits[index[0]])
    highest = float(above.max())
    return -(highest + float(np.log(np.exp(above - highest).sum())))


def _checked(logits: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return the logits if their maximum is finite, which no NaN or positive infinity allows."""
    if not isfinite(logits.max()):
        raise SessionError("The model produced NaN or infinite logits. Try another recipe or provider.")
    return logits
