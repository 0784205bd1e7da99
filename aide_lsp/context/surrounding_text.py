"""The text that a selection depends on: never the cursor's line, which changes at every key."""

from attrs import field, frozen

from aide_lsp.context.looks import with_line_feeds

LINES_ABOVE, LINES_BELOW = 4, 8
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
        start = max(text.rfind("\n", 0, offset), text.rfind("\r", 0, offset)) + 1
        ends = [end for end in (text.find("\n", offset), text.find("\r", offset)) if end >= 0]
        return SurroundingText(text[:start], text[min(ends) :] if ends else "")

    def lines(self) -> list[str]:
        """Return the lines near the cursor: the words in them say what is wanted."""
        # Enough characters of each side to find the lines in.
        above = with_line_feeds(self.above[-LINES_ABOVE * LONGEST_LINE :]).split("\n")[:-1]
        below = with_line_feeds(self.below[: LINES_BELOW * LONGEST_LINE]).split("\n")[1:]
        return above[-LINES_ABOVE:] + below[:LINES_BELOW]

    def text(self, most: int) -> str:
        r"""Return it as one text with \n line ends, at most so many characters from the beginning."""
        return with_line_feeds(self.above[:most] + self.below[: max(0, most - len(self.above))])
