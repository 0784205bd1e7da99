"""How large a text may be that is completed. Imported by whoever declines early; imports nothing itself.

It does not know what is done with a text.
"""

LONGEST_TEXT = 5_000_000
"""Characters of a text that is completed at all."""
LONGEST_LINE = 10_000
"""Characters of a cursor's line that is completed at all: longer ones are data or minified code."""
