"""The texts whose keys and values are held: several, so that returning to one costs nothing.

A prompt gets the slot that shares most with it, and the session uses that slot's KV cache. Together the slots
take a given amount of memory at most. Earlier prompts of a document that has a newer slot go first: while you
type in one file, where prompts begin otherwise now and then, another file keeps its slot. Then the least
recently used slot goes. Which slot serves a prompt decides how much of it is run, never what the result is.

Several owners may share the memory. None uses, or can notice, what slots of another hold. No owner takes more
than it would alone; where all of them take too much, the least recently used slot goes, but none in use.
"""

from collections.abc import Sequence
from threading import Lock

from attrs import define

from aide_lsp.errors import SlotsFullError
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
    owner: str = ""
    "Names whose it is."

    def loss(self, shared: int) -> int:
        """Return how many tokens of its prompt are lost if all but `shared` tokens are dropped."""
        return max(0, min(len(self.prompt), len(self.prefix_cache)) - shared)


class Slots:
    """The slots of one session. Thread-safe; each owner has one generation at a time."""

    def __init__(self, session: Session, max_bytes: int, most_bytes: int = 0) -> None:
        """Take the memory of one owner's slots at most, and of all owners' if there are several."""
        self._session, self._max_bytes, self._most_bytes = session, max_bytes, most_bytes or max_bytes
        self._lock = Lock()
        self._slots: list[Slot] = []  # the first one is dropped first
        self._in_use: dict[str, Slot] = {}  # by owner

    def __len__(self) -> int:
        return len(self._slots)

    @property
    def bytes(self) -> int:
        """Memory of all slots. For any thread."""
        return _bytes(tuple(self._slots))

    def take(
        self, prompt: Sequence[int], document: str = "", *, ahead: bool = False, owner: str = ""
    ) -> PrefixCache:
        """Make the session use the best slot for `prompt`; return the tokens that it covers.

        Args:
            prompt: token ids.
            document: any name of the document that it is for.
            ahead: it is prefilled ahead of a request; such slots are dropped first.
            owner: any name of whose it is; until `leave`, no other owner makes it go.

        Raises:
            SessionError: memory is short.
            SlotsFullError: what others use at the moment takes all memory.
        """
        with self._lock:
            return self._take(list(prompt), document, owner, ahead)

    def _take(self, prompt: list[int], document: str, owner: str, ahead: bool) -> PrefixCache:
        others = sum(slot.kv.bytes for name, slot in self._in_use.items() if name != owner)
        # Without others, one text is held in any case, however little memory there may be.
        if others and others >= self._most_bytes:
            raise SlotsFullError("Other completions take all memory for prefilled text (setting cache_mb).")
        slot = self._choose(prompt, owner)
        slot.prompt, slot.document = prompt, document
        # Not in the list while others are dropped: this text is held even if it exceeds the limit alone.
        self._slots.remove(slot)
        slot.kv.reserve(min(len(prompt) + HEADROOM, self._session.context_length))
        self._in_use[owner] = slot
        self._free(slot)
        self._slots.insert(0 if ahead else len(self._slots), slot)
        self._session.use(slot.kv)
        return slot.prefix_cache

    def take_spare(self, prompt: Sequence[int], document: str = "", *, owner: str = "") -> PrefixCache | None:
        """Make the session use a slot for a prompt that may be asked for next; return what it covers.

        What its owner asked for last stays, and so does all that others hold. None: there is no memory for
        both, or they have so much in common that one slot serves both. Arguments as for `take`.

        Raises:
            SessionError: memory is short.
        """
        with self._lock:
            return self._take_spare(list(prompt), document, owner)

    def _take_spare(self, prompt: list[int], document: str, owner: str) -> PrefixCache | None:
        own = [slot for slot in self._slots if slot.owner == owner]
        if not own or 2 * own[-1].kv.bytes > self._max_bytes:
            return None
        *others, last = own
        # In this order, so that of two that share as much the spare one is used again.
        best = max((*others, last), key=lambda slot: _shared(slot, prompt))
        shared = _shared(best, prompt)
        fits = best.loss(shared) <= SMALL_LOSS
        if fits and best is last:
            return None
        slot = best if fits else _copy(best, shared)
        slot.kv.reserve(min(len(prompt) + HEADROOM, self._session.context_length))
        slot.prompt, slot.document = prompt, document
        others = [other for other in others if other is not slot]
        gone = _in_the_way(others, slot, self._max_bytes - last.kv.bytes)
        kept = [held for held in self._slots if held is not slot and held not in gone]
        mine = [held for held in kept if held.owner == owner]
        if _bytes([slot, *mine]) > self._max_bytes or _bytes([slot, *kept]) > self._most_bytes:
            # A spare one may have grown too large just now. No other is dropped without need.
            self._remove([slot])
            return None
        self._in_use[owner] = slot
        self._slots = [slot, *kept]
        self._session.use(slot.kv)
        return slot.prefix_cache

    def leave(self, owner: str = "") -> None:
        """Note that the generation of an owner has ended."""
        with self._lock:
            self._in_use.pop(owner, None)

    def end(self, owner: str) -> None:
        """Drop all slots of an owner that is gone."""
        with self._lock:
            self._in_use.pop(owner, None)
            self._slots = [slot for slot in self._slots if slot.owner != owner]

    def shrink(self) -> None:
        """Drop all slots, and halve the memory that slots may take from now on."""
        with self._lock:
            # Otherwise the slots would soon take the same memory again.
            self._max_bytes //= 2
            self._most_bytes //= 2
            self._slots.clear()
            self._in_use.clear()
        # The session holds the current KV cache too, and would keep it until the next prompt.
        self._session.release()

    def _choose(self, prompt: list[int], owner: str) -> Slot:
        """Return the slot that shares most with `prompt`, or a new one if that slot would lose too much."""
        own = (slot for slot in self._slots if slot.owner == owner)
        best = max(own, key=lambda slot: _shared(slot, prompt), default=None)
        if best is None:
            return self._add(Slot(self._session.new_kv(), PrefixCache(), [], "", owner))
        shared = _shared(best, prompt)
        # Where memory is for one slot only, a copy would push out the original.
        if best.loss(shared) <= SMALL_LOSS or 2 * best.kv.bytes > self._max_bytes:
            return best
        return self._add(_copy(best, shared))

    def _add(self, slot: Slot) -> Slot:
        self._slots.append(slot)
        return slot

    def _free(self, newest: Slot) -> None:
        """Drop slots until there is memory for the newest one, or none are left."""
        own = [slot for slot in self._slots if slot.owner == newest.owner]
        self._remove(_in_the_way(own, newest, self._max_bytes))
        in_use = [slot for slot in self._in_use.values() if slot is not newest]
        idle = [slot for slot in self._slots if slot not in in_use]
        self._remove(_in_the_way(idle, newest, self._most_bytes - _bytes(in_use)))

    def _remove(self, gone: Sequence[Slot]) -> None:
        self._slots = [slot for slot in self._slots if slot not in gone]


def _in_the_way(candidates: Sequence[Slot], newest: Slot, most: int) -> list[Slot]:
    """Return which candidates must go so that those left and the newest one take `most` bytes at most."""
    left = list(candidates)
    while left and _bytes([*left, newest]) > most:
        names = [(slot.owner, slot.document) for slot in (*left, newest)]
        outdated = (at for at, name in enumerate(names[:-1]) if name in names[at + 1 :])
        left.pop(next(outdated, 0))
    return [slot for slot in candidates if slot not in left]


def _bytes(slots: Sequence[Slot]) -> int:
    return sum(slot.kv.bytes for slot in slots)


def _copy(slot: Slot, length: int) -> Slot:
    """Return a slot with the first `length` tokens of another one of the same owner, for another prompt."""
    return Slot(slot.kv.copy(length), slot.prefix_cache.copy(length), [], "", slot.owner)


def _shared(slot: Slot, prompt: list[int]) -> int:
    return common_prefix(list(slot.prefix_cache.ids), prompt)
