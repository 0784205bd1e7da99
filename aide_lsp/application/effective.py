"""What the settings that Aide decides itself, such as `auto`, came to."""

from typing import TYPE_CHECKING

from aide_lsp.errors import AideError
from aide_lsp.loading import card_of, threads_of
from aide_lsp.settings.fields import Settings

if TYPE_CHECKING:
    from aide_lsp.completion.model import ModelInfo


def came_to(settings: Settings, info: "ModelInfo | None" = None) -> dict[str, str]:
    """Return what the settings that Aide decides itself came to, by key.

    Args:
        settings: those in effect.
        info: of the loaded model; None: none is loaded, so only some are known.
    """
    found = {}
    if settings.model is None and (name := info.id if info else _default_model(settings)):
        found["model"] = name
    if info is not None and settings.recipe == "auto":
        found["recipe"] = info.recipe
    if info is not None and settings.provider == "auto":
        found["provider"] = info.device.upper()
    if info is not None and settings.threads == 0 and info.device == "cpu":
        found["threads"] = str(threads_of(settings))
    return found


def _default_model(settings: Settings) -> str:
    try:
        return card_of(settings).id
    except AideError:
        return ""
