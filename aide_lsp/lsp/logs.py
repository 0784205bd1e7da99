"""Where log lines go: to the client once there is one, to stderr until then, and to a file if one is named.

The libraries' loggers are silenced: pygls would log complete messages, which contain the user's source text.
"""

import logging
import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path

from aide_lsp.disk import refusal
from aide_lsp.errors import AideError
from aide_lsp.invisible import escaped

LEVELS = ("debug", "info", "warning", "error")
FILE_BYTES = 5 * 1024 * 1024
SILENCED = ("pygls", "asyncio", "lsprotocol", "cattrs")
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class LogFileError(AideError):
    """The log file cannot be written."""


class Lines(logging.Formatter):
    """Formats records so that names and paths in them cannot imitate other log lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Escape invisible characters, and indent all lines but the first."""
        return escaped(super().format(record)).replace("\n", "\n  ")


class ClientHandler(logging.Handler):
    """Sends records to the client once `send` is set; until then to stderr."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(Lines())
        self.send: Callable[[int, str], None] | None = None
        """Takes level and text. For any thread."""

    def emit(self, record: logging.LogRecord) -> None:
        """Send one record."""
        try:
            text = self.format(record)
            if self.send is not None:
                self.send(record.levelno, text)
                return
            sys.stderr.write(f"aide-lsp: {text}\n")
            sys.stderr.flush()
        except Exception:  # a lost log line must not stop anything
            self.send = None


def set_up(level: str, file: Path | None) -> ClientHandler:
    """Set up the loggers; return the handler that can send to the client.

    Raises:
        LogFileError: the log file cannot be written.
    """
    for name in SILENCED:
        logging.getLogger(name).disabled = True
        logging.getLogger(name).propagate = False
        # The level is inherited by loggers such as pygls.protocol; `disabled` is not.
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    logger = logging.getLogger("aide")
    logger.setLevel(level.upper())
    logger.propagate = False
    handler = ClientHandler()
    logger.addHandler(handler)
    if file is not None:
        try:
            logger.addHandler(PrivateFile(file))
        except OSError as error:
            raise LogFileError(
                f"The log file {file} cannot be written: {refusal(error)}. Choose another path."
            ) from error
    return handler


class PrivateFile(RotatingFileHandler):
    """A file that only its user can read, whatever the umask, even after rotation at 5 MiB."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        super().__init__(path, maxBytes=FILE_BYTES, backupCount=1, encoding="utf-8")
        self.setFormatter(Lines(FORMAT))

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding=self.encoding, opener=_open_private)


def _open_private(path: str, flags: int) -> int:
    """Open a file; make an existing one private, but leave devices alone."""
    handle = os.open(path, flags, 0o600)
    found = os.fstat(handle)
    if stat.S_ISREG(found.st_mode) and found.st_mode & 0o077:
        with suppress(OSError):  # it belongs to another user: that was the user's choice
            Path(path).chmod(0o600)
    return handle
