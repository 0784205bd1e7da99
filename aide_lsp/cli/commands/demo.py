"""`aide demo`: fetches the model if necessary, and completes a sample twice."""

from pathlib import Path
from typing import Any

import click

from aide_lsp.cli.options import effective_settings, parameter_options
from aide_lsp.cli.progress import load
from aide_lsp.cli.terminal import colored, figures_line, say, show_source
from aide_lsp.settings.report import parameters_line


@click.command()
@parameter_options
def demo(**options: Any) -> None:
    """Complete a sample file, twice.

    Fetches the model first if necessary. The second completion uses a new seed.
    """
    from aide_lsp.application import requests
    from aide_lsp.cli.sample import NAME, sample

    settings = effective_settings(None, options)
    completer = load(settings)
    (text, offset), path = sample(), str(Path(NAME).absolute())
    for title in (f"\nCompleting {NAME} at the cursor:", "\nAgain, with a new seed:"):
        completer.clear_cache()  # or the second answer would come from the completion cache
        request = requests.request_of(settings, text, offset, path)
        (completion,) = requests.complete(completer, settings, request)
        say(f"{title}\n")
        show_source(text, offset, completion, colored())
        if completion.empty_reason:
            say(f"\n  No completion ({completion.empty_reason}): {completion.empty_message}")
        say(f"\n  {parameters_line(completion.parameters)}")
        say(f"  {figures_line(completion, completer.info.runs_on)}")
