"""The request that a subcommand's place and options make, with the model loaded to answer it."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from attrs import frozen

from aide_lsp.cli.options import effective_settings
from aide_lsp.cli.places import read_place
from aide_lsp.cli.progress import load

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer
    from aide_lsp.completion.request import CompletionRequest
    from aide_lsp.settings.fields import Settings


@frozen
class LoadedRequest:
    """A request, and what it was built from."""

    request: "CompletionRequest"
    settings: "Settings"
    completer: "Completer"
    path: Path
    "As the user wrote it."


def load_request(place: str, name: str, options: Mapping[str, Any]) -> LoadedRequest:
    """Read a place, resolve its settings, load the model, and build the request.

    In this order: a wrong place or option is reported before the model takes time.

    Args:
        place: as the user wrote it.
        name: the path of the text on stdin; empty: `stdin`.
        options: of the command line.

    Raises:
        AideError: see `read_place`, `effective_settings` and `load`.
    """
    from aide_lsp.application.requests import request_of

    text, offset, path = read_place(place, name, sys.stdin)
    settings = effective_settings(path, options)
    completer = load(settings)
    return LoadedRequest(request_of(settings, text, offset, str(path.absolute())), settings, completer, path)
