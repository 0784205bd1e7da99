"""Reads the arguments of commands. Invalid ones are rejected with a sentence that says what is expected."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard

from attrs import evolve, frozen
from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from aide_lsp.lsp.workspace.documents import Place
from aide_lsp.settings.fields import KEYS, PARAMETERS, Parameters, camel, check_value, in_effect, new_seed
from aide_lsp.settings.limits import ModelLimits

NAMES = ", ".join(map(camel, PARAMETERS))
"""The parameters as clients write them."""


@frozen
class DocumentPosition:
    """A position in a document, as the client gave it."""

    uri: str
    position: types.Position
    "In the client's units."

    @property
    def place(self) -> Place:
        """The position as documents take it."""
        return Place(self.position.line, self.position.character)


@frozen
class Arguments:
    """The arguments of one command. Each command takes one object."""

    command: str
    "Its name, for messages."
    given: Sequence[Any]
    "What the client sent."

    @property
    def values(self) -> Mapping[str, Any]:
        """The object; empty if the first argument is not an object."""
        return self.given[0] if self.given and isinstance(self.given[0], Mapping) else {}

    @property
    def create(self) -> bool:
        """Whether the user agreed that a project file is created."""
        return self.values.get("create") is True

    def document_position(self) -> DocumentPosition:
        """Read `uri` and `position`.

        Raises:
            JsonRpcInvalidParams: one is missing or malformed.
        """
        expected = (
            f'{self.command} takes one object: {{"uri": ..., "position": {{"line": ..., "character": ...}}}}'
        )
        uri, position = self._only().get("uri"), self._only().get("position")
        if not isinstance(uri, str):
            raise JsonRpcInvalidParams(f"{expected}.")
        fields: Mapping[str, Any] = position if isinstance(position, Mapping) else {}
        line, character = fields.get("line"), fields.get("character")
        if not is_count(line) or not is_count(character):
            raise JsonRpcInvalidParams(f"{expected}; line and character must be whole numbers, 0 or more.")
        return DocumentPosition(uri, types.Position(line=line, character=character))

    def uri(self) -> str:
        """Read `uri`.

        Raises:
            JsonRpcInvalidParams: it is missing or not a string.
        """
        uri = self._only().get("uri")
        if not isinstance(uri, str):
            raise JsonRpcInvalidParams(f'{self.command} takes one object: {{"uri": ...}}.')
        return uri

    def optional_uri(self) -> str | None:
        """Read `uri`; None if it is missing or not a string."""
        uri = self.values.get("uri")
        return uri if isinstance(uri, str) else None

    def model(self) -> str | None:
        """Read `model`, which may be null.

        Raises:
            JsonRpcInvalidParams: it is missing or of another type.
        """
        model = self._only().get("model")
        if "model" not in self._only() or not isinstance(model, str | None):
            raise JsonRpcInvalidParams(f'{self.command} takes one object: {{"model": ID or null}}.')
        return model

    def _only(self) -> Mapping[str, Any]:
        """The object; empty if there are more arguments."""
        return self.values if len(self.given) == 1 else {}


def read_parameters(values: Mapping[str, Any], current: Parameters, limits: ModelLimits | None) -> Parameters:
    """Read `parameters` and `seed` of a command's object; those it does not hold are as in `current`.

    Raises:
        JsonRpcInvalidParams: a name or a value is invalid.
    """
    given = values.get("parameters") or {}
    if not isinstance(given, Mapping):
        raise JsonRpcInvalidParams(f"parameters must be an object with any of {NAMES}.")
    seed = values.get("seed", given.get("seed"))
    checked = {}
    for written, value in {**given, "seed": current.seed if seed is None else seed}.items():
        key = parameter_key(written)
        if (error := check_value(key, value, limits)) is not None:
            raise JsonRpcInvalidParams(f"{camel(key)}: {error}.")
        checked[key] = in_effect(key, value)
    if checked["seed"] is None and current.seed is not None:
        checked["seed"] = new_seed()
    return evolve(current, **checked)


def parameter_key(written: str) -> str:
    """Return the key of a parameter that a client names.

    Raises:
        JsonRpcInvalidParams: there is no such parameter.
    """
    key = KEYS.get(written, written)
    if key not in PARAMETERS:
        raise JsonRpcInvalidParams(f"Unknown parameter. Aide has {NAMES}.")
    return key


def names_seed(values: Mapping[str, Any]) -> bool:
    """Return whether a command's object names a seed; "random" is none."""
    given = values.get("parameters")
    seed = values.get("seed", given.get("seed") if isinstance(given, Mapping) else None)
    return in_effect("seed", seed) is not None


def is_count(value: Any) -> TypeGuard[int]:
    """Return whether a value is an integer from 0 that the protocol can carry."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
