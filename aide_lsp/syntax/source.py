"""Text as a parser reads it: one byte for each code point, so that an offset means the same in both."""

import re

_FOREIGN = re.compile(r"[^\x01-\x7f]")


def encode(text: str) -> bytes:
    """Encode a text with one byte for each code point.

    Blanks become spaces. Everything else that is not ASCII becomes a letter: it is part of names, strings,
    comments, or prose. So a quote or a dash that is not ASCII counts as a letter too, and is no error.
    """
    if not text.isascii() or "\0" in text:
        text = _FOREIGN.sub(_stand_in, text)
    return text.encode("ascii")


def _stand_in(match: re.Match[str]) -> str:
    character = match.group()
    if character == "\0" or character == "\ufeff" or character.isspace():
        return " "
    return "W" if character.isupper() else "w"


def point_of(source: bytes, offset: int, start: int = 0, point: tuple[int, int] = (0, 0)) -> tuple[int, int]:
    """Return row and column of an offset, counted from a start whose row and column are known."""
    rows = source.count(b"\n", start, offset)
    if not rows:
        return point[0], point[1] + offset - start
    return point[0] + rows, offset - source.rfind(b"\n", start, offset) - 1
