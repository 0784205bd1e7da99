"""How large a text may be to be completed. Imports nothing, so that a request can be declined early."""

LONGEST_TEXT = 5_000_000
"""Characters of the longest text that is completed."""
MOST_LINES = 500_000
"""Lines of the longest text that a server keeps: each costs more memory than its characters."""
LONGEST_LINE = 10_000
"""Characters of the longest cursor line that is completed: longer ones are data or minified code."""


def has_too_many_lines(text: str) -> bool:
    """Whether a text has more line ends, of either kind, than MOST_LINES."""
    return len(text) > MOST_LINES and max(text.count("\n"), text.count("\r")) > MOST_LINES
