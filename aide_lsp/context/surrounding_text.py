"""The text that a selection depends on: never the cursor's line, which changes at every key."""

from attrs import field, frozen

from aide_lsp.line_ends import with_line_feeds

LINES_ABOVE, LINES_BELOW = 4, 8
GRID = 4
"""Lines above count in steps of this many. What they select is read first, so another selection makes the
model read everything again: at every third new line with steps of one, at every tenth with these."""
SHORTEST_LINE = 8
"""Characters of a line above that counts: others, such as `})` or `else:`, say nothing of what comes next."""
LONGEST_LINE = 1000
"""Characters of a line that count."""


@frozen
class SurroundingText:
    """A document without the cursor's line."""

    above: str = field(repr=False)
    "All lines above, with their line ends."
    below: str = field(repr=False)

    @staticmethod
    def of(text: str, offset: int) -> "SurroundingText":
        """Take it from a text with any line ends, and a cursor in code points."""
        start, end = _line(text, offset)
        return SurroundingText(text[:start], text[end:])

    def lines(self) -> list[str]:
        """Return the lines near the cursor: the words in them say what is wanted."""
        above = [one for one in with_line_feeds(self.above).split("\n") if len(one.strip()) >= SHORTEST_LINE]
        # At the beginning of a file there is nothing else to go by.
        end = len(above) - len(above) % GRID if len(above) > GRID else len(above)
        # Enough characters to find the lines in.
        below = with_line_feeds(self.below[: LINES_BELOW * LONGEST_LINE]).split("\n")[1:]
        near = [*above[max(0, end - LINES_ABOVE) : end], *below[:LINES_BELOW]]
        return [line[:LONGEST_LINE] for line in near]

    def text(self, most: int) -> str:
        r"""Return its first characters, at most this many, as one text with \n line ends."""
        return with_line_feeds(self.above[:most] + self.below[: max(0, most - len(self.above))])


def after_enter(text: str, offset: int) -> tuple[str, int]:
    """Return text and cursor as Enter leaves them where the cursor is at the end of a line, else unchanged.

    A blank line is not ended: what comes next is typed in it.
    """
    start, end = _line(text, offset)
    if not text[start:offset].strip() or text[offset:end].strip():
        return text, offset
    return f"{text[:end]}\n{text[end:]}", end + 1


def _line(text: str, offset: int) -> tuple[int, int]:
    """Return where the line of an offset begins, and where it ends, in a text with any line ends."""
    start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
    ends = (text.find("\n", offset), text.find("\r", offset))
    return start, min((end for end in ends if end >= 0), default=len(text))
