"""One completion outside an editor: for the command line and the self-test.

In: a place `FILE:LINE:COL` or a text with an offset. Out: a `Completion`. It does not know
the language server.
"""

from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from aide_lsp.errors import AideError
from aide_lsp.settings import Settings

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer, Completion, CompletionRequest


class PlaceError(AideError):
    """The place on the command line cannot be found."""


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
    from aide_lsp.settings import FIELDS, check_value, value_of
    from aide_lsp.startup import limits_of

    limits = limits_of(completer)
    faults = {key: check_value(key, value_of(settings, key), limits) for key in FIELDS}
    wrong = [f"{key}: {fault}." for key, fault in faults.items() if fault]
    if wrong:
        raise SettingsError("\n".join(wrong))


def read_place(place: str, name: str, stdin: TextIO) -> tuple[str, int, Path]:
    """Read the text that a place names: text, offset in code points, path.

    Raises:
        PlaceError: no such file, line or column.
    """
    file, line, column = _split(place)
    text = stdin.read() if file == "-" else read_file(Path(file))
    path = Path(name or "stdin") if file == "-" else Path(file)
    return text, offset_of(text, line, column) if line else len(text), path


def offset_of(text: str, line: int, column: int) -> int:
    """Turn a line and column, both from 1, into an offset in code points."""
    lines = text.split("\n")
    if not 1 <= line <= len(lines):
        raise PlaceError(f"There is no line {line}: the text has {len(lines)} lines.")
    # In a CRLF text the cursor cannot stand between the two.
    line_end = "\r" if line < len(lines) else ""
    length = len(lines[line - 1].removesuffix(line_end))
    if not 1 <= column <= length + 1:
        raise PlaceError(f"There is no column {column} in line {line}: it goes from 1 to {length + 1}.")
    return sum(len(before) + 1 for before in lines[: line - 1]) + column - 1


def _split(place: str) -> tuple[str, int, int]:
    if place == "-":
        return "-", 0, 0
    file, _, numbers = place.partition(":") if place.startswith("-:") else _split_right(place)
    try:
        line, column = (int(number) for number in numbers.split(":"))
    except ValueError:
        raise PlaceError(
            f'"{place}" is no place: expected FILE:LINE:COL, such as src/app.py:12:9, or - for stdin.'
        ) from None
    return file, line, column


def _split_right(place: str) -> tuple[str, str, str]:
    """Split off the two numbers; the path may hold colons itself."""
    parts = place.rsplit(":", 2)
    return parts[0], ":", ":".join(parts[1:])


def read_file(path: Path) -> str:
    """Read a file as an editor would: as UTF-8, with its own line ends.

    Raises:
        PlaceError: it cannot be read, or is no text.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except OSError as error:
        raise PlaceError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise PlaceError(
            f"{path} is not UTF-8 text (byte {error.start}); Aide completes text files only."
        ) from error
