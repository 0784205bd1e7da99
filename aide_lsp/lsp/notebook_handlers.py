"""Handlers of the notifications about notebooks.

Each cell is a document like any other: what a notification says about its text is handled as if the client
had sent it for that document. What does not fit is skipped: the rest of the notebook stays usable.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from aide_lsp.lsp.rpc.messages import whole_number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aide_lsp.lsp.server import Server

log = logging.getLogger("aide.features")
_MARKUP = int(types.NotebookCellKind.Markup)


def did_open(ls: Server, params: Any) -> None:
    """Add a notebook and its cells."""
    notebook = _object(params, "notebookDocument")
    cells = _objects(notebook, "cells")
    if isinstance(uri := notebook.get("uri"), str):
        # First: the notebook's path decides which settings its cells have.
        ls.notebooks.open(uri, _uris(cells))
    else:
        log.warning("A notebook has no URI: its cells are completed one by one.")
    _open(ls, _objects(params, "cellTextDocuments"), cells)


def did_change(ls: Server, params: Any) -> None:
    """Apply changes to the order of the cells, then those to their texts."""
    uri = _object(params, "notebookDocument").get("uri")
    changed = _object(_object(params, "change"), "cells")
    structure = _object(changed, "structure")
    order = _object(structure, "array")
    cells = _objects(order, "cells")
    if order and isinstance(uri, str):
        start, count = (whole_number(order.get(key)) or 0 for key in ("start", "deleteCount"))
        ls.notebooks.splice(uri, start, count, _uris(cells))
    for document in _objects(structure, "didClose"):
        _handle(ls, types.TEXT_DOCUMENT_DID_CLOSE, {"textDocument": document})
    _open(ls, _objects(structure, "didOpen"), cells)
    for change in _objects(changed, "textContent"):
        text = {"textDocument": change.get("document"), "contentChanges": change.get("changes")}
        _handle(ls, types.TEXT_DOCUMENT_DID_CHANGE, text)


def did_save(ls: Server, params: Any) -> None:
    """Ignore it: the texts are known already."""


def did_close(ls: Server, params: Any) -> None:
    """Forget a notebook and its cells, whether or not the client lists them."""
    uri = _object(params, "notebookDocument").get("uri")
    listed = (document.get("uri") for document in _objects(params, "cellTextDocuments"))
    known = ls.notebooks.close(uri) if isinstance(uri, str) else []
    for cell in dict.fromkeys([*known, *(cell for cell in listed if isinstance(cell, str))]):
        _handle(ls, types.TEXT_DOCUMENT_DID_CLOSE, {"textDocument": {"uri": cell}})


METHODS: dict[str, Callable[[Server, Any], Any]] = {
    types.NOTEBOOK_DOCUMENT_DID_OPEN: did_open,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE: did_change,
    types.NOTEBOOK_DOCUMENT_DID_SAVE: did_save,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE: did_close,
}


def _open(ls: Server, documents: list[Mapping[str, Any]], cells: list[Mapping[str, Any]]) -> None:
    notes = _uris([cell for cell in cells if whole_number(cell.get("kind")) == _MARKUP])
    for document in documents:
        language = document.get("languageId") or ("markdown" if document.get("uri") in notes else "")
        item = {**document, "languageId": language}
        _handle(ls, types.TEXT_DOCUMENT_DID_OPEN, {"textDocument": item})


def _handle(ls: Server, method: str, params: Any) -> None:
    """Handle what concerns one cell; a cell that cannot be used costs no other one."""
    ls.protocol.receive({"jsonrpc": "2.0", "method": method, "params": params})


def _object(value: Any, key: str) -> Mapping[str, Any]:
    found = value.get(key) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _objects(value: Any, key: str) -> list[Mapping[str, Any]]:
    found = value.get(key) if isinstance(value, dict) else None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _uris(cells: list[Mapping[str, Any]]) -> list[str]:
    return [cell["document"] for cell in cells if isinstance(cell.get("document"), str)]
