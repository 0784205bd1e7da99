"""Asks a loaded model whether it keeps the promise that one prompt has one answer.

In: a session. Out: whether logits come out bit for bit the same when a prompt is run at once, when it is run
piece by piece, as typing does, in larger buffers, and when several rows are asked for, as drafts do. What is
promised rests on how kernels add (see `session_aide`); this finds machines and versions of the runtime on
which they add otherwise. It does not know text.
"""

from aide_lsp.inference.cancel import CancelToken
from aide_lsp.inference.generate import generate
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.inference.prefix_cache import PrefixCache
from aide_lsp.inference.session import Candidates, Session
from aide_lsp.settings.fields import Parameters

PIECES = (1, 2, 35, 36, 129, 131, 194)
"""Prompt lengths, one after the other: around the kernels' blocks, by one token and by many."""

ROOMY = 2048
"""Positions of the larger buffers."""
DRAFTED = 4
"""Forwards of the fewest rows that are made one, where rows are independent."""

_OPTIONS = GenerationOptions(Parameters(temperature=1.0, top_k=0, top_p=1.0, seed=0), max_tokens=2)


def keeps_bits(session: Session) -> bool:
    """Return whether a prompt typed in pieces gives the bits of the same prompt run at once.

    Takes about as long as reading 550 tokens; what the session held is lost, so clear its prefix cache.

    Raises:
        SessionError: the runtime failed.
    """
    # Spread over the vocabulary; which tokens these are does not matter.
    ids = [position * 7919 % session.vocab_size for position in range(PIECES[-1])]
    typed = PrefixCache()
    for length in PIECES:
        piecewise = _logits(session, typed, ids[:length])
    at_once = _logits(session, PrefixCache(), ids)
    small, large = session.kv, session.new_kv()
    large.reserve(min(ROOMY, session.context_length))
    session.use(large)
    with_room = _logits(session, PrefixCache(), ids)
    session.use(small)
    return piecewise == at_once == with_room and _rows_agree(session, ids)


def _rows_agree(session: Session, ids: list[int]) -> bool:
    """Return whether the candidates of several rows are those of each row, where drafts need it.

    Each row is run as the last of a forward, and the last rows of a long one are asked for in any number.
    """
    rule, nobody = session.row_rule, CancelToken()
    if not rule.drafts:
        return True
    rows = rule.step or rule.multiple * DRAFTED
    past = (len(ids) - rows) // rows * rows
    run = ids[past : past + rows]
    together = session.forward(run, past, range(rows), nobody)
    for row in range(rule.multiple - 1, rows):
        first = 0 if rule.step else row + 1 - rule.multiple
        alone = run[first : row + 1] + run[row : row + 1] * (rule.step - (row + 1 - first))
        found = session.forward(alone, past + first, [row - first], nobody)
        if _bytes(found) != _bytes(together, row, row + 1):
            return False
    last = (session.forward(run, past, range(first, rows), nobody) for first in range(rows))
    return all(_bytes(found) == _bytes(together, first) for first, found in enumerate(last))


def _bytes(candidates: Candidates, first: int = 0, end: int | None = None) -> tuple[bytes, bytes]:
    return candidates.ids[first:end].tobytes(), candidates.logits[first:end].tobytes()


def _logits(session: Session, cache: PrefixCache, ids: list[int]) -> bytes:
    """Return all logits behind `ids` and behind one more token, as bytes."""
    seen = []
    for _ in generate(session, cache, ids, _OPTIONS, CancelToken()):
        seen.append(session.full_logits().tobytes())
    return b"".join(seen)
