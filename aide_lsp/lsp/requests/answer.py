"""What a request is answered with: completions to choose from, or the reason why there are none."""

import logging
from typing import TYPE_CHECKING, Protocol

from attrs import frozen

from aide_lsp.errors import AideError, DeclinedError, where
from aide_lsp.inference.cancel import Cancelled
from aide_lsp.reasons import NoCompletionReason

if TYPE_CHECKING:
    from aide_lsp.completion.request import Completion
log = logging.getLogger("aide.requests")


class HasCompletion(Protocol):
    """The result of any work of the model for a request: the status reports its completion."""

    @property
    def completion(self) -> "Completion":
        """The completion that was generated, or the last one."""


@frozen
class Completions:
    """Completions for one place."""

    completions: tuple["Completion", ...]
    "The first candidate, then the others to choose from. Never empty, but their texts may be."

    @property
    def completion(self) -> "Completion":
        """The first candidate."""
        return self.completions[0]


@frozen
class NoCompletion:
    """Why a request got no completion."""

    reason: str
    "A short code for programs."
    message: str
    "A sentence for people."

    @classmethod
    def because(cls, reason: NoCompletionReason, message: str = "") -> "NoCompletion":
        """Give a reason, with a more specific message if there is one."""
        return cls(reason.code, message or reason.message)

    @classmethod
    def of(cls, empty: "Completion") -> "NoCompletion":
        """Give the reason that a completion is empty."""
        return cls(empty.empty_reason or "empty", empty.empty_message or "")

    @property
    def completions(self) -> tuple["Completion", ...]:
        """None, so that a handler can list the completions of any answer."""
        return ()


Answer = Completions | NoCompletion


def failure(error: Exception) -> NoCompletion:
    """Return why there is no completion after an error. An unexpected error is logged here, once."""
    if isinstance(error, Cancelled):
        return NoCompletion.because(NoCompletionReason.CANCELLED)
    if isinstance(error, DeclinedError):
        return NoCompletion(error.reason, str(error))
    if isinstance(error, AideError):
        return NoCompletion.because(NoCompletionReason.ERROR, str(error))
    log.error("Completing failed: %s", where(error))
    message = f"Internal error ({type(error).__name__}); the log says where."
    return NoCompletion.because(NoCompletionReason.ERROR, message)
