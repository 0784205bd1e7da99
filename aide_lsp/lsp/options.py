"""The command line of `aide-lsp`.

Parsed by hand: importing a library for these few options would delay every start of an editor.
"""

from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from aide_lsp import __version__

USAGE = """\
Usage: aide-lsp [OPTIONS]

Aide's language server. Editors start it and talk to it over stdin and stdout; if you start it yourself, it
waits for an editor. To try a completion in the terminal, run: aide demo

Options:
  --stdio             Use stdin and stdout (the default).
  --tcp HOST:PORT     Wait for one client on a TCP port of this machine (port 0: any free one). The client
                      must send a token in initialize, as initializationOptions.token: the one in the
                      environment variable AIDE_TOKEN, or else the one printed on stderr.
  --socket PATH       Wait for one client on a Unix socket that only you can access.
  --log-level LEVEL   debug, info (the default), warning or error. Source text is never logged.
  --log-file PATH     Also log to this file.
  --version           Print the version.
  --help              Print this help.
"""


class UsageError(Exception):
    """The arguments are invalid; the message says why."""


@frozen
class Options:
    """What the command line says."""

    tcp: str | None = None
    "Address to listen on; None: do not use TCP."
    socket: Path | None = None
    "Unix socket to listen on; None: do not use one."
    log_level: str = "info"
    "Lowest level to log."
    log_file: Path | None = None
    "File to log to as well."
    text: str | None = None
    "What to print instead of starting the server."


def read_options(arguments: Sequence[str]) -> Options:
    """Read the arguments.

    Raises:
        UsageError: an option is unknown, or its value is missing or invalid.
    """
    values, rest = dict[str, str](), list(arguments)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if name in ("--help", "-h"):
            return Options(text=USAGE)
        if name == "--version":
            return Options(text=f"aide-lsp {__version__}\n")
        if name not in ("--stdio", "--tcp", "--socket", "--log-level", "--log-file"):
            raise UsageError(f'unknown option "{name}"')
        if name != "--stdio" and not equals:
            if not rest:
                raise UsageError(f"{name} needs a value")
            value = rest.pop(0)
        values[name] = value
    return _checked(values)


def _checked(values: dict[str, str]) -> Options:
    from aide_lsp.lsp.logs import LEVELS

    if len(values.keys() & {"--stdio", "--tcp", "--socket"}) > 1:
        raise UsageError("choose one of --stdio, --tcp, and --socket")
    level = values.get("--log-level", "info").lower()
    if level not in LEVELS:
        raise UsageError(f"--log-level must be one of {', '.join(LEVELS)}")
    socket, file = values.get("--socket"), values.get("--log-file")
    return Options(
        tcp=values.get("--tcp"),
        socket=Path(socket) if socket else None,
        log_level=level,
        log_file=Path(file).expanduser() if file else None,
    )
