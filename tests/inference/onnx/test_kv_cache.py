"""Memory for keys and values: spare buffers are given to one KV cache only, whenever others are dropped."""

from aide_lsp.inference.onnx.kv_cache import MOST_SPARE, SpareBuffers

OLDER, NEWER, DROPPED = {"of": "older"}, {"of": "newer"}, {"of": "dropped"}


class Interrupting(int):
    """A capacity at whose first comparison a KV cache is dropped, as its `__del__` may do at any moment."""

    def __new__(cls, value, spare, capacity):
        made = super().__new__(cls, value)
        made.spare, made.capacity = spare, capacity
        return made

    def __eq__(self, other):
        if self.spare is not None:
            spare, self.spare = self.spare, None
            spare.give(self.capacity, DROPPED)
        return int(self) == int(other)

    __hash__ = int.__hash__


def everything(spare):
    """Take all that is left."""
    found = [spare.take(capacity) for capacity in (1, 2, 3) for _ in range(MOST_SPARE + 1)]
    return [values for values in found if values is not None]


def test_take_returns_buffers_of_that_capacity_once():
    spare = SpareBuffers()
    spare.give(1, OLDER)
    spare.give(2, NEWER)
    assert spare.take(3) is None
    assert spare.take(2) is NEWER
    assert spare.take(2) is None
    assert spare.take(1) is OLDER


def test_give_keeps_the_latest():
    spare = SpareBuffers()
    for values in (OLDER, NEWER, DROPPED):
        spare.give(1, values)
    assert everything(spare) == [NEWER, DROPPED]


def test_take_when_a_kv_cache_is_dropped_meanwhile_then_nothing_is_given_twice_or_lost():
    spare = SpareBuffers()
    capacity = Interrupting(2, spare, 3)
    spare.give(1, OLDER)
    spare.give(capacity, NEWER)
    assert spare.take(2) is NEWER
    left = everything(spare)
    assert NEWER not in left
    assert DROPPED in left
