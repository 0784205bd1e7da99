"""Why a request gets no completion: every reason, with the code for programs and the sentence for people.

Codes are part of the protocol and of the ledger's files, so they never change.
"""

from enum import Enum

from aide_lsp.errors import DeclinedError
from aide_lsp.text_limits import LONGEST_LINE, LONGEST_TEXT, MOST_LINES


class NoCompletionReason(Enum):
    """A reason, with a code and a general message; a request may get a more specific message."""

    # The model ran, and there is nothing to insert.
    NOTHING_TO_ADD = "nothing-to-add", "The model had nothing to add here."
    ONLY_WHITESPACE = "only-whitespace", "The model generated only whitespace."
    REPEATS_SUFFIX = "repeats-suffix", "The model only repeated the text after the cursor."
    INVISIBLE = "invisible", "The model generated only invisible characters."
    DOES_NOT_FIT = "does-not-fit", "The generated text does not fit the text around the cursor."
    LOW_CONFIDENCE = (
        "low-confidence",
        "The model gives the generated text too low a probability (setting min_confidence).",
    )
    TIMEOUT = (
        "timeout",
        "The deadline passed before the completion was finished. Raise deadline_ms, "
        "or lower num_context: the model then reads less.",
    )

    # The text cannot be completed.
    TOO_LARGE = (
        "too-large",
        f"The text has more than {LONGEST_TEXT:,} characters or {MOST_LINES:,} lines. "
        "Shorten it, then open it again.",
    )
    LONG_LINE = "long-line", f"The line has more than {LONGEST_LINE:,} characters."
    EMPTY = (
        "empty-file",
        "The file is empty, and there is nothing else to go by.",
    )
    OFF = "off", "Completions are off for this file."
    SETTINGS_FILE = (
        "settings-file",
        "The model does not know Aide's settings, so it completes nothing here. Your editor's list of "
        "completions has them: Ctrl+Space in VS Code, Ctrl+X Ctrl+O in Neovim.",
    )

    # The server cannot answer, or no one waits for the answer anymore.
    PAUSED = "paused", "Completions are paused. Resume them in Aide's menu, in Neovim with :Aide resume."
    LOADING = "loading", "The model is still loading."
    MISSING = "missing", "The model is not downloaded yet."
    FAILED = "failed", "The model could not be loaded."
    SERVER = "server", "The server that runs the model gave no answer."
    BUSY = "busy", "The engine is busy with other requests."
    UNKNOWN_DOCUMENT = "unknown-document", "The document is not open, or its text was lost. Open it again."
    NO_PREVIOUS = "no-previous", "No earlier completion was shown at this position."
    NO_OTHER = "no-other", "There is no other completion here."
    SUPERSEDED = "superseded", "A newer request for this document arrived."
    CANCELLED = "cancelled", "The request was canceled."
    STALE = "stale", "The document was changed or closed in the meantime."
    ERROR = "error", "Completing failed; see the log."

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message

    @property
    def is_routine(self) -> bool:
        """Whether it happens all the time while the user types, so that it is not worth reporting."""
        return self in (
            NoCompletionReason.SUPERSEDED,
            NoCompletionReason.CANCELLED,
            NoCompletionReason.STALE,
        )

    def error(self, message: str = "") -> DeclinedError:
        """Return the error that declines a request, with a more specific message if there is one."""
        return DeclinedError(self.code, message or self.message)
