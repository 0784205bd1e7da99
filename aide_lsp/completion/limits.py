"""How large a text may be that is completed. Imported by whoever declines early; imports nothing itself.

It does not know what is done with a text.
"""

LONGEST_TEXT = 5_000_000
"""Characters of a text that is completed at all."""
MOST_LINES = 500_000
"""Lines of a text that a server keeps and completes: each costs more memory than its characters."""
LONGEST_LINE = 10_000
"""Characters of a cursor's line that is completed at all: longer ones are data or minified code."""
