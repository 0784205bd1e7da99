"""What went wrong on the command line, as one sentence for people and as JSON for programs.

In: any exception that ended a subcommand. Out: a `click.ClickException` with the sentence, or text. It does
not know the subcommands.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from aide_lsp.errors import AideError, DeclinedError, disk_is_full

BROKEN_PIPE = 141
"""Exit status where nobody reads the output any more: 128 and the number of SIGPIPE."""
DEBUG = "AIDE_DEBUG"
"""Environment variable: set to anything, an error inside Aide shows where it happened."""


def failure(error: Exception) -> click.ClickException:
    """Turn an exception into a sentence; with `AIDE_DEBUG` unexpected ones are raised as they are."""
    if isinstance(error, click.ClickException):
        return error
    known = sentence(error)
    if known is None and os.environ.get(DEBUG):
        raise error
    told = str(error).partition("\n")[0]
    return click.ClickException(
        known
        or f"Aide failed unexpectedly ({type(error).__name__}: {told}). Please report this; with "
        f"{DEBUG}=1 in the environment the same command shows where it happened."
    )


def sentence(error: Exception) -> str | None:
    """Say what happened and what to do, where the user can do something; None: the error is Aide's."""
    if isinstance(error, AideError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There is not enough memory for this. Close other programs, or choose a smaller model."
    if isinstance(error, OSError) and error.strerror:
        return system_sentence(error)
    if isinstance(error, RuntimeError) and "Symlink loop" in str(error):
        return f"A link leads back to itself: {error}."
    if isinstance(error, RuntimeError) and "home directory" in str(error):
        return "Your home folder is not known. Set HOME to its path, then try again."
    return None


def system_sentence(error: OSError) -> str:
    """Say what the system refused."""
    if error.filename is None and not _has_folder():
        return "The current folder does not exist any more. Change to another one, then try again."
    where = f"{error.filename}: " if error.filename is not None else ""
    more = " Free some space, then try again." if disk_is_full(error) else ""
    return f"{where}{error.strerror}.{more}"


def error_json(error: Exception, failed: click.ClickException) -> str:
    """Return `{"error": sentence}`, with the reason code of a request that was declined."""
    reason = {"reason": error.reason} if isinstance(error, DeclinedError) else {}
    return json_text({"error": failed.format_message(), **reason})


def json_text(value: Any, indent: int | None = 2) -> str:
    """Return JSON for stdout: readable, but in ASCII where stdout cannot take all its characters."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return json.dumps(value, indent=indent)
    return text


def _has_folder() -> bool:
    try:
        Path.cwd()
    except OSError:
        return False
    return True
