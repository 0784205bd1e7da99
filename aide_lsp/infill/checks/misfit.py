"""What can be wrong with a text that would be inserted: codes for programs, sentences for people."""

from enum import Enum


class Misfit(Enum):
    """Why a text is not fit to be inserted at the cursor; in the messages, "it" is the text."""

    PLACEHOLDER = "placeholder", "It is a placeholder, not code."
    REPEATED_LINE = "repeated-line", "It repeats a line below the cursor."
    NO_BLOCK = "no-block", "The lines below are indented differently, and it opens no block for them."
    BROKEN_SYNTAX = "broken-syntax", "The file would no longer parse."
    DEAD_CODE = "dead-code", "Code after it would never run."
    DUPLICATE_KEY = "duplicate-key", "The same key, name, or section would be there twice."
    MISPLACED = (
        "misplaced",
        "It is content in a `<head>`, or an entry that depends on itself.",
    )
    UNKNOWN_NAME = "unknown-name", "It uses a name that is defined nowhere."
    UNBOUND_NAME = "unbound-name", "It leaves a name undefined that the code below uses."
    NOT_IMPORTED = "not-imported", "It uses a module that is not imported yet."

    def __init__(self, code: str, message: str) -> None:
        self.code = code
        self.message = message
