"""What a generation reports about itself, to explain it.

An observer changes nothing: the tokens are the same with and without one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import frozen

# Not at run time: the server imports this module, and must start without NumPy.
if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from aide_lsp.inference.sampler import Floats, Ids


@frozen
class Timings:
    """What a generation cost."""

    prompt_tokens: int = 0
    "Tokens of the prompt."
    cached_tokens: int = 0
    "Those of them that the KV cache held already."
    generated_tokens: int = 0
    "Tokens generated."
    forwards: int = 0
    "Forwards for them, including the prompt's last one; fewer than tokens where drafts were right."
    first_token_ms: float = 0.0
    "Milliseconds until the first token; 0 if there was none."
    total_ms: float = 0.0
    "Milliseconds until the end."


@frozen(eq=False)
class Draw:
    """One token, and what it was drawn from."""

    token: int
    "The token that was drawn, or taken because none of `kept` continues the healed text."
    logits: NDArray[np.floating]  # (C,)
    "Logits that the distribution was computed from: of the best candidates, or of the whole vocabulary."
    ids: NDArray[np.integer]  # (C,)
    "Their tokens."
    kept: Ids  # (N,)
    "Tokens that Top K and Top P keep, best first."
    probs: Floats  # (N,)
    "Their probabilities."
    full_logits: Callable[[], NDArray[np.floating]]  # () -> (V,)
    "Returns the logits of the whole vocabulary that it was drawn from."
    allows: NDArray[np.bool_] | None = None  # (N,)
    "Which of `kept` continue the healed text; None: all."
    fits: Callable[[Ids], NDArray[np.bool_]] | None = None
    "Says which of some tokens continue the healed text; None: all."
    is_own: bool = False
    "Whether it is the healed text's own token, taken because the model foresees none that continues it."


class Observer:
    """Receives what happens. This one ignores it."""

    traces = False
    """Whether it receives each token. Each then has its own forward, so that full logits can be read."""

    def begins(self, stage: str) -> None:
        """Note that a stage begins now, and that the last one ends."""

    def drew(self, draw: Draw) -> None:
        """Note a token."""


UNOBSERVED = Observer()
"""For generations that no one observes."""
