"""Reads the arguments of commands.

In: the arguments of one `workspace/executeCommand`. Out: their one object, and the place that it names. What
is wrong is refused with a sentence that says what is expected. It does not know what a command does.
"""

from collections.abc import Mapping
from typing import Any, TypeGuard

from attrs import frozen
from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams


@frozen
class Argument:
    """The object that a command about a place takes."""

    uri: str
    "The document."
    position: types.Position
    "In the client's units."
    values: Mapping[str, Any]
    "The whole object."


def read_argument(command: str, arguments: list[Any]) -> Argument:
    """Read `{"uri": ..., "position": {"line": ..., "character": ...}, ...}`."""
    expected = f'{command} takes one object: {{"uri": ..., "position": {{"line": ..., "character": ...}}}}'
    values = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], Mapping) else {}
    uri, position = values.get("uri"), values.get("position")
    if not isinstance(uri, str):
        raise JsonRpcInvalidParams(f"{expected}.")
    fields: Mapping[str, Any] = position if isinstance(position, Mapping) else {}
    line, character = fields.get("line"), fields.get("character")
    if not _is_count(line) or not _is_count(character):
        raise JsonRpcInvalidParams(f"{expected}; line and character are whole numbers from 0.")
    return Argument(uri, types.Position(line=line, character=character), values)


def _is_count(value: Any) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
