"""`aide explain`: why a completion is what it is, as text, JSON or a page.

In: arguments. Out: text on stdout, a file with `--html`. It does not know how a completion is made or
explained.
"""

import os
import sys
from pathlib import Path
from typing import Any

import click

from aide_lsp.cli.errors import json_text
from aide_lsp.cli.main import device_name, effective_settings, load
from aide_lsp.cli.options import PlaceCommand, json_option, parameter_options, place_argument
from aide_lsp.cli.terminal import say
from aide_lsp.errors import AideError


class PageError(AideError):
    """The page cannot be written."""


@click.command(cls=PlaceCommand)
@place_argument()
@click.option("--path", "name", default="", help="File name of the text from stdin: tells its language.")
@json_option("the explanation (docs/explain.md)")
@click.option("--html", "page", type=click.Path(dir_okay=False, path_type=Path), help="Write a page here.")
@parameter_options
def explain(place: str, name: str, as_json: bool, page: Path | None, **options: Any) -> None:
    """Complete at a place in a file, and explain how the completion came about.

    What the model read, what each token was drawn from, what ended it, where the time went. The completion
    is the one that `aide complete` gives for the same seed. The page holds pictures, and sliders that compute
    each distribution again; it needs no network.

    \b
      aide explain src/app.py:12:9 --seed 7
      aide explain src/app.py:12:9 --seed 7 --html why.html
    """
    from aide_lsp.cli import one_shot
    from aide_lsp.explain.explanation import as_json as to_json
    from aide_lsp.explain.explanation import explain as explained
    from aide_lsp.explain.page import render
    from aide_lsp.explain.report import report
    from aide_lsp.inference.cancel import CancelToken

    if page:
        _check_writable(page)
    text, offset, path = one_shot.read_place(place, name, sys.stdin)
    settings = effective_settings(path, options)
    completer = load(settings)
    one_shot.check_limits(completer, settings)
    request = one_shot.request_of(settings, text, offset, path)
    explanation = explained(completer, request, device_name(completer), CancelToken())
    if page:
        _write(page, render(explanation))
        say(f"The page is {page}.", err=True)
    if as_json:
        say(json_text(to_json(explanation)))
    elif not page:
        say(report(explanation))


def _check_writable(page: Path) -> None:
    """Refuse a page that cannot be written before anything is generated.

    Raises:
        PageError: its folder does not exist, or may not be written to.
    """
    folder = page.absolute().parent
    if not folder.is_dir():
        raise PageError(f"{page} cannot be written: there is no folder {folder}.")
    if not os.access(page if page.exists() else folder, os.W_OK):
        raise PageError(f"{page} cannot be written: permission denied.")


def _write(page: Path, html: str) -> None:
    try:
        # Lone surrogates of a broken file name or text have no UTF-8.
        page.write_text(html, encoding="utf-8", errors="replace")
    except OSError as error:
        raise PageError(f"{page} cannot be written: {error.strerror}.") from error
