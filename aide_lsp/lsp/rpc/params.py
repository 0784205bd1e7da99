"""Converts the params of a message to their lsprotocol type, strictly where a document's text is at stake.

Errors name the places that do not fit, never the values.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import cattrs
from attrs import frozen
from lsprotocol import types
from pygls.protocol import default_converter

from aide_lsp.lsp.rpc.messages import whole_number

# Handlers read these tolerantly, as plain JSON: a client from next year must not fail here.
_RAW = frozenset(
    {
        types.INITIALIZE,
        types.INITIALIZED,
        types.SHUTDOWN,
        types.WORKSPACE_DID_CHANGE_CONFIGURATION,
        types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS,
        types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
        types.TEXT_DOCUMENT_DID_SAVE,
        types.NOTEBOOK_DOCUMENT_DID_OPEN,
        types.NOTEBOOK_DOCUMENT_DID_CHANGE,
        types.NOTEBOOK_DOCUMENT_DID_SAVE,
        types.NOTEBOOK_DOCUMENT_DID_CLOSE,
    }
)
UNKNOWN_VERSION = -(2**31)
"""The version of a document whose client sent no valid one."""
_LARGEST = 2**31 - 1
"""The largest number that the protocol allows and lsprotocol accepts."""


@frozen
class InvalidParamsError(Exception):
    """The params of a message do not fit its method; the message names places only."""

    message: str


def structured(converter: cattrs.Converter, method: str, params: Any) -> Any:
    """Convert params to the type that belongs to the method.

    Raises:
        InvalidParamsError: they do not fit.
    """
    params_type: Any = types.METHOD_TO_TYPES[method][2] if method in types.METHOD_TO_TYPES else None
    if params_type is None or method in _RAW:
        return params
    try:
        return converter.structure(_repaired(method, params), params_type)
    except InvalidParamsError:
        raise
    except Exception as error:
        # "from None": the text of the cause holds values.
        raise InvalidParamsError(f"The params of {method} are invalid: {_errors(error)}.") from None


def strict_converter() -> cattrs.Converter:
    """Return pygls' converter, but a number or null is not a text: such a change would corrupt a document."""
    converter: cattrs.Converter = default_converter()  # type: ignore[no-untyped-call]
    converter.register_structure_hook(str, _text)
    converter.register_structure_hook(int, _whole)
    return converter


def _text(value: Any, kind: type) -> Any:
    if not isinstance(value, str):
        raise TypeError("expected a string")
    return value if kind is str else kind(value)


def _whole(value: Any, kind: type) -> Any:
    number = whole_number(value)
    if number is None:
        raise TypeError("expected an integer")
    return kind(number)


def _repaired(method: str, params: Any) -> Any:
    """Repair what some clients send against the protocol, where the meaning is clear."""
    repair = _REPAIRS.get(method)
    return repair(params) if repair is not None and isinstance(params, Mapping) else params


def _inline_completion(params: Mapping[str, Any]) -> Any:
    context = params.get("context")
    context = dict(context) if isinstance(context, Mapping) else {}
    # vscode-languageclient 9 sends VS Code's own numbers: 0 automatic, 1 invoked.
    if context.get("triggerKind", 0) in (0, None):
        context["triggerKind"] = types.InlineCompletionTriggerKind.Automatic.value
    return {**params, "context": context}


def _completion(params: Mapping[str, Any]) -> Any:
    """Ignore the context: nothing depends on it."""
    return {**params, "context": None}


def _did_open(params: Mapping[str, Any]) -> Any:
    item = params.get("textDocument")
    if not isinstance(item, Mapping):
        return params
    language = item.get("languageId")
    repaired = {"languageId": language if isinstance(language, str) else "", "version": _version(item)}
    return {**params, "textDocument": {**item, **repaired}}


def _did_change(params: Mapping[str, Any]) -> Any:
    document, changes = params.get("textDocument"), params.get("contentChanges")
    if not isinstance(document, Mapping):
        return params
    if isinstance(changes, Mapping):
        changes = [changes]
    if isinstance(changes, list):
        changes = [_change(number, change) for number, change in enumerate(changes)]
    return {"textDocument": {**document, "version": _version(document)}, "contentChanges": changes}


def _change(number: int, change: Any) -> Any:
    """Repair one change. A range of null means the whole text; `rangeLength` is redundant.

    Only the first invalid change is reported: thousands of them must not cost thousands of messages.
    """
    if not isinstance(change, Mapping) or not isinstance(change.get("text"), str):
        raise InvalidParamsError(f"contentChanges[{number}] has no text.")
    kept = {key: change[key] for key in ("range", "text") if key in change}
    if kept.get("range", 0) is None:
        del kept["range"]
    if "range" in kept:
        ends = kept["range"]
        if not isinstance(ends, Mapping) or not (_is_place(ends.get("start")) and _is_place(ends.get("end"))):
            raise InvalidParamsError(
                f"contentChanges[{number}] has a range without line and character numbers."
            )
        kept["range"] = {key: _clamped(ends[key]) for key in ("start", "end")}
    return kept


def _is_place(place: Any) -> bool:
    numbers = [place.get(key) for key in ("line", "character")] if isinstance(place, Mapping) else [None]
    return all((number := whole_number(value)) is not None and number >= 0 for value in numbers)


def _clamped(place: Mapping[str, Any]) -> dict[str, Any]:
    """Limit a position far past the end, such as 2**32 - 1."""
    return {key: min(place[key], _LARGEST) for key in ("line", "character")}


def _version(document: Mapping[str, Any]) -> int:
    """Read the version. Nothing depends on it, so an invalid one is no reason to lose the document."""
    value = document.get("version")
    number = (
        int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,10}", value) else whole_number(value)
    )
    return number if number is not None and abs(number) <= _LARGEST else UNKNOWN_VERSION


_REPAIRS: Mapping[str, Callable[[Mapping[str, Any]], Any]] = {
    types.TEXT_DOCUMENT_INLINE_COMPLETION: _inline_completion,
    types.TEXT_DOCUMENT_COMPLETION: _completion,
    types.TEXT_DOCUMENT_DID_OPEN: _did_open,
    types.TEXT_DOCUMENT_DID_CHANGE: _did_change,
}


def _errors(error: Exception) -> str:
    try:
        errors = cattrs.transform_error(error)
    except Exception:
        errors = ["they are malformed"]
    text = "; ".join(errors[:3]).replace("$.", "").replace("$", "params")
    # Clients know the names of the protocol, not those of lsprotocol.
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), text)
