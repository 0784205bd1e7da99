"""Records completions in the ledger, and reads them back. No file is created by reading."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aide_lsp.errors import LedgerError
from aide_lsp.loading import ledger_file

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer
    from aide_lsp.completion.request import Completion, CompletionRequest
    from aide_lsp.ledger.entry import Entry
    from aide_lsp.ledger.recorder import LedgerRecorder

# Longer than the file is waited for while another process has it locked (`ledger.file.WAIT_SECONDS`).
FLUSH_SECONDS = 6.0
"""How long a command waits for its completions to be written."""
EMPTY = 'The ledger is empty: there are no completions yet, or it is off (setting ledger = "off").'


def record(
    recorder: "LedgerRecorder",
    mode: str,
    request: "CompletionRequest",
    completions: "Sequence[Completion]",
    completer: "Completer",
) -> None:
    """Pass completions of one request to the ledger's writer; `mode` is the setting `ledger`."""
    for completion in completions:
        # The request is the first candidate's, and a replay needs the completion's own number.
        recorder.record(
            mode, request.with_options(candidate=completion.candidate), completion, completer.info
        )


def record_now(
    mode: str, request: "CompletionRequest", completions: "Sequence[Completion]", completer: "Completer"
) -> str | None:
    """Record completions of one request and wait until they are written; return why they are not, or None."""
    from aide_lsp.ledger.recorder import LedgerRecorder

    recorder = LedgerRecorder(ledger_file, logs=False)  # the caller says it
    record(recorder, mode, request, completions, completer)
    recorder.flush(FLUSH_SECONDS)
    return recorder.problem


def newest(count: int | None = None) -> "list[Entry]":
    """Read the newest entries, newest first; None: all.

    Raises:
        LedgerError: the file cannot be read.
    """
    path = ledger_file()
    if not path.exists():
        return []
    from aide_lsp.ledger.file import ROWS, opened

    with opened(path) as ledger:
        return ledger.newest(count or ROWS)


def find(completion_id: str) -> "tuple[Entry, bytes]":
    """Find the entry whose id starts with this; return it and the salt of the ledger's hashes.

    Raises:
        LedgerError: there is none, or several, or the file cannot be read.
    """
    from aide_lsp.ledger.file import opened

    path: Path = ledger_file()
    if not path.exists():
        raise LedgerError(EMPTY)
    with opened(path) as ledger:
        return ledger.find(completion_id), ledger.salt


def clear() -> int:
    """Delete all entries; return how many there were.

    Raises:
        LedgerError: the file cannot be written.
    """
    path = ledger_file()
    if not path.exists():
        return 0
    from aide_lsp.ledger.file import forget

    return forget(path)
