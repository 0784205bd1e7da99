"""The texts whose keys and values are held: several, so that going back to one costs nothing.

In: the token ids of a prompt. Out: the tokens that the slot covers which serves it best; the session uses its
KV cache from then on. Together the slots take a given memory at most; the one used longest ago goes first.
Which slot serves a prompt decides how much of it is run, never what it says. It does not know text or files.
"""

from collections.abc import Sequence

from attrs import define

from aide_lsp.inference.prefix_cache import PrefixCache, common_prefix
from aide_lsp.inference.session import KeysValues, Session

SMALL_LOSS = 32
"""Tokens of an earlier prompt that are given up for another one in the same slot: a line or two, which
costs less to run again than a slot is worth."""
ROOM = 32
"""Positions behind a prompt for which memory is taken at once: most completions are shorter."""


@define(eq=False)
class Slot:
    """One text that was run."""

    kv: KeysValues
    "Keys and values, in the session's own form."
    prefix_cache: PrefixCache
    "The tokens that they cover."
    prompt: list[int]
    "The last prompt; what is held behind it was generated."

    def loss(self, shared: int) -> int:
        """Return how many tokens of its prompt are lost when all but `shared` tokens are dropped."""
        return max(0, min(len(self.prompt), len(self.prefix_cache)) - shared)


class Slots:
    """The slots of one session. Used by one thread."""

    def __init__(self, session: Session, max_bytes: int) -> None:
        self._session, self._max_bytes = session, max_bytes
        self._slots: list[Slot] = []  # the one that goes first stands first

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def bytes(self) -> int:
        """Memory that all of them take."""
        return sum(slot.kv.bytes for slot in self._slots)

    def take(self, prompt: Sequence[int], *, ahead: bool = False) -> PrefixCache:
        """Let the session use the slot that is best for `prompt`; return the tokens that it covers.

        Args:
            prompt: token ids.
            ahead: nobody has asked yet. Slots that were only filled ahead go first.

        Raises:
            SessionError: memory is short.
        """
        slot = self._choose(list(prompt))
        slot.prompt = list(prompt)
        self._slots.remove(slot)
        slot.kv.reserve(min(len(prompt) + ROOM, self._session.context_length))
        self._free(slot.kv.bytes)
        self._slots.insert(0 if ahead else len(self._slots), slot)
        self._session.use(slot.kv)
        return slot.prefix_cache

    def shrink(self) -> None:
        """Drop all slots; from now on they take half of the memory at most."""
        self._slots.clear()
        self._session.use(self._session.new_kv())
        self._max_bytes //= 2

    def _choose(self, prompt: list[int]) -> Slot:
        """Return the slot that shares most with `prompt`, or a new one where too much would be lost of it."""
        best = max(self._slots, key=lambda slot: _shared(slot, prompt), default=None)
        if best is None:
            return self._new(self._session.new_kv(), PrefixCache())
        shared = _shared(best, prompt)
        if best.loss(shared) <= SMALL_LOSS or 2 * best.kv.bytes > self._max_bytes:
            return best
        return self._new(best.kv.copy(shared), best.prefix_cache.copy(shared))

    def _new(self, kv: KeysValues, prefix_cache: PrefixCache) -> Slot:
        self._slots.append(Slot(kv, prefix_cache, []))
        return self._slots[-1]

    def _free(self, wanted: int) -> None:
        """Drop slots until there is room for `wanted` bytes; that much may be more than is allowed in all."""
        while self._slots and self.bytes + wanted > self._max_bytes:
            del self._slots[0]


def _shared(slot: Slot, prompt: list[int]) -> int:
    return common_prefix(list(slot.prefix_cache.ids), prompt)
