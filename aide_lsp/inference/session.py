"""The loaded model: token ids in, candidates for the next token out.

In: token ids, the position they stand at, the rows whose logits are wanted. Out: the best candidates
of each row, on request all logits. Two graph layouts stand behind one interface: our own ("aide") and
the one others export ("optimum"). It does not know prompts, sampling or text.
"""

from collections.abc import Sequence
from typing import Any, Protocol, Self

import numpy as np
from attrs import frozen
from numpy.typing import NDArray

from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.prefix_cache import RowRule


@frozen(eq=False)
class Candidates:
    """The tokens a row may be followed by."""

    ids: NDArray[np.int64]  # (P, C)
    "Token ids of the C highest logits of each of P rows, best first."
    logits: NDArray[np.float32]  # (P, C)
    "Their logits."


class KeysValues(Protocol):
    """The KV cache of one text: how it is stored is the session's business."""

    @property
    def bytes(self) -> int:
        """Memory it takes."""

    def reserve(self, length: int) -> None:
        """Make room for `length` positions, keeping what is held."""

    def copy(self, length: int) -> Self:
        """Return another one that holds the same at the first `length` positions."""


class Session(Protocol):
    """A model with a KV cache for one text at a time. Used by one thread at a time."""

    vocab_size: int
    "Number of logits."
    context_length: int
    "Tokens the model takes at most."
    candidate_count: int
    "Candidates of each row."
    provider: str
    "What computes: `cpu` or `cuda`, as the runtime says."
    provider_note: str | None
    "Why it is not the provider that was asked for; None if it is."
    row_rule: RowRule
    "Shapes a forward must have so that results do not depend on what was run before."

    @property
    def kv(self) -> KeysValues:
        """The KV cache that forwards read and write."""

    def new_kv(self) -> KeysValues:
        """Return a KV cache that holds nothing."""
        ...

    def use(self, kv: Any) -> None:
        """Let forwards read and write `kv`, one of this session's."""

    def forward(
        self, ids: Sequence[int], past: int, logit_rows: Sequence[int], cancel: CancelToken
    ) -> Candidates:
        """Run `ids` at positions `past`, `past + 1`, ...; what the KV cache holds from `past` on is replaced.

        Args:
            ids: S token ids.
            past: length of the text before them, whose keys and values are held.
            logit_rows: P indices in `ids`, of the rows whose candidates are wanted.
            cancel: ends the forward, also in the middle.

        Raises:
            Cancelled: `cancel` was set; keys and values up to `past` stay valid.
            SessionError: the runtime failed.
        """
        ...

    def full_logits(self) -> NDArray[np.float32]:  # (P, V)
        """Return all logits of the rows that the last forward was asked for."""
        ...
