"""Turns errors of subcommands into sentences for people and JSON for programs."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from aide_lsp.errors import AideError, DeclinedError, disk_is_full

BROKEN_PIPE = 141
"""Exit status if the reader of stdout is gone: 128 plus the number of SIGPIPE."""
DEBUG = "AIDE_DEBUG"
"""Environment variable: if set, an unexpected error prints its traceback."""


def failure(error: Exception) -> click.ClickException:
    """Turn an exception into a sentence; with `AIDE_DEBUG`, raise an unexpected one as it is."""
    if isinstance(error, click.ClickException):
        return error
    known = sentence(error)
    if known is None and os.environ.get(DEBUG):
        raise error
    first_line = str(error).partition("\n")[0]
    return click.ClickException(
        known
        or f"Aide failed unexpectedly ({type(error).__name__}: {first_line}). Please report this. To see "
        f"where it happened, run the same command with {DEBUG}=1 in the environment."
    )


def sentence(error: Exception) -> str | None:
    """Say what happened and what the user can do about it; None: the error is Aide's own."""
    if isinstance(error, AideError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There is not enough memory. Close other programs, or choose a smaller model."
    if isinstance(error, OSError) and error.strerror:
        return system_sentence(error)
    # pathlib raises both as plain RuntimeErrors; the first is an OSError from Python 3.13 on.
    if isinstance(error, RuntimeError) and "Symlink loop" in str(error):
        return f"A symbolic link points to itself: {error}."
    if isinstance(error, RuntimeError) and "home directory" in str(error):
        return "Your home folder is unknown. Set HOME to its path, then try again."
    return None


def system_sentence(error: OSError) -> str:
    """Say which file or folder the error is about, and what the system reported."""
    if error.filename is None and not _has_folder():
        return "The current folder no longer exists. Change to another one, then try again."
    where = f"{error.filename}: " if error.filename is not None else ""
    more = " Free some space, then try again." if disk_is_full(error) else ""
    return f"{where}{error.strerror}.{more}"


def error_json(error: Exception, failed: click.ClickException) -> str:
    """Return `{"error": sentence}`, with the reason code if the request was declined."""
    reason = {"reason": error.reason} if isinstance(error, DeclinedError) else {}
    return json_text({"error": failed.format_message(), **reason})


def json_text(value: Any, indent: int | None = 2) -> str:
    """Return JSON for stdout, in ASCII if the encoding of stdout lacks some of its characters."""
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
