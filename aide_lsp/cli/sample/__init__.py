"""The sample that `aide demo` and the self-test of `aide doctor` complete.

`CURSOR` marks the cursor in its file and is not part of the text.
"""

from importlib.resources import files

CURSOR = "█"
NAME = "temperatures.py"


def sample() -> tuple[str, int]:
    """Return the text and the cursor's offset in code points."""
    marked = files(__name__).joinpath(NAME + ".txt").read_text(encoding="utf-8")
    offset = marked.index(CURSOR)
    return marked[:offset] + marked[offset + 1 :], offset
