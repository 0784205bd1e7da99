"""`aide settings`: the settings in effect for a file. No model is loaded for this."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from aide_lsp.cli.errors import json_text
from aide_lsp.cli.options import json_option
from aide_lsp.cli.terminal import say
from aide_lsp.errors import AideError

if TYPE_CHECKING:
    from aide_lsp.completion.model import ModelInfo
    from aide_lsp.settings.fields import Settings
    from aide_lsp.settings.limits import ModelLimits


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@json_option("the report")
@click.option("--language", default="", help="The file's language id.  [default: by its name]")
def settings(file: Path | None, as_json: bool, language: str) -> None:
    """Print the settings in effect for a file.

    Also prints where each comes from, and what it overrides. FILE need not exist; without FILE, the settings
    are those of an unnamed file in this folder. Your editor's settings are not included: the command
    aide.settings in the editor includes them. If a server runs the model, it is asked what it is, without any
    text of yours.
    """
    from aide_lsp.application.effective import came_to
    from aide_lsp.application.server_facts import server_json
    from aide_lsp.language_ids.table import language_id_of
    from aide_lsp.settings.reader import SettingsReader
    from aide_lsp.settings.report import report_json, report_text

    document = (file or Path("untitled")).resolve()
    language = language or language_id_of("", str(document))
    # Twice: which limits apply depends on the model, which is itself a setting.
    limits = _limits(SettingsReader().resolve(document, language=language).settings)
    resolved = SettingsReader().resolve(document, limits=limits, language=language)
    info, problem = _server(resolved.settings)
    if as_json:
        document_json = {"file": str(file) if file else None, "language": language or None}
        server = {} if info is None else {"server": {**(server_json(info) or {}), "problem": problem or None}}
        say(json_text(document_json | report_json(resolved, limits) | server))
        return
    title = f"Settings for {file or 'this folder'}{f' ({language})' if language else ''}"
    say(report_text(resolved, title, came_to(resolved.settings, None if problem else info)))
    if problem:
        say(problem, err=True)


def _server(settings: "Settings") -> "tuple[ModelInfo | None, str]":
    """Return what is known of the server that runs the model, if any, and why it gives no answer."""
    from aide_lsp.loading import load_completer, runs_here

    if runs_here(settings):
        return None, ""
    completer = load_completer(settings, lambda share, text: None)
    return completer.info, str(completer.failure or "")


def _limits(settings: "Settings") -> "ModelLimits | None":
    """Return the model's limits; None: only its card is known, or a server; or there is no such model."""
    from aide_lsp.loading import known_limits
    from aide_lsp.settings.limits import UNKNOWN_SIZE

    try:
        limits = known_limits(settings)
    except AideError:
        return None
    return limits if limits is not None and limits.vocab_size != UNKNOWN_SIZE else None
