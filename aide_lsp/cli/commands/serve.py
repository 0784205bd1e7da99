"""`aide serve`: the language server."""

import sys

import click


# aide-lsp parses all options itself, `--help` included.
@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def serve(arguments: tuple[str, ...]) -> None:
    """Run the language server, like aide-lsp."""
    from aide_lsp.lsp.main import main

    sys.exit(main(list(arguments)))
