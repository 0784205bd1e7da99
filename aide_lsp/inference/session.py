"""The loaded model: token ids in, candidates for the next token out.

Two graph layouts implement this interface: our own (`session_aide`) and the one others export
(`session_optimum`).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, Self

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.prefix_cache import CHUNK_ROWS, RowRule


# Arrays compared with `==` give an array, not an answer.
@frozen(eq=False)
class Candidates:
    """The tokens a row may be followed by."""

    ids: NDArray[np.int64]  # (P, C)
    "Token ids of the C highest logits of each of P rows, best first."
    logits: NDArray[np.float32]  # (P, C)
    "Their logits."


class KeysValues(Protocol):
    """The KV cache of one text; how it is stored is up to the session."""

    @property
    def bytes(self) -> int:
        """Memory it takes."""

    def reserve(self, length: int) -> None:
        """Allocate memory for `length` positions, keeping the contents."""

    def copy(self, length: int) -> Self:
        """Return a copy of the first `length` positions."""


class Session(Protocol):
    """A model with a KV cache for one text at a time. Used by one thread at a time."""

    vocab_size: int
    "Number of logits."
    context_length: int
    "Greatest number of tokens."
    # Few leave the graph: it chooses 64 of 150,000 tokens in 0.1 ms, NumPy in 1 ms.
    candidate_count: int
    "Candidates of each row."
    provider: str
    "`cpu` or `cuda`, as reported by the runtime."
    provider_note: str | None
    "Why it is not the requested provider; None if it is."
    row_rule: RowRule
    "Shapes that a forward must have so that results do not depend on what was run before."

    @property
    def kv(self) -> KeysValues:
        """The KV cache that forwards read and write."""

    def new_kv(self) -> KeysValues:
        """Return an empty KV cache."""
        ...

    # `Any`, since each session takes KV caches of its own class only.
    def use(self, kv: Any) -> None:
        """Make forwards read and write `kv`, a KV cache of this session."""

    def release(self) -> None:
        """Use an empty KV cache, and free all memory that only earlier ones needed."""

    def forward(
        self, ids: Sequence[int], past: int, logit_rows: Sequence[int], cancel: CancelToken
    ) -> Candidates:
        """Run `ids` at positions `past`, `past + 1`, ...; replaces the KV cache's contents from `past` on.

        Args:
            ids: S token ids.
            past: length of the text before them, whose keys and values are in the KV cache.
            logit_rows: P indices in `ids`: the rows whose candidates are wanted.
            cancel: ends the forward, even halfway.

        Raises:
            Cancelled: `cancel` was set; keys and values up to `past` stay valid.
            SessionError: the runtime failed.
        """
        ...

    def full_logits(self) -> NDArray[np.float32]:  # (P, V)
        """Return all logits of the last forward's `logit_rows`."""
        ...

    def logits_of(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:  # (N,) -> (N,)
        """Return the logits of some tokens, of the first of the last forward's `logit_rows`."""
        ...


class Alone:
    """The turn of a generation that has the session to itself: it never waits."""

    chunk_rows = CHUNK_ROWS
    """Rows of one forward of a prompt."""
    was_interrupted = False
    """Whether another generation has run a forward since the last one of this."""

    def __init__(self, *, ahead: bool = False) -> None:
        self.ahead = ahead
        """Whether no one waits for its result."""
        self.kv: KeysValues | None = None
        """Its KV cache, which forwards of its turns use; None: none yet."""
        self.rows_left = 0
        """Rows that have to run before its next token, those of its next forward included."""
        self.rows = 0
        """Those of its next forward."""

    @contextmanager
    def held(self, cancel: CancelToken, deadline: float | None) -> Iterator[None]:
        """Have the session while the body runs. Where several use it, it waits for its turn.

        Raises:
            Cancelled: no one waits for the result anymore.
            TimeoutError: the deadline, a time of `time.monotonic`, has passed.
        """
        yield
