"""The command `aide`: one thin function for each subcommand.

In: arguments. Out: text on stdout (what was asked for) and stderr (all about it), and an exit status:
0 done, 1 an error of Aide's with its message, 2 wrong usage. It does not know how anything is done.
"""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aide_lsp import PRIVATE, __version__
from aide_lsp.errors import AideError

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completion, CompletionRequest
    from aide_lsp.settings import Settings
    from aide_lsp.settings_problems import Problem

ELSEWHERE = {
    "bench": "aide_lsp.bench_cli",
    "explain": "aide_lsp.explain_cli",
    "log": "aide_lsp.ledger_cli",
    "models": "aide_lsp.models_cli",
    "replay": "aide_lsp.ledger_cli",
    "settings": "aide_lsp.settings_cli",
    "troubleshoot": "aide_lsp.troubleshoot_cli",
}
"""Subcommands, each with the module that has it."""


class AideGroup(click.Group):
    """Shows an expected error as one sentence instead of a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a subcommand."""
        try:
            return super().invoke(ctx)
        except AideError as error:
            raise click.ClickException(str(error)) from error

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand that lies elsewhere only when it is asked for."""
        if cmd_name not in ELSEWHERE:
            return super().get_command(ctx, cmd_name)
        from importlib import import_module

        command: click.Command = getattr(import_module(ELSEWHERE[cmd_name]), cmd_name)
        return command

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name all subcommands, those not imported yet included."""
        return sorted([*super().list_commands(ctx), *ELSEWHERE])


