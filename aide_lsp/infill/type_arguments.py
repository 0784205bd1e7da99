"""Types between angle brackets, parameters between pipes: what begins before the cursor, and ends after it.

Angle brackets are operators, too, so neither grammars nor marks say that one is open in unfinished code.
"""

import re

LONGEST = 400
"""Characters left of the cursor among which they begin."""
_TYPES = re.compile(r"<(?:[^<>;]|[=-]>|<[^<>;]*>)*\Z")
_PARAMETERS = re.compile(r"(?:\bdo|\bmove|[{(,=])[ \t]*\|[^|]*\Z")
_ANGLE = re.compile(r"[=-]>|[<>]")
"""Angle brackets, and arrows, which are none."""


def is_in_types(before: str, after: str) -> bool:
    """Whether a line has an angle bracket right after the cursor, and one before it that it closes."""
    return after.startswith(">") and _TYPES.search(before[-LONGEST:]) is not None


def is_in_parameters(before: str, after: str) -> bool:
    """Whether a line has a pipe right after the cursor, and one before it that begins parameters."""
    is_next = after.startswith("|") and not after.startswith("||")
    return is_next and _PARAMETERS.search(before[-LONGEST:]) is not None


def types_end(text: str) -> int | None:
    """Find the angle bracket that closes one before the text; None: it closes none."""
    depth = 0
    for sign in _ANGLE.finditer(text):
        if sign.group() == ">" and not depth:
            return sign.start()
        depth += {"<": 1, ">": -1}.get(sign.group(), 0)
    return None
