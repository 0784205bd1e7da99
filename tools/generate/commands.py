"""The command table as Markdown, for the page on the language server."""

from aide_lsp.lsp.commands.table import COMMANDS


def command_table() -> str:
    """Render every command of the server with the keys of its object."""
    rows = ["| Command | Arguments | |", "|---|---|---|"]
    rows += [f"| `{one.name}` | {one.arguments} | {one.summary} |" for one in COMMANDS]
    return "\n".join(rows)
