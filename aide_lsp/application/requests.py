"""Builds the request for a completion from the settings in effect, and checks it against the loaded model."""

from typing import TYPE_CHECKING

from aide_lsp.completion.request import CompletionRequest
from aide_lsp.errors import SettingsError
from aide_lsp.inference.options import GenerationOptions
from aide_lsp.settings.fields import FIELDS, Settings, check_value, value_of

if TYPE_CHECKING:
    from aide_lsp.completion.completer import Completer
    from aide_lsp.completion.request import Completion


def request_of(
    settings: Settings, text: str, offset: int, path: str, language_id: str = ""
) -> CompletionRequest:
    """Build the request for a completion.

    Args:
        settings: those in effect for the document.
        text: the whole document.
        offset: the cursor, in code points.
        path: of the document; may be empty.
        language_id: as in LSP; empty: the path decides.
    """
    return CompletionRequest(
        text=text,
        offset=offset,
        language_id=language_id,
        path=path,
        options=GenerationOptions(
            parameters=settings.parameters,
            max_tokens=settings.max_tokens,
            show=settings.show,
            min_confidence=settings.min_confidence,
            context_share=settings.context_share or 0.0,
            most_card_share=settings.most_card_share if settings.context_share is None else 0.0,
            deadline_ms=settings.deadline_ms,
        ),
    )


def complete(
    completer: "Completer", settings: Settings, request: CompletionRequest, count: int = 1
) -> "tuple[Completion, ...]":
    """Return up to `count` different completions for a request that was built from these settings.

    Raises:
        SettingsError: the loaded model does not allow these settings.
        DeclinedError, SessionError: see `Completer.complete`.
    """
    from aide_lsp.completion.candidates import complete_several
    from aide_lsp.inference.cancel import CancelToken

    check_limits(completer, settings)
    return complete_several(completer, request, count, CancelToken())


def check_limits(completer: "Completer", settings: Settings) -> None:
    """Check that the loaded model allows these settings; they are never clamped silently.

    Raises:
        SettingsError: it does not allow some of them; the message lists all.
    """
    limits = completer.info.limits
    errors = {key: check_value(key, value_of(settings, key), limits) for key in FIELDS}
    sentences = [f"{key}: {error}." for key, error in errors.items() if error]
    if sentences:
        raise SettingsError("\n".join(sentences))
