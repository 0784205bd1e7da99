"""The command `aide`: one thin function for each subcommand.

In: arguments. Out: text on stdout (what was asked for) and stderr (all about it), and an exit status
(docs/cli.md). It does not know how anything is done.
"""

import io
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aide_lsp import PRIVATE, __version__
from aide_lsp.cli.errors import BROKEN_PIPE, error_json, failure, json_text
from aide_lsp.cli.options import PlaceCommand, given_values, json_option, parameter_options, place_argument
from aide_lsp.cli.terminal import say

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completion, CompletionRequest
    from aide_lsp.settings.fields import Settings
    from aide_lsp.settings.problems import Problem

ELSEWHERE = {
    "bench": "aide_lsp.cli.bench",
    "explain": "aide_lsp.cli.explain",
    "log": "aide_lsp.cli.ledger",
    "models": "aide_lsp.cli.models",
    "replay": "aide_lsp.cli.ledger",
    "settings": "aide_lsp.cli.settings",
    "troubleshoot": "aide_lsp.cli.troubleshoot",
}
"""Subcommands, each with the module that has it."""
JSON = "aide.json"


class AideGroup(click.Group):
    """Shows an error as one sentence instead of a traceback, and as JSON too where that is asked for."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Remember whether a program reads the output."""
        ctx.meta[JSON] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a subcommand."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            raise click.exceptions.Exit(BROKEN_PIPE) from None
        except Exception as error:
            failed = failure(error)
            if ctx.meta[JSON]:
                say(error_json(error, failed))
            raise failed from error

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
  aide doctor                       diagnose the installation and suggest repairs