@click.group(
    cls=AideGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
First steps:
  aide demo                         fetch the model and see it complete a sample
  aide complete src/app.py:12:9     complete your own file (line and column from 1)
  aide doctor                       check the installation, with the repair for each fault
Editors start the server themselves, with the command aide-lsp.""",
)
@click.version_option(__version__, prog_name="aide")
def main() -> None:
    """Code completions from a model on your own machine. No text ever leaves it."""
    os.umask(PRIVATE)


def parameter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add an option for each setting that fits one completion, from the settings table."""
    from aide_lsp.settings import FIELDS, allowed

    kinds = {bool: bool, int: int, float: float, str: str}
    for key, field in reversed(list(FIELDS.items())):
        if field.type not in kinds:
            continue  # a list is for files
        option = click.option(
            "--" + key.replace("_", "-"),
            key,
            type=kinds[field.type],
            help=f"{field.doc}  [{allowed(key)}]",
        )
        command = option(command)
    return command


@main.command()
@click.argument("place", metavar="FILE:LINE:COL")
@click.option("--path", "name", default="", help="File name of the text from stdin: tells its language.")
@click.option("--json", "as_json", is_flag=True, help="Print all that is known of the completion as JSON.")
@click.option("--show", is_flag=True, help="Print the code around the cursor with the completion marked.")
@parameter_options
def complete(place: str, name: str, as_json: bool, show: bool, **options: Any) -> None:
    """Complete at a place in a file, and print what would be inserted.

    LINE and COL start at 1; COL counts characters, and the cursor stands before that character. FILE may be
    `-` for stdin; a bare `-` completes at the end of stdin. The parameters used go to stderr.

    \b
      aide complete src/app.py:12:9
      aide complete src/app.py:12:9 --temperature 0 --show
      printf 'def add(a, b):\\n    return ' | aide complete - --path add.py
    """
    from aide_lsp import ledger_cli, one_shot, terminal

    text, offset, path = one_shot.read_place(place, name, sys.stdin)
    settings = effective_settings(path, options)
    completer = load(settings)
    request = one_shot.request_of(settings, text, offset, path)
    completion = one_shot.answer(completer, settings, request)
    device = device_name(completer)
    if as_json:
        click.echo(json.dumps(terminal.completion_json(completion, device), ensure_ascii=False, indent=2))
    else:
        tell_completion(request, completion, device, show)
    ledger_cli.keep(settings.ledger, request, completion, completer)


def tell_completion(request: "CompletionRequest", completion: "Completion", device: str, show: bool) -> None:
    """Print a completion, or the code around it, and on stderr what made it."""
    from aide_lsp import terminal

    if show:
        colour = sys.stdout.isatty()
        click.echo(terminal.marked_source(request.text, request.offset, completion.text, colour))
    else:
        click.echo(terminal.CONTROL.sub("", completion.text), nl=not completion.text.endswith("\n"))
    if completion.empty_reason:
        click.echo(f"Nothing to show ({completion.empty_reason}): {completion.empty_message}", err=True)
    click.echo(terminal.parameter_line(completion.parameters), err=True)
    click.echo(terminal.figures_line(completion, device), err=True)


@main.command()
@parameter_options
def demo(**options: Any) -> None:
    """Fetch the model if needed, complete a sample file, and do it again with a new seed."""
    from aide_lsp import one_shot, terminal
    from aide_lsp.sample import NAME, sample

    settings = effective_settings(None, options)
    completer = load(settings)
    text, offset = sample()
    for title in (f"\nCompleting {NAME} at the cursor:", "\nAgain, with a new seed:"):
        completer.clear_cache()  # or the second answer would be the first one again
        completion = one_shot.complete(completer, settings, text, offset, Path(NAME))
        click.echo(f"{title}\n")
        click.echo(terminal.marked_source(text, offset, completion.text, sys.stdout.isatty()))
        if completion.empty_reason:
            click.echo(f"\n  Nothing to show ({completion.empty_reason}): {completion.empty_message}")
        click.echo(f"\n  {terminal.parameter_line(completion.parameters)}")
        click.echo(f"  {terminal.figures_line(completion, device_name(completer))}")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
@click.option("--quick", is_flag=True, help="Do not load the model: no self-test.")
def doctor(as_json: bool, quick: bool) -> None:
    """Check the installation: runtime, device, model files, memory, settings, and a timed self-test."""
    from aide_lsp.doctor import examine

    findings = []
    for finding in examine(effective_settings(None, {}, strict=False), quick):
        findings.append(finding)
        if not as_json:
            click.echo(finding.line())
    if as_json:
        click.echo(json.dumps([finding.as_dict() for finding in findings], indent=2))
    if any(finding.level == "fail" for finding in findings):
        sys.exit(1)


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve(arguments: tuple[str, ...]) -> None:
    """Run the language server (the same as aide-lsp; `aide serve --help` lists its options)."""
    from aide_lsp.lsp.main import main as serve_main

    serve_main(list(arguments))


def effective_settings(path: Path | None, options: dict[str, Any], strict: bool = True) -> "Settings":
    """Merge the layers with the command line's options on top.

    Raises:
        SettingsError: some value cannot be used; the message names all of them.
        DeclinedError: Aide is off for this file.
    """
    from aide_lsp.completion.syntax import language_id_of
    from aide_lsp.errors import DeclinedError, SettingsError
    from aide_lsp.settings_layers import SettingsReader

    given = {key: value for key, value in options.items() if value is not None}
    language = language_id_of("", str(path or ""))
    resolved = SettingsReader().resolve(path.resolve() if path else None, language=language, request=given)
    if strict and resolved.faults:
        raise SettingsError("\n".join(_on_terminal(problem) for problem in resolved.faults))
    if strict and resolved.off:
        raise DeclinedError("off", resolved.off.sentence())
    for problem in resolved.problems if strict else ():
        click.echo(_on_terminal(problem), err=True)
    return resolved.settings


def _on_terminal(problem: "Problem") -> str:
    return problem.message.replace("this request", "the command line")


def load(settings: "Settings") -> Any:
    """Load the model with progress on stderr."""
    from aide_lsp.progress import terminal_progress
    from aide_lsp.startup import load_completer

    with terminal_progress() as progress:
        return load_completer(settings, progress)


def device_name(completer: Any) -> str:
    """Say where the model runs."""
    from aide_lsp.startup import device_of

    return device_of(completer)
