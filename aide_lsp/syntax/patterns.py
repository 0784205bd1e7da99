"""Regular expressions for the scanner, one for each way to read a text; groups say what is found.

What needs no look inside, such as a complete string without code in it, is matched outside of any group.
"""

import re
from functools import cache

from aide_lsp.syntax.languages import Blocks, Language

LINE_END = "\n"
"""The closer of what ends with its line and has no mark of its own at the end."""
_CLOSING_TAG = r"(?P<closing_tag></(?:[A-Za-z][\w:.-]*)?\s*>)"
_LINE = r"(?P<line>\n)"


@cache
def code(language: Language, in_markup: bool, in_line: bool) -> re.Pattern[str]:
    """Read code, in an element of a markup language or in a string that ends with its line."""
    longest_first = sorted(language.block_comments, key=lambda pair: len(pair[0]), reverse=True)
    parts = (
        [f"(?P<comment>{'|'.join(re.escape(start) for start, _ in longest_first)})"] if longest_first else []
    )
    if language.line_comments:
        # After `$` it is a variable, after a backslash it is escaped.
        before = r"(?<![^\s;])" if language.spaced_comments else r"(?<![$\\])"
        marks = "|".join(re.escape(mark) for mark in language.line_comments)
        # To the end of the text: it may go on.
        parts += [rf"{before}(?:{marks})[^\n]*(?P<line_comment>\Z)?"]
    parts += _any_of("long_quote", tuple(start for start, _ in language.long_quotes))
    special = re.escape("".join(sorted({mark[0] for mark in language.interpolations} - {"\\"})))
    parts += [rf"{quote}[^{quote}\\\n{special}]*{quote}" for quote in language.quotes]
    parts += _any_of("quote", language.quotes)
    if language.elements:
        # After a name it is "less than"; one capital letter is a type variable.
        not_less = r"(?<![\w)\]<.])(?:(?<![\w)\]]\s)|(?<=return\s))"
        parts += [_CLOSING_TAG, rf"(?P<tag>{not_less}<(?:(?=>)|[A-Za-z][\w:.-]+|[a-z]))"]
    elif in_markup:
        parts += [_CLOSING_TAG]
    if language.has_characters:
        # At the end of the text the second quote may still come.
        parts += [r"'(?:\\[\s\S]|[^\\'\n])(?:'|\Z)"]
    parts += [r"(?P<bracket>[()\[\]{}])"]
    return re.compile("|".join([*parts, _LINE] if in_line else parts))


@cache
def text(language: Language) -> re.Pattern[str]:
    """Read the text between tags. JSX has code in braces, other markup what the table says."""
    parts = _any_of("comment", tuple(start for start, _ in language.block_comments))
    marks = language.interpolations if language.blocks is Blocks.TAGS else ("{",)
    parts += [_CLOSING_TAG, r"(?P<tag><(?:(?=>)|!?[A-Za-z][\w:.-]*))", *_any_of("interpolation", marks)]
    return re.compile("|".join(parts))


TAG = re.compile(r"""(?P<quote>["'])|(?P<tag_end>/?>)|(?P<bracket>\{)""")
"""Read the attributes of a tag."""


@cache
def string(language: Language, mark: str, closer: str) -> re.Pattern[str]:
    """Read a string up to what ends it."""
    parts: list[str] = []
    interpolates = bool(language.interpolations) and closer not in language.plain_quotes
    if language.string_prefix:
        interpolates = interpolates and not set(language.string_prefix).isdisjoint(mark.lower())
        # Two braces are one character.
        parts += [r"\{\{"] if interpolates else []
    # Before escapes: in Swift the one looks like the other.
    parts += _any_of("interpolation", language.interpolations) if interpolates else []
    parts += [] if closer in language.raw_quotes else [r"\\[\s\S]"]
    parts += [f"(?P<end>{re.escape(closer)})"] if closer != LINE_END else []
    parts += [_LINE] if closer in (*language.quotes, LINE_END) else []
    return re.compile("|".join(parts))


@cache
def comment(closer: str) -> re.Pattern[str]:
    """Read a comment up to what ends it."""
    return re.compile(_LINE if closer == LINE_END else f"(?P<end>{re.escape(closer)})")


def _any_of(name: str, marks: tuple[str, ...]) -> list[str]:
    """Return a pattern for any of the marks, the longest first, in a group of that name."""
    longest_first = sorted(marks, key=len, reverse=True)
    return [f"(?P<{name}>{'|'.join(map(re.escape, longest_first))})"] if marks else []
