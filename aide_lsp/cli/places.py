"""Reads the text that a place on the command line names: `FILE:LINE:COL`, `FILE:LINE`, or `-` for stdin."""

import re
from pathlib import Path
from typing import TextIO

import click
from attrs import frozen

from aide_lsp.errors import AideError
from aide_lsp.line_ends import LINE_END

LARGEST_FILE = 20_000_000
"""Bytes to read at most. No text of this size is completed, and a device file would never end."""
# A longer number names no line.
_PLACE = re.compile(r"(.+?):([+-]?[0-9]{1,18})(?::([+-]?[0-9]{1,18}))?", re.DOTALL)


class PlaceError(AideError):
    """The place on the command line does not exist or cannot be read."""


@frozen
class Spot:
    """A place as the user wrote it."""

    file: str
    "A file's name; `-`: stdin."
    line: int | None = None
    "From 1; None: the end of the text."
    column: int | None = None
    "From 1; None: the end of the line."


def read_place(place: str, name: str, stdin: TextIO | None) -> tuple[str, int, Path]:
    """Return the text that a place names, the offset in code points, and the path.

    Args:
        place: as the user wrote it.
        name: the path of the text on stdin; empty: `stdin`.
        stdin: None: closed.

    Raises:
        click.UsageError: it is not a place.
        PlaceError: there is no such file, line or column.
    """
    spot = spot_of(place)
    text = read_stdin(stdin) if spot.file == "-" else read_file(Path(spot.file))
    path = Path(name or "stdin") if spot.file == "-" else Path(spot.file)
    return text, len(text) if spot.line is None else offset_of(text, spot.line, spot.column), path


def offset_of(text: str, line: int, column: int | None) -> int:
    """Convert a line and column, both from 1, to an offset in code points; None: the end of the line.

    Raises:
        PlaceError: there is no such line or column.
    """
    ends = [(end.start(), end.end()) for end in LINE_END.finditer(text)]
    starts, stops = [0, *(after for _, after in ends)], [*(at for at, _ in ends), len(text)]
    if not 1 <= line <= len(starts):
        range_of_lines = f"lines 1 to {len(starts)}" if len(starts) > 1 else "only line 1"
        raise PlaceError(f"There is no line {line}: the text has {range_of_lines}.")
    start, length = starts[line - 1], stops[line - 1] - starts[line - 1]
    column = length + 1 if column is None else column
    if not 1 <= column <= length + 1:
        columns = f"its columns are 1 to {length + 1}" if length else "it is empty, so its only column is 1"
        raise PlaceError(f"There is no column {column} in line {line}: {columns}.")
    return start + column - 1


def spot_of(place: str) -> Spot:
    """Split a place into its parts. A file's name can contain colons and numbers, too.

    Raises:
        click.UsageError: it is not a place.
    """
    if place == "-":
        return Spot("-")
    found = _PLACE.fullmatch(place)
    if found is None:
        raise click.UsageError(
            f'"{place}" is not a place: expected FILE:LINE:COL such as src/app.py:12:9, FILE:LINE for the '
            "end of a line, or - for the end of stdin."
        )
    file, line, column = found.groups()
    longer = f"{file}:{line}"
    if column is not None and file != "-" and _exists(longer) and not _exists(file):
        return Spot(longer, int(column))
    return Spot(file, int(line), None if column is None else int(column))


def read_file(path: Path) -> str:
    """Read a file as an editor would: as UTF-8, with its line endings.

    Raises:
        PlaceError: it cannot be read, or is not text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise PlaceError(f"{path} cannot be read: {error.strerror}.") from error
    return _decoded(data, str(path))


def read_stdin(stdin: TextIO | None) -> str:
    """Read the text on stdin like a file.

    Raises:
        PlaceError: it cannot be read, or is not text.
    """
    if stdin is None:
        raise PlaceError("Stdin is closed. Name a file, or pass the text on stdin.")
    if not hasattr(stdin, "buffer"):  # a text in memory
        return stdin.read()
    try:
        data = stdin.buffer.read(LARGEST_FILE + 1)
    except OSError as error:
        raise PlaceError(f"Stdin cannot be read: {error.strerror}.") from error
    return _decoded(data, "The text on stdin")


def _decoded(data: bytes, what: str) -> str:
    if len(data) > LARGEST_FILE:
        raise PlaceError(f"{what} has more than {LARGEST_FILE:,} bytes, too many for a completion.")
    try:
        text = data.decode("utf-8-sig")  # editors do not count a byte order mark
    except UnicodeDecodeError as error:
        raise PlaceError(
            f"{what} is not UTF-8 text (see byte {error.start}). Aide completes only text files."
        ) from error
    if "\0" in text:
        raise PlaceError(
            f"{what} contains NUL characters, so it is not text. Aide completes only text files."
        )
    return text


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False
