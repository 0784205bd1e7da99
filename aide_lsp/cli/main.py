"""The command `aide`: the group of subcommands, and how errors become messages and exit statuses.

Subcommands are imported when they are needed: `aide --version` and completion in the shell stay fast.
"""

import io
import os
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

from aide_lsp import PRIVATE, __version__
from aide_lsp.cli.errors import BROKEN_PIPE, error_json, failure
from aide_lsp.cli.terminal import say

COMMANDS = (
    "bench", "complete", "completion", "demo", "doctor", "engine", "explain", "log", "models", "replay",
    "serve", "settings", "troubleshoot",
)  # fmt: skip
"""Each is in the module of `aide_lsp.cli.commands` that has its name."""
JSON = "aide.json"


class AideGroup(click.Group):
    """Shows an error as one sentence instead of a traceback, and as JSON if the user passed `--json`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Note whether a program reads the output, also where the rest of the line is invalid."""
        ctx.meta[JSON] = "--json" in args
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run a subcommand."""
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, click.Abort):  # RuntimeErrors, but not failures
            raise
        except BrokenPipeError:
            raise click.exceptions.Exit(BROKEN_PIPE) from None
        except Exception as error:
            failed = failure(error)
            if ctx.meta[JSON]:
                say(error_json(error, failed))
            raise failed from error

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"aide_lsp.cli.commands.{cmd_name}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a subcommand; suggest one if there is none of that name."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = get_close_matches(name, COMMANDS, n=1)
            ctx.fail(f"No such command {name!r}." + "".join(f" Did you mean {one!r}?" for one in near))
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name all subcommands."""
        return list(COMMANDS)


@click.group(
    cls=AideGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
First steps:
  aide demo                         fetch the model and watch it complete a sample
  aide complete src/app.py:12:9     complete your own file (line and column start at 1)
  aide doctor                       diagnose the installation and suggest fixes
Your editor starts the language server itself, with the command aide-lsp.""",
)
@click.version_option(__version__, prog_name="aide")
def main() -> None:
    """Code completions from a model on your own machine.

    No text leaves it, unless you point Aide at a server (setting engine).
    """
    os.umask(PRIVATE)


def run() -> int:
    """Run the command line; return its exit status."""
    try:
        # In its own mode, click prints messages unescaped and ends the process.
        status = main.main(prog_name="aide", standalone_mode=False)
    except click.ClickException as error:
        message = io.StringIO()
        error.show(message)
        say(message.getvalue(), err=True, nl=False)
        return error.exit_code
    except click.Abort:
        say("Aborted.", err=True)
        return 1
    except SystemExit as left:
        return left.code if isinstance(left.code, int) else 0
    return status if isinstance(status, int) else 0
