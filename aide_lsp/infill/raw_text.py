"""The text generated so far, as lines of the document it goes into.

Each line says how much text had to be generated to know it, so that the stop rules can decide as early as
possible and always alike.
"""

import re
from functools import cached_property

from attrs import define, frozen

from aide_lsp.infill.fences import is_fenced
from aide_lsp.infill.hole import CLOSERS, Hole, indentation, is_text
from aide_lsp.syntax.languages import Blocks
from aide_lsp.syntax.openings import OpeningKind
from aide_lsp.syntax.patterns import LINE_END
from aide_lsp.syntax.scan import Scan

# `do` and `then` with a space, so that `undo` opens nothing.
OPENING_ENDS = (":", "{", "(", "[", "=>", "->", " do", " then", "\\", "begin")
"""How a line ends that is continued below."""
CLOSING_WORDS = ("end", "fi", "done", "esac")
"""Words that close a block, as closing brackets do."""
CONTINUING_WORDS = ("else", "elif", "elsif", "except", "finally", "catch", "rescue", "when", "case")
"""Words that continue the statement whose block has just ended."""
WORD_BLOCK = re.compile(
    r"(?!.*(?:(?<=[\s;])end|;\s*(?:fi|done|esac))\b(?![?!:])|.*\bdef\s+[\w.]+[?!]?(?:\(.*\))?\s+=\s)"
    r"(?:\s*(?:(?:local|private|protected)\s+)?"
    r"(?:def|function|class|module|struct|if|unless|while|until|for|case|begin)\b"
    r"|.*(?:\bfunction\s*\([^()]*\)|\bdo\s*\|[^|]*\|)\s*$)"
)
"""How a line begins or ends a block where words end them, except those that one line has all of."""
CASE_ARM = re.compile(r"\s*[^\s()][^()]*\)\s*$")
"""How a case of a shell script begins, if nothing opens the bracket."""
DEFINING = re.compile(
    r"\s*(?:@|(?:export |public |private |protected |static |async |pub )*"
    r"(?:def|class|func|function|fn|fun|impl|struct|enum|interface|trait|type|module)\b)"
)
"""How a definition begins, in most languages."""
CONTAINER = re.compile(
    r"\s*(?:[\w.]+(?:\([\w ]*\))?\s+)*"
    r"(?:(?:class|interface|trait|impl|protocol|extension|object|record|module|namespace)\b"
    r"|(?:struct|enum|union)\b(?!.*\)\s*\{\s*$))"
)
"""How a definition begins that holds others, such as a class; a function may return a `struct`."""
TAG_ENDS = ("</", "/>", ">")
"""How a line begins that ends an element or the tag that begins it; one with `> ` or `>>` does not."""
CLOSING = re.compile(rf"[{re.escape(CLOSERS)}]|</|/>|>(?![ >])|\\end\b|(?:{'|'.join(CLOSING_WORDS)})\b")
CONTINUING = re.compile(rf"\{{|(?:{'|'.join(CONTINUING_WORDS)})\b")


@frozen
class Line:
    """One generated line; the first one continues the text left of the cursor."""

    start: int
    "Offset of its first generated character."
    text: str
    "The line as it will be in the document, without its line end."
    end: int
    "Offset after its last character, before its line end."
    is_complete: bool
    "Whether nothing can be added to it."

    @property
    def is_blank(self) -> bool:
        """Whether it is empty or only whitespace."""
        return not self.text.strip()

    @property
    def depth(self) -> int:
        """Its indentation, in characters."""
        return indentation(self.text)

    @property
    def complete_at(self) -> int:
        """Characters that must be generated to know the complete line."""
        return self.end + 1

    @property
    def start_known_at(self) -> int:
        """Characters that must be generated to know its indentation, and whether its first word is a keyword.

        The keywords are those that close a block, as a closing tag does, or continue a statement.
        """
        # The character after a word decides as well: `end` closes a block, `endpoint()` does not.
        unindented = self.text.lstrip()
        words = (*TAG_ENDS, "\\end", *CLOSING_WORDS, *CONTINUING_WORDS)
        known = max(n for word in words for n in range(len(word) + 1) if unindented.startswith(word[:n]))
        return self.end - len(unindented) + 1 + known

    @property
    def is_start_known(self) -> bool:
        """Whether that much was generated."""
        return self.is_complete or self.start_known_at <= self.end

    @property
    def closes(self) -> bool:
        """Whether it closes a block rather than beginning something new."""
        return CLOSING.match(self.text.lstrip()) is not None

    @property
    def continues(self) -> bool:
        """Whether it continues the statement before it, like `else`, or the brace after a long header."""
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
    "Everything that was generated."
    ended: bool
    "Whether no more follows, so that the last line is complete."

    @cached_property
    def lines(self) -> list[Line]:
        """All lines; the last one may be incomplete."""
        lines: list[Line] = []
        start = 0
        for number, line in enumerate(self.text.split("\n")):
            end = start + len(line)
            full = self.hole.before + line if number == 0 else line
            lines.append(Line(start, full, end, self.ended or end < len(self.text)))
            start = end + 1
        return lines

    def scan(self, end: int | None = None) -> Scan:
        """Find what the text up to `end` opens and closes."""
        return self.hole.scan(self.text[:end])

    def is_level(self, end: int) -> bool:
        """Whether the text up to `end` closes every bracket, string, and comment of lines that it opens."""
        return all(opening.closer == LINE_END for opening in self.scan(end).opened)

    def is_prose(self, end: int) -> bool:
        """Whether the text up to `end` ends in prose, a comment, or the string at the cursor."""
        found = self.scan(end)
        is_new_string = bool(found.opened) and found.open[-1].kind is OpeningKind.STRING
        return is_text(found.open, self.hole.language) and not is_new_string

    def is_fenced(self, end: int) -> bool:
        """Whether the text up to `end` ends in a code fence."""
        return is_fenced(self.text[:end]) != self.hole.is_fenced

    def opens(self, line: Line) -> bool:
        """Whether a line is continued by a block or inside an open bracket."""
        open_at_end = self.scan(line.end).open
        # A comment may end in ":" without opening a block.
        if open_at_end and open_at_end[-1].kind is OpeningKind.COMMENT:
            return False
        is_code = not open_at_end or open_at_end[-1].kind is not OpeningKind.STRING
        # Alone in its line, it ends the tag that begins an element: what is in that follows.
        is_tag_end = line.start > 0 and line.text.strip() == ">"
        opens = is_tag_end or line.text.rstrip().endswith(OPENING_ENDS) or self._leaves_open(line)
        return opens or (is_code and self.hole.language.blocks is Blocks.WORDS and self._opens_words(line))

    def _opens_words(self, line: Line) -> bool:
        """Whether a line begins a block that a word ends."""
        if CASE_ARM.match(line.text):
            return any(
                one.opening is None and one.offset >= line.start for one in self.scan(line.end).closers
            )
        return WORD_BLOCK.match(line.text) is not None

    def _leaves_open(self, line: Line) -> bool:
        """Whether a bracket or a tag that begins in a line is still open at its end."""
        found = self.scan(line.end)
        opened = [opening for opening in found.opened if opening.offset >= line.start]
        if line.start == 0:
            start = len(self.hole.head) - len(self.hole.before)
            opened += [opening for opening in found.open[: found.kept] if opening.offset >= start]
        return any(opening.kind is OpeningKind.BRACKET or opening.closer == ">" for opening in opened)
