"""One completion outside an editor: for the command line and the self-test.

In: a place `FILE:LINE:COL` or a text with an offset. Out: a `Completion`. It does not know
the language server.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from attrs import frozen

from aide_lsp.errors import AideError
from aide_lsp.settings.fields import Settings

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer, Completion, CompletionRequest


LARGEST_FILE = 20_000_000
"""Bytes that are read at most: no text of this size is completed, and a device would never end."""
# At most two numbers at the end; more digits than these name no line.
_PLACE = re.compile(r"(.+?):([+-]?[0-9]{1,18})(?::([+-]?[0-9]{1,18}))?", re.DOTALL)


class PlaceError(AideError):
    """The place on the command line cannot be found."""


@frozen
class Spot:
    """A place as it was written."""

    file: str
    """Name of the file; `-`: stdin."""
    line: int | None = None
    """From 1; None: the end of the text."""
    column: int | None = None
    """From 1; None: the end of the line."""


def complete(completer: "Completer", settings: Settings, text: str, offset: int, path: Path) -> "Completion":
    """Complete a text at an offset in code points.

    Raises:
        SettingsError: a parameter is beyond what the model allows.
    """
    return answer(completer, settings, request_of(settings, text, offset, path))


def answer(completer: "Completer", settings: Settings, request: "CompletionRequest") -> "Completion":
    """Answer a request that was made from these settings.

    Raises:
        SettingsError: a parameter is beyond what the model allows.
    """
    from aide_lsp.inference.cancel import CancelToken

    check_limits(completer, settings)
    return completer.complete(request, CancelToken())


def answers(
    completer: "Completer", settings: Settings, request: "CompletionRequest", count: int
) -> "tuple[Completion, ...]":
    """Answer a request with up to `count` completions that differ.

    Raises:
        SettingsError: a parameter is beyond what the model allows.
    """
    from aide_lsp.completion.candidates import complete_several
    from aide_lsp.inference.cancel import CancelToken

    check_limits(completer, settings)
    return complete_several(completer, request, count, CancelToken())


def request_of(settings: Settings, text: str, offset: int, path: Path) -> "CompletionRequest":
    """Make the request for a text at an offset in code points."""
    from aide_lsp.completion.completer import CompletionRequest

    return CompletionRequest(
        text=text,
        offset=offset,
        language_id="",
        path=str(path.absolute()),
        parameters=settings.parameters,
        max_tokens=settings.max_tokens,
        deadline_ms=settings.deadline_ms,
    )


def check_limits(completer: "Completer", settings: Settings) -> None:
    """Refuse what this model cannot do; nothing is cut down in silence."""
    from aide_lsp.errors import SettingsError
    from aide_lsp.loading import limits_of
    from aide_lsp.settings.fields import FIELDS, check_value, value_of

    limits = limits_of(completer)
    faults = {key: check_value(key, value_of(settings, key), limits) for key in FIELDS}
    wrong = [f"{key}: {fault}." for key, fault in faults.items() if fault]
    if wrong:
        raise SettingsError("\n".join(wrong))


def read_place(place: str, name: str, stdin: TextIO | None) -> tuple[str, int, Path]:
    """Read the text that a place names: text, offset in code points, path.

    Raises:
        PlaceError: no such file, line or column.
    """
    spot = spot_of(place)
    text = read_stdin(stdin) if spot.file == "-" else read_file(Path(spot.file))
    path = Path(name or "stdin") if spot.file == "-" else Path(spot.file)
    return text, len(text) if spot.line is None else offset_of(text, spot.line, spot.column), path


def offset_of(text: str, line: int, column: int | None) -> int:
    """Turn a line and column, both from 1, into an offset in code points; None: the end of the line."""
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        raise PlaceError(f"There is no line {line}: the text has {len(lines)} lines, counted from 1.")
    # In a CRLF text the cursor cannot stand between the two.
    line_end = "\r" if line < len(lines) else ""
    length = len(lines[line - 1].removesuffix(line_end))
    column = length + 1 if column is None else column
    if not 1 <= column <= length + 1:
        raise PlaceError(f"There is no column {column} in line {line}: it goes from 1 to {length + 1}.")
    return sum(len(before) + 1 for before in lines[: line - 1]) + column - 1


def spot_of(place: str) -> Spot:
    """Split a place into its parts; a file's name may hold colons and numbers itself.

    Raises:
        PlaceError: it is none.
    """
    if place == "-":
        return Spot("-")
    found = _PLACE.fullmatch(place)
    if found is None:
        raise PlaceError(
            f'"{place}" is not a place: expected FILE:LINE:COL such as src/app.py:12:9, FILE:LINE for the '
            "end of a line, or - for the end of stdin."
        )
    file, line, column = found.groups()
    longer = f"{file}:{line}"
    if column is not None and file != "-" and _exists(longer) and not _exists(file):
        return Spot(longer, int(column))
    return Spot(file, int(line), None if column is None else int(column))


def read_file(path: Path) -> str:
    """Read a file as an editor would: as UTF-8, with its own line ends.

    Raises:
        PlaceError: it cannot be read, or is no text.
    """
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise PlaceError(f"{path} cannot be read: {error.strerror}.") from error
    return _decoded(data, str(path))


def read_stdin(stdin: TextIO | None) -> str:
    """Read the text on stdin, as a file.

    Raises:
        PlaceError: it cannot be read, or is no text.
    """
    if stdin is None:
        raise PlaceError("There is nothing to read: stdin is closed. Name a file, or pass the text on stdin.")
    if not hasattr(stdin, "buffer"):  # text in memory
        return stdin.read()
    try:
        data = stdin.buffer.read(LARGEST_FILE + 1)
    except OSError as error:
        raise PlaceError(f"Stdin cannot be read: {error.strerror}.") from error
    return _decoded(data, "The text on stdin")


def _decoded(data: bytes, what: str) -> str:
    if len(data) > LARGEST_FILE:
        raise PlaceError(f"{what} has more than {LARGEST_FILE:,} bytes; Aide does not complete in it.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PlaceError(
            f"{what} is not UTF-8 text (byte {error.start}); Aide completes text files only."
        ) from error
    if "\0" in text:
        raise PlaceError(f"{what} holds NUL characters, so it is no text; Aide completes text files only.")
    return text


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):
        return False