Editors start the server themselves, with the command aide-lsp.""",
)
@click.version_option(__version__, prog_name="aide")
def main() -> None:
    """Code completions from a model on your own machine. No text ever leaves it."""
    os.umask(PRIVATE)


@main.command(cls=PlaceCommand)
@place_argument()
@click.option("--path", "name", default="", help="File name of the text from stdin: tells its language.")
@json_option("all that is known of the completion")
@click.option("--show", is_flag=True, help="Print the code around the cursor with the completion marked.")
@parameter_options
def complete(place: str, name: str, as_json: bool, show: bool, **options: Any) -> None:
    """Complete at a place in a file, and print what would be inserted.

    LINE and COL start at 1; COL counts characters, and the cursor is before that character. FILE:LINE is the
    end of that line. FILE may be `-` for stdin; a bare `-` completes at the end of stdin. The parameters used
    go to stderr. With --candidates N, up to N completions that differ are printed.

    \b
      aide complete src/app.py:12:9
      aide complete src/app.py:12:9 --temperature 0 --show
      aide complete src/app.py:12:9 --candidates 5
      printf 'def add(a, b):\\n    return ' | aide complete - --path add.py
      aide complete -:2:12 --path add.py < add.py
    """
    from aide_lsp.cli import ledger as ledger_cli
    from aide_lsp.cli import one_shot, terminal

    text, offset, path = one_shot.read_place(place, name, sys.stdin)
    settings = effective_settings(path, options)
    completer = load(settings)
    request = one_shot.request_of(settings, text, offset, path)
    count = settings.candidates if options["candidates"] is not None else 1
    completions = one_shot.answers(completer, settings, request, count)
    device = device_name(completer)
    if as_json:
        say(json_text(terminal.completions_json(completions, device, count)))
    else:
        tell_completions(request, completions, device, show)
    ledger_cli.keep(settings.ledger, request, completions, completer)


def tell_completions(
    request: "CompletionRequest", completions: "Sequence[Completion]", device: str, show: bool
) -> None:
    """Print completions, or the code around them, and on stderr what made them."""
    from aide_lsp.cli import terminal
    from aide_lsp.settings.report import parameters_line

    shown = [completion for completion in completions if completion.text] or completions[:1]
    for number, completion in enumerate(shown, start=1):
        if len(shown) > 1:
            say(f"{'' if number == 1 else chr(10)}Candidate {number}:")
        if show:
            terminal.show_source(request.text, request.offset, completion.text, colored())
        else:
            terminal.show_completion(completion.text)
    first = shown[0]
    if first.empty_reason:
        say(f"Nothing to show ({first.empty_reason}): {first.empty_message}", err=True)
    say(parameters_line(first.parameters), err=True)
    say(terminal.figures_line(first, device), err=True)


@main.command()
@parameter_options
def demo(**options: Any) -> None:
    """Fetch the model if needed, complete a sample file, and do it again with a new seed."""
    from aide_lsp.cli import one_shot, terminal
    from aide_lsp.cli.sample import NAME, sample
    from aide_lsp.settings.report import parameters_line

    settings = effective_settings(None, options)
    completer = load(settings)
    text, offset = sample()
    for title in (f"\nCompleting {NAME} at the cursor:", "\nAgain, with a new seed:"):
        completer.clear_cache()  # or the second answer would be the first one again
        completion = one_shot.complete(completer, settings, text, offset, Path(NAME))
        say(f"{title}\n")
        terminal.show_source(text, offset, completion.text, colored())
        if completion.empty_reason:
            say(f"\n  Nothing to show ({completion.empty_reason}): {completion.empty_message}")
        say(f"\n  {parameters_line(completion.parameters)}")
        say(f"  {terminal.figures_line(completion, device_name(completer))}")


@main.command()
@json_option("the findings")
@click.option("--quick", is_flag=True, help="Do not load the model: no self-test.")
def doctor(as_json: bool, quick: bool) -> None:
    """Check the installation: runtime, device, model files, memory, settings, and a timed self-test."""
    from aide_lsp.cli.doctor import examine

    findings = []
    for finding in examine(effective_settings(None, {}, strict=False), quick):
        findings.append(finding)
        if not as_json:
            say(finding.line())
    if as_json:
        say(json_text([finding.as_dict() for finding in findings]))
    if any(finding.level == "fail" for finding in findings):
        sys.exit(1)


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes a shell complete commands, model ids, presets, recipes and files.

    \b
      eval "$(aide completion bash)"      in ~/.bashrc; the same with zsh in ~/.zshrc
      aide completion fish | source       in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    say(kind(main, {}, "aide", "_AIDE_COMPLETE").source())


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve(arguments: tuple[str, ...]) -> None:
    """Run the language server (the same as aide-lsp; `aide serve --help` lists its options)."""
    from aide_lsp.lsp.main import main as serve_main

    sys.exit(serve_main(list(arguments)))


def run() -> int:
    """Run the command line; return its exit status."""
    try:
        status = main.main(prog_name="aide", standalone_mode=False)
    except click.ClickException as error:
        words = io.StringIO()
        error.show(words)
        say(words.getvalue(), err=True, nl=False)
        return error.exit_code
    except click.Abort:
        say("Aborted.", err=True)
        return 1
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else 0
    return status if isinstance(status, int) else 0


def effective_settings(path: Path | None, options: dict[str, Any], strict: bool = True) -> "Settings":
    """Merge the layers with the command line's options on top.

    What is wrong in a settings file is reported on stderr; the command goes on with the other values.

    Raises:
        SettingsError: an option's value cannot be used; the message names all of them.
        DeclinedError: Aide is off for this file.
        ModelError: there is no such model.
    """
    from aide_lsp.completion.syntax import language_id_of
    from aide_lsp.errors import DeclinedError, SettingsError
    from aide_lsp.loading import known_limits
    from aide_lsp.settings.merge import REQUEST, SettingsReader

    given = given_values(options)
    language = language_id_of("", str(path or ""))
    document, reader = path.resolve() if path else None, SettingsReader()
    limits = None
    if strict:
        limits = known_limits(SettingsReader().resolve(document, language=language, request=given).settings)
    resolved = reader.resolve(document, limits=limits, language=language, request=given)
    if not strict:
        return resolved.settings
    if wrong := [problem for problem in resolved.faults if problem.source == REQUEST]:
        raise SettingsError("\n".join(_on_terminal(problem) for problem in wrong))
    for problem in resolved.problems:
        say(f"{'Note' if problem.notice else 'Warning'}: {_on_terminal(problem)}", err=True)
    if resolved.off:
        raise DeclinedError("off", resolved.off.sentence())
    return resolved.settings


def _on_terminal(problem: "Problem") -> str:
    """Name the option instead of the setting and its layer."""
    from aide_lsp.settings.merge import REQUEST

    option = f"--{problem.key.replace('_', '-')}"
    return problem.message.replace(f"{problem.key} in {REQUEST}", option).replace(REQUEST, "the command line")


def colored() -> bool:
    """Whether stdout shows colors."""
    from aide_lsp.cli.terminal import takes_color

    return takes_color(sys.stdout)


def load(settings: "Settings") -> Any:
    """Load the model with progress on stderr."""
    from aide_lsp.cli.progress import terminal_progress
    from aide_lsp.loading import load_completer

    with terminal_progress() as progress:
        completer = load_completer(settings, progress)
    note = completer.session.provider_note
    if note and settings.provider == "cuda":
        say(f"Warning: {note}", err=True)
    return completer


def device_name(completer: Any) -> str:
    """Say where the model runs."""
    from aide_lsp.loading import device_of

    return device_of(completer)
