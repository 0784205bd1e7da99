"""The request that a subcommand's place and options make, with the model loaded to answer it."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from aide_lsp.cli.options import effective_settings
from aide_lsp.cli.places import PlaceError, read_place
from aide_lsp.cli.progress import load

if TYPE_CHECKING:
    from aide_lsp.application.excerpts import Prepared
    from aide_lsp.completion.completer import Completer
    from aide_lsp.completion.request import CompletionRequest
    from aide_lsp.settings.fields import Settings


@frozen
class LoadedRequest:
    """A request, and what it was built from."""

    prepared: "Prepared"
    settings: "Settings"
    completer: "Completer"
    path: Path
    "As the user wrote it."

    @property
    def request(self) -> "CompletionRequest":
        """The request, with excerpts of other files."""
        return self.prepared.request


def load_request(
    place: str, name: str, options: Mapping[str, Any], workspace: Path | None = None
) -> LoadedRequest:
    """Read a place, resolve its settings, load the model, and build the request.

    In this order: a wrong place or option is reported before the model takes time.

    Args:
        place: as the user wrote it.
        name: the path of the text on stdin; empty: `stdin`.
        options: of the command line.
        workspace: the folder that it names.

    Raises:
        AideError: see `read_place`, `check_workspace`, `effective_settings` and `load`.
    """
    from aide_lsp.application.requests import request_of

    text, offset, path = read_place(place, name, sys.stdin)
    check_workspace(path, workspace)
    settings = effective_settings(path, options, workspace)
    completer = load(settings)
    request = request_of(settings, text, offset, str(path.absolute()))
    prepared = prepare(request, path, workspace, completer)
    return LoadedRequest(prepared, settings, completer, path)


def prepare(
    request: "CompletionRequest", path: Path, workspace: Path | None, completer: "Completer"
) -> "Prepared":
    """Return a request with excerpts of the other files of its project, as the language server chooses them.

    Args:
        request: without excerpts.
        path: of its text, as the user wrote it.
        workspace: the folder that is open in the editor; None: the current one if it holds the text.
        completer: what completes it.
    """
    from aide_lsp.application.excerpts import Readable, RequestPreparer
    from aide_lsp.application.file_rules import OneFolder

    # Not resolved, as in an editor: whoever works in a folder by way of a link has its project there.
    document, folder = _absolute(path), _absolute(workspace) if workspace else None
    if folder is not None and folder not in document.parents:
        document, folder = path.resolve(), folder.resolve()
    files = Readable(document, folder, fallback=Path.cwd(), folders=OneFolder(folder))
    return RequestPreparer().prepare(request, files, completer.info)


def check_workspace(path: Path, workspace: Path | None) -> None:
    """Check that a folder that the user named holds a text.

    Raises:
        PlaceError: it does not.
    """
    if workspace is not None and workspace.resolve() not in path.resolve().parents:
        raise PlaceError(f"{path} is not in the folder {workspace} that --workspace names.")


def _absolute(path: Path) -> Path:
    # Without `..`, which `Path.absolute` keeps.
    return Path(os.path.normpath(path.absolute()))
