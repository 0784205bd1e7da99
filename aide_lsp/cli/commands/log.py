"""`aide log`: the latest completions, from the ledger."""

import click

from aide_lsp.cli.errors import json_text
from aide_lsp.cli.options import NumberType, json_option
from aide_lsp.cli.terminal import say


@click.command()
@click.option(
    "-n",
    "count",
    default=20,
    show_default=True,
    type=NumberType(1, 1_000_000),  # SQLite takes no number beyond 64 bits
    help="Number of completions, at most.",
)
@click.option("--stats", is_flag=True, help="Show acceptance and median times for each set of parameters.")
@json_option("everything that is recorded, except text,")
@click.option("--clear", is_flag=True, help="Delete all entries.")
def log(count: int, stats: bool, as_json: bool, clear: bool) -> None:
    """Show the latest completions.

    Each line shows the time, file, parameters, seed and outcome of one completion. They are recorded in the
    ledger, a file on this machine. It holds source text and paths only if you set `ledger = "text"`;
    otherwise it holds hashes, and a file is shown as part of its hash.
    """
    from aide_lsp.application import ledger
    from aide_lsp.ledger import report

    if clear:
        number = ledger.clear()
        message = f"The ledger is empty now: {number} completion{'' if number == 1 else 's'} deleted."
        say(json_text({"forgotten": number}) if as_json else message)
        return
    entries = ledger.newest(None if stats else count)
    if as_json:
        facts = map(report.stats_json, report.stats_of(entries)) if stats else map(report.entry_json, entries)
        say(json_text(list(facts)))
    elif not entries:
        say(ledger.EMPTY, err=True)
    else:
        lines = report.stats_lines(report.stats_of(entries)) if stats else report.log_lines(entries)
        say("\n".join(lines))
