"""Where log lines go: to the client once there is one, to stderr before, to a file if one is named.

In: records of the loggers under `aide`. Out: lines. Libraries' own loggers are silenced: pygls would log
whole messages, and so the user's source text.
It does not know what is logged.
"""

import logging
import os
import sys
from collections.abc import Callable
from logging.handlers import RotatingFileHandler
from pathlib import Path

LEVELS = ("debug", "info", "warning", "error")
FILE_BYTES = 5 * 1024 * 1024
SILENCED = ("pygls", "asyncio", "lsprotocol", "cattrs")
FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class ClientHandler(logging.Handler):
    """Sends records to the client once `send` is set; to stderr before."""

    def __init__(self) -> None:
        super().__init__()
        self.send: Callable[[int, str], None] | None = None
        """Takes level and text; for any thread."""

    def emit(self, record: logging.LogRecord) -> None:
        """Pass one record on."""
        try:
            text = self.format(record)
            if self.send is not None:
                self.send(record.levelno, text)
                return
            sys.stderr.write(f"aide-lsp: {text}\n")
            sys.stderr.flush()
        except Exception:  # a lost log line must not stop what was being done
            self.send = None


def set_up(level: str, file: Path | None) -> ClientHandler:
    """Set the loggers up; return the handler that can be turned to the client.

    Raises:
        OSError: the log file cannot be written.
    """
    for name in SILENCED:
        logging.getLogger(name).disabled = True
        logging.getLogger(name).propagate = False
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    logger = logging.getLogger("aide")
    logger.setLevel(level.upper())
    logger.propagate = False
    handler = ClientHandler()
    logger.addHandler(handler)
    if file is not None:
        logger.addHandler(_file_handler(file))
    return handler


def _file_handler(path: Path) -> logging.Handler:
    """A file only its user can read, renewed at 5 MiB."""
    path.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600))
    handler = RotatingFileHandler(path, maxBytes=FILE_BYTES, backupCount=1, encoding="utf-8")
    handler.setFormatter(logging.Formatter(FORMAT))
    return handler
