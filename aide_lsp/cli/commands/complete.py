"""`aide complete`: the completion at a place, on stdout; what produced it, on stderr."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aide_lsp.application.server_facts import server_sentences
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
from aide_lsp.cli.terminal import (
    also_read,
    colored,
    completions_json,
    figures_line,
    say,
    show_completion,
    show_source,
)
from aide_lsp.settings.report import parameters_line

if TYPE_CHECKING:
    from aide_lsp.completion.model import ModelInfo
    from aide_lsp.completion.request import Completion, CompletionRequest


@click.command(cls=PlaceCommand)
@place_argument()
@path_option
@workspace_option
@json_option("the completion and what produced it")
@click.option("--marked", is_flag=True, help="Print the code around the cursor with the completion marked.")
@parameter_options
def complete(
    place: str, name: str, workspace: Path | None, as_json: bool, marked: bool, **options: Any
) -> None:
    """Complete at a place in a file, and print the text to insert.

    LINE and COL start at 1. COL counts characters; the cursor is before that character. FILE:LINE is the end
    of that line. FILE can be `-` for stdin, and `-` alone is the end of stdin. The parameters are printed to
    stderr. With --candidates N, up to N different completions are printed.

    \b
      aide complete src/app.py:12:9
      aide complete src/app.py:12:9 --temperature 0 --marked
      aide complete src/app.py:12:9 --candidates 5
      printf 'def add(a, b):\\n    return ' | aide complete - --path add.py
      aide complete -:2:12 --path add.py < add.py
    """
    from aide_lsp.application import ledger, requests

    loaded = load_request(place, name, options, workspace)
    request, settings, completer = loaded.request, loaded.settings, loaded.completer
    # The setting is for requests in an editor, which shows one at a time; here only the option counts.
    count = settings.candidates if options["candidates"] is not None else 1
    completions = requests.complete(completer, settings, request, count)
    # Asked now: a server says what it is when it has answered.
    info = completer.info
    if as_json:
        say(json_text(completions_json(completions, info, count)))
    else:
        _print(request, completions, info, marked)
    if problem := ledger.record_now(settings.ledger, request, completions, completer):
        say(problem, err=True)


def _print(
    request: "CompletionRequest", completions: "Sequence[Completion]", info: "ModelInfo", marked: bool
) -> None:
    """Print the completions, or the code around them, and on stderr what produced them."""
    # An empty one only if there is nothing else: it says why.
    shown = [completion for completion in completions if completion.text] or completions[:1]
    for number, completion in enumerate(shown, start=1):
        if len(shown) > 1:
            say(f"{'' if number == 1 else chr(10)}Candidate {number}:")
        if marked:
            show_source(request.text, request.offset, completion, colored())
        else:
            show_completion(completion.text)
    first = shown[0]
    if first.empty_reason:
        say(f"No completion ({first.empty_reason}): {first.empty_message}", err=True)
    if first.note:
        say(first.note, err=True)
    say(parameters_line(first.parameters), err=True)
    say(figures_line(first, info.runs_on), err=True)
    if read := also_read(first):
        say(read, err=True)
    for sentence in server_sentences(info):
        say(sentence, err=True)
