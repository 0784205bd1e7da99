"""Where each key and value of a TOML text is; `tomllib` gives no positions."""

import re
import tomllib
from collections.abc import Iterator

from attrs import frozen

Span = tuple[int, int]
"""Offsets in the text: the first character, and the one after the last."""
_QUOTED = (
    r"""\"{3}(?:[^"\\]|\\.|"{1,2}(?!"))*"{3,5}|'{3}(?:[^']|'{1,2}(?!'))*'{3,5}"""
    r"""|"(?:[^"\\\n]|\\.)*"|'[^'\n]*'"""
)
_KEY = r"""(?:[\w-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_KEYS = re.compile(rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*")
_PART = re.compile(_KEY)
_SPACE = re.compile(r"(?:[\s,]|#[^\n]*)*")
# Up to the end of a value on its line; brackets are counted.
_PIECE = re.compile(rf"{_QUOTED}|#[^\n]*|[\[{{]|[\]}}]|\n|[^\"'#\[\]{{}}\n]+|.", re.DOTALL)


@frozen
class TomlEntry:
    """A key, or the header of a table."""

    path: tuple[str, ...]
    """The key with the tables around it."""
    keys: tuple[Span, ...]
    """The parts of the key or header as it is written; they are the last ones of `path`."""
    value: Span | None
    """None: it is a header."""


def entries(text: str) -> Iterator[TomlEntry]:
    """Yield the keys and headers of a valid TOML text, in order. Inline tables are one value."""
    at, table = 0, tuple[str, ...]()
    while at < len(text):
        space = _SPACE.match(text, at)
        at = space.end() if space else at
        header = at < len(text) and text[at] == "["
        while at < len(text) and text[at] in "[ \t":
            at += 1
        found = _KEYS.match(text, at)
        if found is None:
            at = _line_end(text, at) + 1
            continue
        spans = tuple(part.span() for part in _PART.finditer(text, *found.span()))
        names = tuple(_name(text[start:end]) for start, end in spans)
        if header:
            table, at = names, _line_end(text, found.end())
            yield TomlEntry(table, spans, None)
            continue
        start = found.end() + len(text[found.end() :]) - len(text[found.end() :].lstrip(" \t="))
        at = _value_end(text, start)
        yield TomlEntry((*table, *names), spans, (start, start + len(text[start:at].rstrip())))


def _value_end(text: str, start: int) -> int:
    depth, at = 0, start
    while at < len(text):
        piece = _PIECE.match(text, at)
        if piece is None:
            break
        found = piece[0]
        if depth == 0 and (found == "\n" or found.startswith("#")):
            break
        depth += (found in ("[", "{")) - (found in ("]", "}"))
        at = piece.end()
    return at


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _name(written: str) -> str:
    if written[0] == '"':
        try:
            return str(tomllib.loads(f"x = {written}")["x"])
        except tomllib.TOMLDecodeError:
            return written
    return written.strip("'") if written[0] == "'" else written
