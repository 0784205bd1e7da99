"""All errors that Aide raises on purpose.

    AideError
    ├── SettingsError        a setting is invalid or cannot be written
    ├── ModelError           a model is not available
    │   ├── CardError            a model card is invalid or unknown
    │   ├── DownloadError        no source provided the file that the card pins
    │   ├── ConversionError      the file cannot be converted to ONNX
    │   └── ModelFilesError      files on disk are missing or differ from their manifest
    ├── SessionError         the runtime could not load or run the model
    │   ├── BrokenSessionError   it failed while running; loading it again may help
    │   │   ├── EngineChangedError  another engine answers than the one that was asked
    │   │   └── StuckSessionError  it returned no result in time and was ended
    │   ├── MemoryShortError     there was not enough memory
    │   └── SlotsFullError       other generations use all memory for KV caches
    ├── CrashError           a library raised what is not an ordinary error
    ├── LedgerError          the ledger cannot be read or written, or has no such completion
    └── DeclinedError        this request cannot be completed, with a reason code to show
        ├── BusyError            the engine has too much to do
        └── ServerError          the server that runs the model did not answer it

A message says what happened, what was expected, and what to do. Canceling is not an error: see
`inference.cancel`.
"""

import errno

FULL_DISK = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
"""Error codes for a file that cannot grow: the disk is full, or a quota or limit is reached."""


def disk_is_full(error: OSError) -> bool:
    """Whether the system refused to write for lack of space."""
    return error.errno in FULL_DISK


class AideError(Exception):
    """Base of all errors whose text is meant for the user."""


class SettingsError(AideError):
    """A setting is invalid or cannot be written."""


class ModelError(AideError):
    """A model is not available."""


class CardError(ModelError):
    """A model card is invalid, or no card has the requested name."""


class DownloadError(ModelError):
    """No source provided the file that the card pins."""


class ConversionError(ModelError):
    """A model file cannot be converted to ONNX."""


class ModelFilesError(ModelError):
    """Files of a model on disk are missing or differ from their manifest."""


class SessionError(AideError):
    """The runtime could not load the model or run it."""


class PromptLengthError(SessionError):
    """A prompt is empty, or longer than the model's context."""


class BrokenSessionError(SessionError):
    """The runtime failed while running the model. Its state is lost; loading the model again may help."""


class EngineChangedError(BrokenSessionError):
    """Another engine, or one with another model, answers than the one that the request was made for."""

    def __init__(self) -> None:
        super().__init__("Another engine answers than the one that was asked. Try again.")


class StuckSessionError(BrokenSessionError):
    """The runtime returned no result for too long, and was ended."""


class MemoryShortError(SessionError):
    """There was not enough memory to load the model or to run it."""


class SlotsFullError(SessionError):
    """Other generations use all memory for KV caches: one must end before another begins."""


class CrashError(AideError):
    """A library raised what would end a process or a thread; here it ends one request."""

    @classmethod
    def of(cls, error: BaseException) -> "CrashError":
        """Name what was raised, without its message, which may contain the user's text."""
        return cls(f"Internal error ({type(error).__name__}). Please report it, with the log.")


class LedgerError(AideError):
    """The ledger cannot be read or written, or has no such completion."""


class DeclinedError(AideError):
    """A request that cannot be completed.

    `reason` is a short code for programs (`too-large`, `long-line`, ...); the message is for people.
    """

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class BusyError(DeclinedError):
    """The engine has too much to do for others; `wait`: seconds after which it may have less."""

    def __init__(self, message: str, wait: float = 1.0) -> None:
        super().__init__("busy", message)
        self.wait = wait


class ServerError(DeclinedError):
    """The server that runs the model gave no answer.

    `kind` is a short code for the kind of failure (`refused`, `timeout`, `key`, ...), so that each is shown
    once; `wait` the seconds that the server asks to wait.
    """

    def __init__(self, kind: str, message: str, wait: float = 0.0) -> None:
        super().__init__("server", message)
        self.kind, self.wait = kind, wait


def where(error: BaseException) -> str:
    """Name what was raised and where in our code, without its message, which may contain the user's text."""
    frames, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}.{code.co_name}:{trace.tb_lineno}")
        trace = trace.tb_next
    return f"{type(error).__name__} at {' > '.join(frames[-6:])}"
