"""Reserves stdin and stdout for the protocol.

Nothing else can reach them then: what any code prints later goes to stderr, and stdin is empty for it.
"""

import os
import sys
from typing import BinaryIO

Streams = tuple[BinaryIO, BinaryIO]
BUFFER = 64 * 1024


def take_stdio() -> Streams:
    """Return stdin and stdout as binary streams; put stderr in stdout's place and nothing in stdin's.

    Works on file descriptors, below Python: native libraries print too (ONNX Runtime, when CUDA libraries are
    missing), and child processes inherit them.
    """
    source, sink = os.dup(0), os.dup(1)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    os.dup2(2, 1)
    if sys.platform == "win32":
        import msvcrt

        # In text mode, Windows translates line ends, and no Content-Length would be right.
        msvcrt.setmode(source, os.O_BINARY)
        msvcrt.setmode(sink, os.O_BINARY)
    else:
        # The flag is shared with whoever else has them open: a launcher may have left them non-blocking.
        os.set_blocking(source, True)
        os.set_blocking(sink, True)
    return os.fdopen(source, "rb", BUFFER), os.fdopen(sink, "wb", BUFFER)
