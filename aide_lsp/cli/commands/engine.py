"""`aide engine`: what a server that runs the model is and does, and the API key that it wants."""

import sys
from typing import TYPE_CHECKING, Any

import click

from aide_lsp.cli.errors import json_text
from aide_lsp.cli.options import engine_options, json_option
from aide_lsp.cli.terminal import say

if TYPE_CHECKING:
    from aide_lsp.engines.remote.look import ServerReport
    from aide_lsp.server_address import ServerAddress
    from aide_lsp.settings.fields import Settings

MOST_LISTED = 20
"""Models of a server that are printed; `--json` has all."""
LONGEST_LINE = 10_000
"""Characters of stdin that are read for a key."""
BYTE_ORDER_MARKS = ("\ufeff", "\u00ef\u00bb\u00bf")
"""PowerShell begins with one what it pipes: as UTF-8, and as other encodings read it."""


@click.group()
def engine() -> None:
    """Check the server that runs the model, and store its API key.

    Aide runs the model itself, unless the setting `engine` names a server. URL is the address of another one,
    such as http://127.0.0.1:8012.
    """


@engine.command()
@click.argument("url", metavar="[URL]", required=False)
@engine_options
@json_option("the report")
def check(url: str | None, as_json: bool, **options: Any) -> None:
    """Ask a server what it is, and let it complete a line.

    Prints what kind of server it is, its models, which of them is used and how prompts are written for it,
    which of your parameters have no effect there, and how fast it is. The line is `def add(a, b):`; none of
    your text is sent. The exit status is 1 if the server gives no completion.
    """
    from aide_lsp.engines.remote.look import look_at_server
    from aide_lsp.loading import server_choice

    settings, _ = _server(url, options)
    report = look_at_server(server_choice(settings))
    say(json_text(report_json(report)) if as_json else "\n".join(report_lines(report)))
    if report.problem:
        sys.exit(1)


@engine.command()
@click.argument("url", metavar="[URL]", required=False)
@click.option("--remove", is_flag=True, help="Remove the key.")
@json_option("the outcome")
def key(url: str | None, remove: bool, as_json: bool) -> None:
    """Store the API key for a server in the system's keyring.

    The key is asked for, and not shown; or it is the first line of stdin. Aide sends it to this server only,
    and writes it nowhere else. If the environment variable AIDE_API_KEY is set, that key is used instead.
    """
    import os

    from aide_lsp.engines import api_key

    _, address = _server(url, {})
    if remove:
        was_there = api_key.remove_key(address.host)
        message = "is removed from the keyring" if was_there else "is not in the keyring"
    else:
        name = api_key.store_key(address.host, _read_key(address.host))
        message = f"is stored in the keyring{f' ({name})' if name else ''}"
    sentence = f"The API key for {address.host} {message}."
    if os.environ.get(api_key.VARIABLE):
        sentence += f" {api_key.VARIABLE} is set, and is used instead."
    say(json_text({"host": address.host, "message": sentence}) if as_json else sentence)


def report_json(report: "ServerReport") -> dict[str, Any]:
    """Return a report as JSON."""
    import attrs

    facts = attrs.asdict(report, filter=lambda field, _: field.name != "text")
    return {**facts, "honored": sorted(report.honored), "ignored": list(report.ignored)}


def report_lines(report: "ServerReport") -> list[str]:
    """Render a report for a terminal."""
    from aide_lsp.settings.fields import label

    rows = [("Server", report.host)]
    if report.name:
        ignored = ", ".join(map(label, report.ignored))
        how = report.format or "the server writes them itself"
        rows += [
            ("Kind", f"{report.name} {report.version}".strip()),
            ("Models", _listed(report.models) or report.model),
            ("Used", report.model),
            ("Context", f"{report.context_length:,} tokens" if report.context_length else "not known"),
            ("Prompts", how + (f" ({report.format_from})" if report.format_from else "")),
            ("Text after cursor", "read" if report.reads_suffix else "not read"),
            ("Other files", "read if context_share is set" if report.reads_files else "not read"),
            ("No effect", ignored or "none of the five parameters"),
            (
                "Seed",
                "the same completion each time" if report.replays else "no promise of the same completion",
            ),
        ]
        rows += [("Note", note) for note in report.notes]
    if report.round_trip_ms:
        rows.append(("Round trip", f"{report.round_trip_ms:.0f} ms"))
    if report.first_token_ms:
        rate = f", then {report.tokens_per_second:.0f} tokens/s" if report.tokens_per_second else ""
        rows.append(("Speed", f"first token after {report.first_token_ms:.0f} ms{rate}"))
    rows.append(("Result", report.problem or "it completes"))
    width = max(len(name) for name, _ in rows)
    return [f"{name:<{width}}  {value}" for name, value in rows]


def _listed(names: tuple[str, ...]) -> str:
    more = len(names) - MOST_LISTED
    return ", ".join(names[:MOST_LISTED]) + (f", and {more} more" if more > 0 else "")


def _server(url: str | None, options: dict[str, Any]) -> "tuple[Settings, ServerAddress]":
    """Return the settings with the server that the command line names, or else your settings.

    Raises:
        click.UsageError: an argument's or option's value is invalid, or no server is named.
    """
    from aide_lsp.cli.options import checked_values, lenient_settings
    from aide_lsp.server_address import SHARED, server_address
    from aide_lsp.settings.fields import check_value

    if url is not None and (error := check_value("engine", url)) is not None:
        raise click.UsageError(f"URL: {error}.")
    settings = lenient_settings(checked_values(options | ({"engine": url} if url is not None else {})))
    address = server_address(settings.engine)
    if address is None:
        check = " `aide doctor` checks it." if settings.engine == SHARED else ""
        raise click.UsageError(
            f'There is no server: Aide runs the model itself (engine = "{settings.engine}").{check} '
            "Name a server, as URL."
        )
    return settings, address


def _read_key(host: str) -> str:
    if sys.stdin.isatty():
        answer: str = click.prompt(f"API key for {host}", hide_input=True, err=True)
        return answer.strip()
    piped = sys.stdin.readline(LONGEST_LINE).strip()
    for mark in BYTE_ORDER_MARKS:
        piped = piped.removeprefix(mark)
    return piped
