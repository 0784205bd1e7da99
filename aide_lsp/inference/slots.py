"""The texts whose keys and values are held: several, so that returning to one costs nothing.

A prompt gets the slot that shares most with it, and the session uses that slot's KV cache. Together the slots
take a given amount of memory at most. Earlier prompts of a document that has a newer slot go first: while you
type in one file, where prompts begin otherwise now and then, another file keeps its slot. Then the least
recently used slot goes. Which slot serves a prompt decides how much of it is run, never what the result is.
"""

from collections.abc import Sequence

from attrs import define

from aide_lsp.inference.prefix_cache import PrefixCache, common_prefix
from aide_lsp.inference.session import KeysValues, Session

SMALL_LOSS = 32
"""Tokens of an earlier prompt that may be lost by reusing its slot: a line or two, which costs less to run
again than a slot is worth."""
HEADROOM = 32
"""Positions after a prompt for which memory is reserved at once: most completions are shorter."""


@define(eq=False)
class Slot:
    """One text that was run."""

    kv: KeysValues
    prefix_cache: PrefixCache
    "The tokens that `kv` covers."
    prompt: list[int]
    "The last prompt; what is held after it was generated."
    document: str
    "Names the document that it was for."

    def loss(self, shared: int) -> int:
        """Return how many tokens of its prompt are lost if all but `shared` tokens are dropped."""
        return max(0, min(len(self.prompt), len(self.prefix_cache)) - shared)


class Slots:
    """The slots of one session. Used by one thread."""

    def __init__(self, session: Session, max_bytes: int) -> None:
        self._session, self._max_bytes = session, max_bytes
        self._slots: list[Slot] = []  # the first one is dropped first

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def bytes(self) -> int:
        """Memory of all slots."""
        return sum(slot.kv.bytes for slot in self._slots)

    def take(self, prompt: Sequence[int], document: str = "", *, ahead: bool = False) -> PrefixCache:
        """Make the session use the best slot for `prompt`; return the tokens that it covers.

        Args:
            prompt: token ids.
            document: any name of the document that it is for.
            ahead: it is prefilled ahead of a request; such slots are dropped first.

        Raises:
            SessionError: memory is short.
        """
        slot = self._choose(list(prompt))
        slot.prompt, slot.document = list(prompt), document
        # Not in the list while others are dropped: this text is held even if it exceeds the limit alone.
        self._slots.remove(slot)
        slot.kv.reserve(min(len(prompt) + HEADROOM, self._session.context_length))
        self._free(slot)
        self._slots.insert(0 if ahead else len(self._slots), slot)
        self._session.use(slot.kv)
        return slot.prefix_cache

    def shrink(self) -> None:
        """Drop all slots, and halve the memory that slots may take from now on."""
        # Otherwise the slots would soon take the same memory again.
        self._max_bytes //= 2
        self._slots.clear()
        # The session holds the current KV cache too, and would keep it until the next prompt.
        self._session.release()

    def _choose(self, prompt: list[int]) -> Slot:
        """Return the slot that shares most with `prompt`, or a new one if that slot would lose too much."""
        best = max(self._slots, key=lambda slot: _shared(slot, prompt), default=None)
        if best is None:
            return self._new(self._session.new_kv(), PrefixCache())
        shared = _shared(best, prompt)
        # Where memory is for one slot only, a copy would push out the original.
        if best.loss(shared) <= SMALL_LOSS or 2 * best.kv.bytes > self._max_bytes:
            return best
        return self._new(best.kv.copy(shared), best.prefix_cache.copy(shared))

    def _new(self, kv: KeysValues, prefix_cache: PrefixCache) -> Slot:
        self._slots.append(Slot(kv, prefix_cache, [], ""))
        return self._slots[-1]

    def _free(self, newest: Slot) -> None:
        """Drop slots until there is memory for the newest one, or none are left."""
        while self._slots and self.bytes + newest.kv.bytes > self._max_bytes:
            documents = [*(slot.document for slot in self._slots), newest.document]
            outdated = (at for at, name in enumerate(documents[:-1]) if name in documents[at + 1 :])
            del self._slots[next(outdated, 0)]


def _shared(slot: Slot, prompt: list[int]) -> int:
    return common_prefix(list(slot.prefix_cache.ids), prompt)
