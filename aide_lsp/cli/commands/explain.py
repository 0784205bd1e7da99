"""`aide explain`: why a completion is what it is, as text, JSON or an HTML page."""

import os
from pathlib import Path
from typing import Any

import click

from aide_lsp.cli.errors import json_text
from aide_lsp.cli.options import (
    PlaceCommand,
    json_option,
    parameter_options,
    path_option,
    place_argument,
    workspace_option,
)
from aide_lsp.cli.requests import load_request
from aide_lsp.cli.terminal import say
from aide_lsp.disk import replacing
from aide_lsp.errors import AideError, disk_is_full


class PageError(AideError):
    """The page cannot be written."""


@click.command(cls=PlaceCommand)
@place_argument()
@path_option
@workspace_option
@json_option("the explanation (docs/explain.md)")
@click.option(
    "--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="Write an HTML page to this file."
)
@parameter_options
def explain(
    place: str, name: str, workspace: Path | None, as_json: bool, page: Path | None, **options: Any
) -> None:
    """Complete at a place in a file, and explain the result.

    Shows what the model read, which tokens it could choose from at each step, why it stopped, and where the
    time went. The completion is the one that `aide complete` prints for the same seed. The page has charts
    and sliders that recompute each distribution; it works offline.

    \b
      aide explain src/app.py:12:9 --seed 7
      aide explain src/app.py:12:9 --seed 7 --html why.html
    """
    from aide_lsp.application.requests import check_limits
    from aide_lsp.explain import explanation as explaining
    from aide_lsp.explain.page import render
    from aide_lsp.explain.report import report
    from aide_lsp.inference.cancel import CancelToken

    if page:
        _check_writable(page)
    loaded = load_request(place, name, options, workspace)
    check_limits(loaded.completer, loaded.settings)
    explanation = explaining.explain(
        loaded.completer, loaded.request, CancelToken(), loaded.prepared.selection
    )
    if page:
        write_page(page, render(explanation))
        say(f"The page is {page}.", err=True)
    if as_json:
        say(json_text(explaining.as_json(explanation)))
    elif not page:
        say(report(explanation))


def _check_writable(page: Path) -> None:
    """Check that a page can be written, before anything is generated.

    Raises:
        PageError: its folder does not exist, or is not writable.
    """
    folder = page.absolute().parent
    if not folder.is_dir():
        raise PageError(f"{page} cannot be written: there is no folder {folder}.")
    if not os.access(page if page.exists() else folder, os.W_OK):
        raise PageError(f"{page} cannot be written: permission denied.")


def write_page(page: Path, html: str) -> None:
    """Write a page; a file that is there stays as it is until the new one is complete.

    Raises:
        PageError: it cannot be written.
    """
    # Lone surrogates of a broken file name or text have no UTF-8.
    content = html.encode("utf-8", errors="replace")
    file = page.resolve()
    try:
        if page.exists() and not (page.is_file() and os.access(file.parent, os.W_OK)):
            page.write_bytes(content)  # such as /dev/stdout: nothing can take its place
            return
        with replacing(file) as stream:
            stream.write(content)
    except OSError as error:
        more = " Free some space, then try again." if disk_is_full(error) else ""
        raise PageError(f"{page} cannot be written: {error.strerror}.{more}") from error
