"""All errors that Aide raises on purpose.

    AideError
    ├── SettingsError        a value somebody set cannot be used
    ├── ModelError           a model cannot be had
    │   ├── CardError            a model card is wrong or unknown
    │   ├── DownloadError        no source gave the file that the card pins
    │   ├── ConversionError      the file cannot be turned into ONNX
    │   └── ModelFilesError      files on disk are missing or differ from their manifest
    ├── SessionError         the runtime could not load or run the model
    │   ├── BrokenSessionError   it failed in the middle; loaded again it may work
    │   │   └── StuckSessionError  it gave no result and was ended
    │   └── MemoryShortError     there was not enough memory
    ├── CrashError           something below raised what is no ordinary error
    ├── LedgerError          the ledger cannot be read or written, or holds no such completion
    └── DeclinedError        this request cannot be completed, with a reason code to show

A message says what happened, what was expected, and what to do. Cancelling is not an error: see
`inference.cancel`.
"""

import errno

FULL_DISK = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""What the system says where a file cannot grow: for want of space on the disk, by a quota or a limit."""


def disk_is_full(error: OSError) -> bool:
    """Whether the system refused to write for want of space."""
    return error.errno in FULL_DISK


class AideError(Exception):
    """Base of all errors whose text is meant for the user."""


class SettingsError(AideError):
    """A setting has a wrong value; the last good one stays in effect."""


class ModelError(AideError):
    """A model cannot be had."""


class CardError(ModelError):
    """A model card is wrong, or no card has the name that was asked for."""


class DownloadError(ModelError):
    """No source gave the file that the card pins."""


class ConversionError(ModelError):
    """A model file cannot be turned into an ONNX model."""


class ModelFilesError(ModelError):
    """Files of a model on disk are missing or differ from their manifest."""


class SessionError(AideError):
    """The runtime could not load the model or run it."""


class BrokenSessionError(SessionError):
    """The runtime failed while it ran the model. Whatever it held is lost; loaded again it may work."""


class StuckSessionError(BrokenSessionError):
    """The runtime gave no result for too long, and was ended."""


class MemoryShortError(SessionError):
    """There was not enough memory to load the model or to run it."""


class CrashError(AideError):
    """A library raised what is meant to end a process or a thread; here it ends one request."""

    @classmethod
    def of(cls, error: BaseException) -> "CrashError":
        """Say what was raised, without its text: that may hold the user's."""
        return cls(f"Internal error ({type(error).__name__}). Please report it, with the log.")


class LedgerError(AideError):
    """The ledger cannot be read or written, or it holds no such completion."""


class DeclinedError(AideError):
    """A request that cannot be completed.

    `reason` is a short code for programs (`too-large`, `long-line`, ...); the message is for people.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def where(error: BaseException) -> str:
    """Say what was raised and where in our code; not its text, which may contain the user's."""
    frames, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}.{code.co_name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return f"{type(error).__name__} at {' > '.join(frames[-6:])}"
