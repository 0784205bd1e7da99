"""Raw text: what is being generated for a hole, as lines of the document it goes into.

In: the hole and the text so far. Out: the lines, what each shows and how much had to be generated to know
that; which lines open or close blocks. It does not decide anything.
"""

import re
from functools import cached_property

from attrs import define, frozen

from aide_lsp.completion.hole import CLOSERS, Hole, indentation
from aide_lsp.completion.syntax import Scan, scan

OPENING_ENDS = (":", "{", "(", "[", "=>", "->", " do", " then", "\\", "begin")
"""What a line ends with that goes on below."""
CLOSING_WORDS = ("end", "fi", "done", "esac")
"""Words that close a block, as closing brackets do."""
CONTINUING_WORDS = ("else", "elif", "elsif", "except", "finally", "catch", "rescue", "when", "case")
"""Words that go on with the statement whose block has just ended."""
DEFINING = re.compile(
    r"\s*(?:@|(?:export |public |private |protected |static |async |pub )*"
    r"(?:def|class|func|function|fn|fun|impl|struct|enum|interface|trait|type|module)\b)"
)
"""How a definition begins, in most languages."""
CLOSING = re.compile(rf"[{re.escape(CLOSERS)}]|(?:{'|'.join(CLOSING_WORDS)})\b")
CONTINUING = re.compile(rf"(?:{'|'.join(CONTINUING_WORDS)})\b")


@frozen
class Line:
    """One generated line; the first one goes on from what stands left of the cursor."""

    start: int
    "Offset of its first generated character."
    text: str
    "The line as it will stand in the document, without its line end."
    end: int
    "Offset behind its last character, before its line end."
    is_whole: bool
    "Whether nothing can be added to it any more."

    @property
    def is_blank(self) -> bool:
        """Whether it shows nothing."""
        return not self.text.strip()

    @property
    def depth(self) -> int:
        """Its indentation, in characters."""
        return indentation(self.text)

    @property
    def seen(self) -> int:
        """Characters that had to be generated to know the whole line."""
        return self.end + 1

    @property
    def entered(self) -> int:
        """Characters that had to be generated to know its indentation, and what its first word does."""
        written = self.text.lstrip()
        words = (*CLOSING_WORDS, *CONTINUING_WORDS)
        known = max(n for word in words for n in range(len(word) + 1) if written.startswith(word[:n]))
        return self.end - len(written) + 1 + known

    @property
    def is_entered(self) -> bool:
        """Whether that much was generated."""
        return self.is_whole or self.entered <= self.end

    @property
    def closes(self) -> bool:
        """Whether it closes a block rather than begin something new."""
        return CLOSING.match(self.text.lstrip()) is not None

    @property
    def continues(self) -> bool:
        """Whether it goes on with the statement before it, like `else`."""
        return CONTINUING.match(self.text.lstrip()) is not None

    @property
    def defines(self) -> bool:
        """Whether it begins a function, a class or the like."""
        return DEFINING.match(self.text) is not None


@define(slots=False)
class RawText:
    """The text so far."""

    hole: Hole
    "Where it goes."
    text: str
    "All that was generated."
    ended: bool
    "Whether no more follows, so that the last line is whole."

    @cached_property
    def lines(self) -> list[Line]:
        """All lines, the last one perhaps unfinished."""
        lines: list[Line] = []
        start = 0
        for number, line in enumerate(self.text.split("\n")):
            end = start + len(line)
            shown = self.hole.before + line if number == 0 else line
            lines.append(Line(start, shown, end, self.ended or end < len(self.text)))
            start = end + 1
        return lines

    def scan(self, end: int | None = None) -> Scan:
        """Say which brackets and quotes the text up to `end` opens and closes."""
        return scan(self.hole.open.quote + self.text[:end], self.hole.language)

    def opens(self, line: Line) -> bool:
        """Whether a line goes on in a block or an open bracket."""
        if line.start == 0 and self.hole.open.comment:
            return False
        return line.text.rstrip().endswith(OPENING_ENDS) or bool(scan(line.text, self.hole.language).stack)
