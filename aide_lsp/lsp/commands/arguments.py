"""Reads the arguments of commands.

In: the arguments of one `workspace/executeCommand`. Out: their one object, and what it names. What
is wrong is refused with a sentence that says what is expected. It does not know what a command does.
"""

from collections.abc import Mapping
from typing import Any, TypeGuard

from attrs import evolve, frozen
from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from aide_lsp.settings.fields import ModelLimits, Parameters, camel, check_value, in_effect, new_seed

PARAMETERS = {camel(name): name for name in ("temperature", "top_k", "top_p", "num_context", "seed")}


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
    if not is_count(line) or not is_count(character):
        raise JsonRpcInvalidParams(f"{expected}; line and character are whole numbers from 0.")
    return Argument(uri, types.Position(line=line, character=character), values)


def read_uri(command: str, arguments: list[Any]) -> str:
    """Read the document of `{"uri": ..., ...}`."""
    values = arguments[0] if len(arguments) == 1 and isinstance(arguments[0], Mapping) else {}
    uri = values.get("uri")
    if not isinstance(uri, str):
        raise JsonRpcInvalidParams(f'{command} takes one object: {{"uri": ...}}.')
    return uri


def read_parameters(values: Mapping[str, Any], present: Parameters, limits: ModelLimits | None) -> Parameters:
    """Read `parameters` and `seed` of an object; what it does not hold is as at present."""
    given = values.get("parameters") or {}
    if not isinstance(given, Mapping):
        raise JsonRpcInvalidParams(f"parameters must be an object; it may hold {', '.join(PARAMETERS)}.")
    seed = values.get("seed", given.get("seed"))
    checked = {}
    for written, value in {**given, "seed": present.seed if seed is None else seed}.items():
        key = PARAMETERS.get(written, written)
        if key not in PARAMETERS.values():
            raise JsonRpcInvalidParams(
                f"There is no parameter of that name; there are {', '.join(PARAMETERS)}."
            )
        if (fault := check_value(key, value, limits)) is not None:
            raise JsonRpcInvalidParams(f"{camel(key)}: {fault}.")
        checked[key] = in_effect(key, value)
    if checked["seed"] is None and present.seed is not None:
        checked["seed"] = new_seed()
    return evolve(present, **checked)


def is_count(value: Any) -> TypeGuard[int]:
    """Say whether a value is a whole number from 0 that the protocol can carry."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
