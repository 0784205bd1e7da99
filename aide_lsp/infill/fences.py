"""Code fences in prose and comments: what is between two lines of backticks belongs together."""

import re

_FENCE = re.compile(r"^[ \t]*(?:(?:[#*%;]+|//[/!]?|--)[ \t]*)?```", re.MULTILINE)
"""A line that opens or closes one; a comment's mark may be left of it."""


def is_fenced(text: str) -> bool:
    """Whether a text ends within a code fence."""
    return "```" in text and len(_FENCE.findall(text)) % 2 == 1


def without_open_fence(text: str, *, starts_fenced: bool) -> str:
    """Drop a code fence that the text opens and does not close, with all after it."""
    fences = [match.start() for match in _FENCE.finditer(text)]
    return text[: fences[-1]] if fences and (len(fences) + starts_fenced) % 2 else text
