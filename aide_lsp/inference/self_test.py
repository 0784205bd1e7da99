"""Tests whether a loaded model gives one prompt the same bits every time, as seeds require.

Compares logits of a prompt that is run at once, run piece by piece as typing does, run in larger buffers, and
run with several rows requested as drafts do. The guarantee depends on how kernels add (see `session_aide`);
this finds machines and versions of the runtime on which they add differently.
"""

from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.generate import generate
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.prefix_cache import PrefixCache
from aide_lsp.inference.session import Candidates, Session
from aide_lsp.settings.fields import Parameters

PIECES = (1, 2, 35, 36, 129, 131, 194)
"""Lengths to which the prompt grows: around the kernels' blocks, by one token and by many."""

LARGE_CAPACITY = 2048
"""Positions of the larger buffers."""
DRAFTED = 4
"""Smallest forwards that are combined into one, if rows are independent."""

# A fixed seed, since logits after the second token are comparable only if the first one is the same.
_OPTIONS = GenerationOptions(Parameters(temperature=1.0, top_k=0, top_p=1.0, seed=0), max_tokens=2)


def keeps_bits(session: Session) -> bool:
    """Return whether a prompt typed in pieces gives the same bits as when it is run at once.

    Takes about as long as prefilling 550 tokens. The contents of the session's KV cache are lost.

    Raises:
        SessionError: the runtime failed.
    """
    # Any tokens will do; these are spread over the vocabulary.
    ids = [position * 7919 % session.vocab_size for position in range(PIECES[-1])]
    typed = PrefixCache()
    for length in PIECES:
        piecewise = _logits(session, typed, ids[:length])
    at_once = _logits(session, PrefixCache(), ids)
    small, large = session.kv, session.new_kv()
    large.reserve(min(LARGE_CAPACITY, session.context_length))
    session.use(large)
    in_large = _logits(session, PrefixCache(), ids)
    session.use(small)
    return piecewise == at_once == in_large and _rows_agree(session, ids)


def _rows_agree(session: Session, ids: list[int]) -> bool:
    """Return whether the candidates of several rows are those of each row alone, if drafts rely on it.

    Runs each row as the last of a forward, and requests every number of last rows of a long forward.
    """
    rule, nobody = session.row_rule, CancelToken()
    if not rule.drafts:
        return True
    rows = rule.step or rule.multiple * DRAFTED
    # Steps begin at multiples of their size.
    past = (len(ids) - rows) // rows * rows
    run = ids[past : past + rows]
    together = session.forward(run, past, range(rows), nobody)
    for row in range(rule.multiple - 1, rows):
        first = 0 if rule.step else row + 1 - rule.multiple
        # Padded as a step is; without steps the factor is negative, which adds nothing.
        alone = run[first : row + 1] + run[row : row + 1] * (rule.step - (row + 1 - first))
        found = session.forward(alone, past + first, [row - first], nobody)
        if _bytes(found) != _bytes(together, row, row + 1):
            return False
    # Kernels that take rows in pairs may round the last of an odd number in another way.
    last = (session.forward(run, past, range(first, rows), nobody) for first in range(rows))
    return all(_bytes(found) == _bytes(together, first) for first, found in enumerate(last))


def _bytes(candidates: Candidates, first: int = 0, end: int | None = None) -> tuple[bytes, bytes]:
    return candidates.ids[first:end].tobytes(), candidates.logits[first:end].tobytes()


def _logits(session: Session, cache: PrefixCache, ids: list[int]) -> bytes:
    """Return all logits after `ids` and after one more token, as bytes."""
    seen = []
    for _ in generate(session, cache, ids, _OPTIONS, CancelToken()):
        seen.append(session.full_logits().tobytes())
    return b"".join(seen)
