"""`aide completion`: the script that a shell needs to complete `aide ...`."""

import click

from aide_lsp.cli.terminal import say


@click.command()
@click.argument("shell", metavar="SHELL", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script for a shell.

    The shell then completes commands, options, model ids, presets, recipes and file names of aide.

    \b
      eval "$(aide completion bash)"      in ~/.bashrc; likewise zsh in ~/.zshrc
      aide completion fish | source       in ~/.config/fish/config.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    say(kind(ctx.find_root().command, {}, "aide", "_AIDE_COMPLETE").source())
