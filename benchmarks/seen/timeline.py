"""What was on the screen while someone typed, and the figures that follow from it.

A state is the ghost text from one moment on, as it is drawn. All times are of one monotonic clock.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence

from attrs import field, frozen

from benchmarks.typing.figures import quantile

FLICKER_S = 0.3
"""Ghost text that is back within this time has flickered."""
SHRUNK_S = 1.5
"""Ghost text that was cut off and is back within this time has shrunk and come back."""


@frozen
class Key:
    """A key that was pressed."""

    at: float
    key: str
    "As in `script.Press`."


@frozen
class State:
    """A ghost text."""

    since: float
    ghost: str
    "Empty: there is none."


@frozen
class Typed:
    """A passage that was typed without a break."""

    keys: tuple[Key, ...]
    states: tuple[State, ...]
    "In order; the first one began before the first key."

    def ghost_at(self, moment: float) -> str:
        """Return the ghost text just before a moment."""
        index = bisect_left(self.states, moment, key=lambda state: state.since)
        return self.states[index - 1].ghost if index else ""

    def between(self, start: float, end: float) -> Iterator[State]:
        """Yield the changes of the ghost text from one moment to another."""
        first = bisect_left(self.states, start, key=lambda state: state.since)
        for state in self.states[first:]:
            if state.since >= end:
                return
            yield state


@frozen
class Figures:
    """The figures of some passages."""

    keys: int
    "Keys after which another one came."
    visible: int
    "Those of them with ghost text on the screen when the next one came."
    new: tuple[float, ...] = field(repr=False)
    "Seconds from a key to the ghost text that it brought, if that was another one and in time. Sorted."
    vanished: int
    "Times that ghost text was gone and soon back, although nothing else was typed."
    shrunk: int
    "Times that the end of a ghost text was gone and soon back."

    @property
    def visible_share(self) -> float:
        """Share of keys with ghost text on the screen when the next one came."""
        return self.visible / self.keys if self.keys else 0.0

    def new_ms(self, share: float) -> float | None:
        """Return a quantile of `new` in milliseconds; None: there is none."""
        return 1000 * quantile(self.new, share) if self.new else None


def figures(passages: Sequence[Typed]) -> Figures:
    """Compute the figures."""
    pairs = [
        (one, key, after) for one in passages for key, after in zip(one.keys, one.keys[1:], strict=False)
    ]
    new = [found for one, key, after in pairs if (found := _new_after(one, key, after.at)) is not None]
    return Figures(
        keys=len(pairs),
        visible=sum(bool(one.ghost_at(after.at)) for one, _, after in pairs),
        new=tuple(sorted(new)),
        vanished=sum(map(vanished, passages)),
        shrunk=sum(map(shrunk, passages)),
    )


def first_ghost(passage: Typed) -> float | None:
    """Return the seconds from the first key to the first ghost text after it; None: there was none."""
    start = passage.keys[0].at
    return next((state.since - start for state in passage.between(start, float("inf")) if state.ghost), None)


def vanished(passage: Typed) -> int:
    """Count how often ghost text was gone and back, although only its own text was typed."""
    count = 0
    for before, gone, back in zip(passage.states, passage.states[1:], passage.states[2:], strict=False):
        if before.ghost and not gone.ghost and back.since - gone.since <= FLICKER_S:
            left = _left(passage, before, back.since)
            count += bool(left) and agree(left, back.ghost)
    return count


def shrunk(passage: Typed) -> int:
    """Count how often ghost text lost its end and soon had it again, although only its own text was typed."""
    count = 0
    for index, (before, less) in enumerate(zip(passage.states, passage.states[1:], strict=False)):
        left = _left(passage, before, less.since)
        if not left or not less.ghost or left == less.ghost or not left.startswith(less.ghost):
            continue
        for later in passage.states[index + 2 :]:
            still = _left(passage, before, later.since)
            if later.since - less.since > SHRUNK_S or not still:
                break
            if (
                later.ghost
                and agree(still, later.ghost)
                and len(later.ghost) > len(_left(passage, less, later.since))
            ):
                count += 1
                break
    return count


def agree(one: str, other: str) -> bool:
    """Return whether one of two texts starts with the other."""
    return one.startswith(other) or other.startswith(one)


def _new_after(passage: Typed, key: Key, until: float) -> float | None:
    """Return the time to the first ghost text after a key that does not continue the one before it."""
    before = passage.ghost_at(key.at)
    left = _without(before, key.key)
    for state in passage.between(key.at, until):
        if state.ghost and not (left and agree(left, state.ghost)):
            return state.since - key.at
    return None


def _left(passage: Typed, state: State, moment: float) -> str:
    """Return what is left of a ghost text after the keys until a moment; empty: something else was typed."""
    # A key just before the state may not be in it yet, but the editor's own time is below this.
    typed = [key for key in passage.keys if state.since <= key.at < moment]
    left = state.ghost
    for key in typed:
        left = _without(left, key.key)
    return left


def _without(ghost: str, key: str) -> str:
    """Return the rest of a ghost text after a key; empty: the key was not the next of it."""
    if key == "Enter":
        # The editor indents the new line by itself.
        return ghost[1:].lstrip(" \t") if ghost.startswith("\n") else ""
    return ghost[1:] if len(key) == 1 and ghost.startswith(key) else ""
