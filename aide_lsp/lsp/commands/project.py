"""Writes values to the project file of a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol.types import LSPErrorCodes
from pygls.exceptions import JsonRpcException

from aide_lsp.application.choices import write_to_project
from aide_lsp.errors import SettingsError
from aide_lsp.lsp.workspace.uris import file_of
from aide_lsp.settings.edit import NoProjectError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aide_lsp.application.choices import WriteResult
    from aide_lsp.lsp.server import Server


def write_values(ls: Server, uri: str, values: Mapping[str, Any], create: bool = False) -> WriteResult:
    """Set values in the project file of a document; None removes a key.

    Raises:
        NoProjectError: the document belongs to no project, and `create` is not set.
        JsonRpcException: they cannot be written; the message says why and what to do.
    """
    document = file_of(ls.notebooks.notebook_of(uri))
    if document is None:
        raise failed("The document is not a file, so it is not part of a project.")
    try:
        return write_for(ls, uri, document, values, create)
    except NoProjectError:
        raise
    except SettingsError as error:
        raise failed(str(error)) from error


def write_for(ls: Server, uri: str, document: Path, values: Mapping[str, Any], create: bool) -> WriteResult:
    """Do the same for a document whose path is known.

    Raises:
        NoProjectError: the document belongs to no project, and `create` is not set.
        SettingsError: they cannot be written; the message says why and what to do.
    """
    folder = ls.configuration.workspace_folder(uri)
    if ls.profile.derives_folders and folder == document.parent:
        folder = None  # then it is a project only if something marks it as one
    written = write_to_project(
        document, folder, values, lambda: ls.configuration.resolve(uri).settings, create
    )
    ls.notifier.changed()
    return written


def written_json(written: WriteResult, message: str) -> dict[str, Any]:
    """Return the answer of a command that wrote to a settings file."""
    return {"path": str(written.path) if written.path else None, "message": message}


def question(error: NoProjectError) -> dict[str, Any]:
    """Return the answer of a command that would create a project file: the client asks the user."""
    message = f"This file belongs to no project. Create {error.path}? It applies to all of that folder."
    return {"confirm": str(error.path), "message": message}


def failed(message: str) -> JsonRpcException:
    """Return the error of a command that is valid but cannot be carried out."""
    return JsonRpcException(message, code=LSPErrorCodes.RequestFailed.value)
