"""Turns the params of a message into their type, strictly where text is at stake.

In: a method and JSON. Out: an object of lsprotocol, or a sentence that names the places that do not fit,
never the values. It does not know what the method does.
"""

import re
from collections.abc import Mapping
from typing import Any

import cattrs
from attrs import frozen
from lsprotocol import types
from pygls.protocol import default_converter

# Read tolerantly by their handlers, as plain JSON: a client from next year must not fail here.
_RAW = frozenset(
    {types.INITIALIZE, types.INITIALIZED, types.SHUTDOWN, types.WORKSPACE_DID_CHANGE_CONFIGURATION}
)


@frozen
class InvalidParamsError(Exception):
    """The params of a message do not fit its method; the text names places only."""

    message: str


def structured(converter: cattrs.Converter, method: str, params: Any) -> Any:
    """Turn params into the type that belongs to the method.

    Raises:
        InvalidParamsError: they do not fit.
    """
    params_type: Any = types.METHOD_TO_TYPES[method][2] if method in types.METHOD_TO_TYPES else None
    if params_type is None or method in _RAW:
        return params
    try:
        return converter.structure(_repaired(method, params), params_type)
    except Exception as error:
        raise InvalidParamsError(f"The params of {method} are invalid: {_faults(error)}.") from None


def strict_converter() -> cattrs.Converter:
    """pygls' converter, but a number is no text and null is no text: such a change would spoil a document."""
    converter: cattrs.Converter = default_converter()  # type: ignore[no-untyped-call]
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(int, _whole)
    return converter


def _text(value: Any, kind: type) -> Any:
    if not isinstance(value, str):
        raise TypeError("expected a text")
    return value if kind is str else kind(value)


def _whole(value: Any, kind: type) -> Any:
    """Whole floats too: some clients' JSON knows no other numbers."""
    if isinstance(value, bool) or not isinstance(value, int | float) or value != int(value):
        raise TypeError("expected a whole number")
    return kind(value)


def _repaired(method: str, params: Any) -> Any:
    """Accept what common clients send although the protocol does not allow it."""
    if method != types.TEXT_DOCUMENT_INLINE_COMPLETION or not isinstance(params, Mapping):
        return params
    context = params.get("context")
    context = dict(context) if isinstance(context, Mapping) else {}
    # vscode-languageclient 9 sends VS Code's own numbers: 0 automatic, 1 invoked.
    if context.get("triggerKind", 0) in (0, None):
        context["triggerKind"] = types.InlineCompletionTriggerKind.Automatic.value
    return {**params, "context": context}


def _faults(error: Exception) -> str:
    try:
        faults = cattrs.transform_error(error)
    except Exception:
        faults = ["they have the wrong form"]
    text = "; ".join(faults[:3]).replace("$.", "").replace("$", "params")
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), text)
