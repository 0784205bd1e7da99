"""Which seed a server gets.

Servers take seeds of 31, 32 or 64 bits, and most read some of them as "random". Aide's seeds are whole
numbers of any size, and each of them has several candidates. One function maps all to 31 bits, for every kind
of server: the seed itself where it is small, so that a request can be repeated by hand.
"""

RANGE = 2**31 - 1
"""Seeds of servers are below this prime. It leaves out what they read as "random": -1 and 2**32 - 1."""
STEP = 0x9E3779B1
"""Seeds of neighboring candidates differ by this much, so that those of neighboring seeds do not meet."""


def server_seed(seed: int, candidate: int) -> int:
    """Return the seed that a server gets for one candidate: `(seed + candidate * STEP) % RANGE`."""
    return (seed + candidate * STEP) % RANGE
