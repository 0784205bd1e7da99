"""Just enough of a programming language's syntax to know where code ends: strings, comments, brackets.

One regular expression for each family of languages rather than a parser: it must work on half-written code,
in any language.
"""

import re
from functools import cache

from attrs import frozen

from aide_lsp.syntax.languages import Language

OPENERS = {")": "(", "]": "[", "}": "{"}
"""Opening bracket by its closing one."""
SCAN_CHARACTERS = 50_000
"""Brackets are matched this far before and after the cursor."""


@frozen
class Scan:
    """What is open at the end of a text."""

    stack: str = ""
    "Open brackets, the innermost last."
    quote: str = ""
    "The quote of the string the text ends in; empty: it ends in none."
    comment: bool = False
    "Whether the text ends in a comment."
    unmatched: tuple[tuple[int, str], ...] = ()
    "Closing brackets that nothing in the text opens, in order: offset and bracket."


def scan(text: str, language: Language) -> Scan:
    """Scan a text, which must begin outside strings and comments."""
    pattern, openings = _pattern(language)
    stack: list[str] = []
    unmatched: list[tuple[int, str]] = []
    quote, comment = "", False
    for match in pattern.finditer(text):
        if match.lastindex == 1:
            _match_bracket(match.group(), match.start(), stack, unmatched)
        elif match.lastindex is not None:
            quote = openings[match.lastindex]
            comment = not quote
    return Scan("".join(stack), quote, comment, tuple(unmatched))


def _match_bracket(bracket: str, offset: int, stack: list[str], unmatched: list[tuple[int, str]]) -> None:
    if bracket not in OPENERS:
        stack.append(bracket)
    elif OPENERS[bracket] in stack:
        # Unfinished code has gaps: brackets still open inside this pair count as closed.
        while stack.pop() != OPENERS[bracket]:
            pass
    else:
        unmatched.append((offset, bracket))


@cache
def _pattern(language: Language) -> tuple[re.Pattern[str], dict[int, str]]:
    """Build a pattern for one bracket, comment or string, and a table of quotes by group number.

    Group 1 is a bracket; every other group matches where a comment or string is still open at the end of
    the text. The table holds its quote ("" for comments).
    """
    parts = [("", r"([()\[\]{}])")]
    parts += [("", rf"{re.escape(a)}[\s\S]*?(?:{re.escape(b)}|(\Z))") for a, b in language.block_comments]
    parts += [("", rf"{re.escape(mark)}[^\n]*(\Z)?") for mark in language.line_comments]
    # Before the short quotes, which would match the first character of a long one.
    parts += [
        (a, rf"{re.escape(a)}(?:\\[\s\S]|[^\\])*?(?:{re.escape(b)}|\\?(\Z))") for a, b in language.long_quotes
    ]
    # An unclosed quote ends with its line: in half-typed code it must not swallow everything below.
    parts += [(q, rf"{q}(?:\\[\s\S]|[^\\\n{q}])*(?:{q}|(?=\n)|\\?(\Z))") for q in language.quotes]
    openings = {number: quote for number, (quote, _) in enumerate(parts, 1)}
    return re.compile("|".join(part for _, part in parts)), openings
