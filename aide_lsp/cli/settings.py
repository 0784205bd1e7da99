"""The command `aide settings`.

In: a file's name. Out: which settings are in effect for it and why, as text or JSON. It does not know how
settings are merged, and loads no model: the limits are
read from the model's folder or card.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aide_lsp.cli.errors import json_text
from aide_lsp.cli.options import json_option
from aide_lsp.cli.terminal import say
from aide_lsp.errors import AideError

if TYPE_CHECKING:
    from aide_lsp.settings.fields import Settings
    from aide_lsp.settings.limits import ModelLimits


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@json_option("the report")
@click.option("--language", default="", help="Language id of the file.  [default: by the file's name]")
def settings(file: Path | None, as_json: bool, language: str) -> None:
    """Print every setting in effect for FILE, where it comes from, and what it overrides.

    Without FILE: for a file of no name in this folder. FILE need not exist. What an editor sets is not
    known here; the editor's command aide.settings shows that too.
    """
    from aide_lsp.completion.syntax import language_id_of
    from aide_lsp.settings.merge import SettingsReader
    from aide_lsp.settings.report import report_json, report_text

    document = (file or Path("untitled")).resolve()
    language = language or language_id_of("", str(document))
    limits = _limits(SettingsReader().resolve(document, language=language).settings)
    resolved = SettingsReader().resolve(document, limits=limits, language=language)
    if as_json:
        told = {"file": str(file) if file else None, "language": language or None}
        report = told | report_json(resolved, limits)
        say(json_text(report))
        return
    say(f"Settings for {file or 'this folder'}{f' ({language})' if language else ''}\n")
    say(report_text(resolved))


def _limits(settings: "Settings") -> "ModelLimits | None":
    """What the model allows; None: there is no such model, or only its card, which has no vocabulary."""
    from aide_lsp.loading import known_limits

    try:
        limits = known_limits(settings)
    except AideError:
        return None
    return limits if limits.vocab_size < sys.maxsize else None
