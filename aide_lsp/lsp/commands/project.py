"""Writes values to the project file of a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol.types import LSPErrorCodes
from pygls.exceptions import JsonRpcException

from aide_lsp.application.choices import write_to_project
from aide_lsp.errors import SettingsError
from aide_lsp.lsp.workspace.uris import file_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aide_lsp.application.choices import WriteResult
    from aide_lsp.lsp.server import Server


def write_values(ls: Server, uri: str, values: Mapping[str, Any]) -> WriteResult:
    """Set values in the project file of a document; None removes a key.

    Raises:
        JsonRpcException: they cannot be written; the message says why and what to do.
    """
    document = file_of(ls.notebooks.notebook_of(uri))
    if document is None:
        raise failed("The document is not a file, so it is not part of a project.")
    try:
        return write_for(ls, uri, document, values)
    except SettingsError as error:
        raise failed(str(error)) from error


def write_for(ls: Server, uri: str, document: Path, values: Mapping[str, Any]) -> WriteResult:
    """Do the same for a document whose path is known.

    Raises:
        SettingsError: they cannot be written; the message says why and what to do.
    """
    folder = ls.configuration.workspace_folder(uri)
    return write_to_project(document, folder, values, lambda: ls.configuration.resolve(uri).settings)


def failed(message: str) -> JsonRpcException:
    """Return the error of a command that is valid but cannot be carried out."""
    return JsonRpcException(message, code=LSPErrorCodes.RequestFailed.value)
