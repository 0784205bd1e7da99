"""The command line of `aide-lsp`.

In: arguments. Out: `Options`. Read by hand: a library for it would cost every start of an editor more than
these few options are worth. It does not know what a server does with them.
"""

from collections.abc import Sequence
from pathlib import Path

from attrs import frozen

from aide_lsp import __version__

USAGE = """\
Usage: aide-lsp [OPTIONS]

The language server of Aide. An editor starts it and speaks with it over stdin and stdout; started by hand it
waits for an editor. Try a completion in the terminal with: aide demo

Options:
  --stdio             Speak over stdin and stdout (the default).
  --tcp HOST:PORT     Wait for one client on a TCP port of this machine (port 0: any free one). The client
                      sends a token in initialize, as initializationOptions.token: the one in the environment
                      variable AIDE_TOKEN, or the one that is printed on stderr.
  --socket PATH       Wait for one client on a Unix socket that only you can reach.
  --log-level LEVEL   debug, info, warning or error; info is the default. Source text is never logged.
  --log-file PATH     Log to this file too.
  --version           Print the version.
  --help              Print this text.
"""


class UsageError(Exception):
    """The arguments are wrong; the text says how."""


@frozen
class Options:
    """What the command line says."""

    tcp: str | None = None
    "Address to listen on; None: no TCP."
    socket: Path | None = None
    "Unix socket to listen on; None: none."
    log_level: str = "info"
    "Least level to log."
    log_file: Path | None = None
    "File to log to; None: none."
    text: str | None = None
    "What to print in place of serving."


def read_options(arguments: Sequence[str]) -> Options:
    """Read the arguments.

    Raises:
        UsageError: an option is unknown, lacks its value, or has a wrong one.
    """
    values, rest = dict[str, str](), list(arguments)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if name in ("--help", "-h"):
            return Options(text=USAGE)
        if name == "--version":
            return Options(text=f"aide-lsp {__version__}\n")
        if name not in ("--stdio", "--tcp", "--socket", "--log-level", "--log-file"):
            raise UsageError(f'there is no option "{name}"')
        if name != "--stdio" and not equals:
            if not rest:
                raise UsageError(f"{name} needs a value")
            value = rest.pop(0)
        values[name] = value
    return _checked(values)


def _checked(values: dict[str, str]) -> Options:
    from aide_lsp.lsp.logs import LEVELS

    if len(values.keys() & {"--stdio", "--tcp", "--socket"}) > 1:
        raise UsageError("choose one of --stdio, --tcp and --socket")
    level = values.get("--log-level", "info").lower()
    if level not in LEVELS:
        raise UsageError(f"--log-level is one of {', '.join(LEVELS)}")
    socket, file = values.get("--socket"), values.get("--log-file")
    return Options(
        tcp=values.get("--tcp"),
        socket=Path(socket) if socket else None,
        log_level=level,
        log_file=Path(file).expanduser() if file else None,
    )
