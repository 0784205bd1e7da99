"""Takes stdin and stdout for the protocol.

In: nothing. Out: a binary stream to read and one to write. They are out of everyone's reach then: what any
code prints afterwards goes to stderr, and what it reads from stdin is empty. It does not know the protocol.
"""

import os
import sys
from typing import BinaryIO

Streams = tuple[BinaryIO, BinaryIO]
BUFFER = 64 * 1024


def take_stdio() -> Streams:
    """Take stdin and stdout for the protocol; leave stderr in stdout's place, and nothing in stdin's.

    Works below Python, by file descriptors: native libraries print too, and child processes inherit these.
    """
    source, sink = os.dup(0), os.dup(1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(source, os.O_BINARY)
        msvcrt.setmode(sink, os.O_BINARY)
    else:
        os.set_blocking(source, True)
        os.set_blocking(sink, True)
    return os.fdopen(source, "rb", BUFFER), os.fdopen(sink, "wb", BUFFER)
