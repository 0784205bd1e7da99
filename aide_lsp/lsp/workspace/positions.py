"""Converts a line's columns between the client's units (UTF-8 bytes, UTF-16 units) and code points.

Offsets are clamped as VS Code does. Only `lsp/` knows the client's units; everything else counts code points.
"""

from typing import Literal

Encoding = Literal["utf-8", "utf-16", "utf-32"]
ENCODINGS: tuple[Encoding, ...] = ("utf-8", "utf-16", "utf-32")


def to_offset(line: str, column: int, encoding: Encoding, round_up: bool = False) -> int:
    """Count the code points before a column.

    A column past the end counts as the end; one inside a character as before it, or with `round_up` after it.
    """
    if encoding == "utf-32" or line.isascii():
        return min(column, len(line))
    if encoding == "utf-8":
        return _from_bytes(line, column, round_up)
    return _from_utf16(line, column, round_up)


def to_column(line: str, offset: int, encoding: Encoding) -> int:
    """Count the client's units in the first `offset` code points."""
    before = line[:offset]
    if encoding == "utf-32" or before.isascii():
        return len(before)
    if encoding == "utf-8":
        return len(before.encode("utf-8", "surrogatepass"))
    return len(before.encode("utf-16-le", "surrogatepass")) // 2


def join_surrogates(text: str) -> str:
    """Join two surrogates that an edit brought together into one character, as in UTF-16."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _from_bytes(line: str, column: int, round_up: bool) -> int:
    # A code point has at least one unit, so the rest of a long line need not be encoded.
    encoded = line[: column + 1].encode("utf-8", "surrogatepass")
    if column >= len(encoded):
        return len(line)
    while 0 < column < len(encoded) and encoded[column] & 0xC0 == 0x80:
        column += 1 if round_up else -1
    return len(encoded[:column].decode("utf-8", "surrogatepass"))


def _from_utf16(line: str, column: int, round_up: bool) -> int:
    prefix = line[: column + 1]
    encoded = prefix.encode("utf-16-le", "surrogatepass")
    units = len(encoded) // 2
    if column >= units:
        return len(line)
    if units == len(prefix):  # nothing outside the basic plane
        return column
    high, low = encoded[2 * column - 1] >> 2 == 0x36, encoded[2 * column + 1] >> 2 == 0x37
    if column and high and low:  # 0xD8..0xDB before, 0xDC..0xDF after
        column += 1 if round_up else -1
    return len(encoded[: 2 * column].decode("utf-16-le", "surrogatepass"))
