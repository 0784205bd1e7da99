"""Runs the forwards of one generation: the rest of a prompt, then the newest token with a draft.

If the last forward ran the newest token as a draft, its logits are there already and nothing is run.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

import numpy as np
from numpy.typing import NDArray

from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.drafting import NO_DRAFT, Draft, Drafter, Fits
from aide_lsp.inference.forward_watch import WATCH
from aide_lsp.inference.prefix_cache import CHUNK_ROWS, PrefixCache, plan
from aide_lsp.inference.runtime_errors import session_errors
from aide_lsp.inference.session import Alone, Candidates, Session


class Decoder:
    """The forwards of one generation."""

    def __init__(
        self,
        session: Session,
        prefix_cache: PrefixCache,
        cancel: CancelToken,
        deadline: float | None,
        drafter: Drafter | None,
        turn: Alone | None = None,
    ) -> None:
        self._session, self._prefix_cache, self._cancel = session, prefix_cache, cancel
        self._turn = turn or Alone()
        self._deadline, self._drafter = deadline, drafter
        self._prompt: int | None = None  # tokens of the prompt; None until the first forward
        self._candidates: Candidates | None = None  # after the text of the last forward and its draft
        self._draft, self._row = NO_DRAFT, 0
        self.cached_tokens: int | None = None
        """Tokens of the prompt that needed no run; None until the first forward."""
        self.count = 0
        """Forwards so far; of those that run the prompt only the last is counted."""

    def next_token_logits(
        self, ids: Sequence[int], longest: int, fits: Fits | None = None
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:  # (C,), (C,)
        """Return the best logits after `ids` and their tokens, best first.

        Args:
            ids: the text; after the first call, one token longer each time.
            longest: tokens that may follow the next one; a longer draft would be useless.
            fits: says how many tokens of a draft continue the healed text; None: all do.

        Raises:
            Cancelled: no one waits for the result anymore.
            TimeoutError: the deadline has passed.
            SessionError: the runtime failed.
        """
        if self._candidates is None or not self._was_drafted(ids[-1]):
            self._candidates = self._run(ids, longest, fits)
        return self._candidates.logits[self._row], self._candidates.ids[self._row]

    def full_logits(self, ids: Sequence[int]) -> NDArray[np.float32]:  # (V,)
        """Return all logits after `ids`, whose candidates were returned last."""
        with self._last_forward(ids):
            logits: NDArray[np.float32] = self._session.full_logits()[0]
        return logits

    def logits_of(self, tokens: NDArray[np.int64], ids: Sequence[int]) -> NDArray[np.float32]:  # (N,)
        """Return the logits of some tokens after `ids`, whose candidates were returned last."""
        with self._last_forward(ids):
            return self._session.logits_of(tokens)

    @contextmanager
    def _last_forward(self, ids: Sequence[int]) -> Iterator[None]:
        """Run the body when the first row of the session's last forward is the one after `ids`."""
        with self._turn.held(self._cancel, self._deadline):
            if self._row or self._turn.was_interrupted:
                # Another generation may have used the session since the forward that gave the candidates.
                self._candidates = self._run(ids, 0, None)
            with self._watched(1):
                yield

    def _was_drafted(self, token: int) -> bool:
        """Whether the last forward ran the newest token as a draft."""
        if self._drafter is None or self._row >= len(self._draft.tokens):
            return False
        right = self._draft.tokens[self._row] == token
        # Each right token of a draft makes the match before the next one a token longer.
        self._drafter.note(self._draft.matched + self._row, right)
        self._row += right
        return right

    def _run(self, ids: Sequence[int], longest: int, fits: Fits | None) -> Candidates:
        past = self._past(ids)
        self._draft, self._row = self._propose(ids, len(ids) - past, longest, fits), 0
        rule = self._session.row_rule
        chunk_rows = self._turn.chunk_rows
        for chunk in plan(ids, past, rule, chunk_rows, draft=self._draft.tokens, prompt=self._prompt):
            # Between chunks: what was run of a long prompt that takes too long is kept.
            if self._deadline is not None and monotonic() >= self._deadline:
                raise TimeoutError
            self._turn.rows_left, self._turn.rows = len(ids) - chunk.past, len(chunk.ids)
            # The wait for a turn is no time of the forward, which must not hang.
            with self._turn.held(self._cancel, self._deadline):
                # A forward that is stopped halfway leaves invalid keys and values.
                self._prefix_cache.trim(chunk.past)
                started = monotonic()
                with self._watched(len(chunk.ids)):
                    candidates = self._session.forward(chunk.ids, chunk.past, chunk.logit_rows, self._cancel)
                seconds = monotonic() - started
            # All steps have the same number of rows, so there are no costs to compare.
            if self._drafter is not None and not rule.step:
                self._drafter.time(len(chunk.ids), seconds)
            # With the draft, right or wrong: `reuse` drops what the next text does not share.
            self._prefix_cache.extend(chunk.kept, chunk.past)
        self.count += 1
        return candidates

    @contextmanager
    def _watched(self, rows: int) -> Iterator[None]:
        """Run the body, a forward of this many rows: it cannot hang, and raises only our own errors."""
        with session_errors(), WATCH.watching(self._cancel, rows, self._session.provider == "cpu"):
            yield

    def _past(self, ids: Sequence[int]) -> int:
        """Return how many tokens need not be run; checked each time, as others may have used the cache."""
        if self._prompt is None:
            self._prompt = len(ids)
        past = self._prefix_cache.reuse(ids, self._session.row_rule, self._prompt)
        if self.cached_tokens is None:
            self.cached_tokens = past
        return past

    def _propose(self, ids: Sequence[int], rows: int, longest: int, fits: Fits | None) -> Draft:
        rule = self._session.row_rule
        longest = min(longest, self._session.context_length - len(ids))
        # Rows after the end of this step would belong to the next one, and be in the wrong shape here.
        if rule.step:
            longest = min(longest, -len(ids) % rule.step)
        # Saving one token after a long prompt is not noticeable.
        if self._drafter is None or longest <= 0 or rows > CHUNK_ROWS:
            return NO_DRAFT
        # A step has all its rows anyway.
        return self._drafter.propose(ids, None if rule.step else rows, longest, fits)
