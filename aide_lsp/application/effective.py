"""What the settings that Aide decides itself, such as `auto`, came to."""

from typing import TYPE_CHECKING

from aide_lsp.errors import AideError
from aide_lsp.loading import card_of, threads_of
from aide_lsp.server_address import ServerAddress, server_address
from aide_lsp.settings.fields import Settings

if TYPE_CHECKING:
    from aide_lsp.catalog.cards import Card
    from aide_lsp.completion.model import ModelInfo

_OWN_KEYS = ("recipe", "provider", "threads", "cache_mb")
"""Settings of Aide's own engine."""


def came_to(settings: Settings, info: "ModelInfo | None" = None) -> dict[str, str]:
    """Return what the settings that Aide decides itself, or a model's card, came to, by key.

    Args:
        settings: those in effect.
        info: of the loaded model; None: none is loaded, so only some are known.
    """
    server = server_address(settings.engine)
    if server is not None:
        return _came_to_on(server, settings, info)
    found, model = {}, info or _card(settings)
    if model is not None and settings.model is None:
        found["model"] = model.id
    if model is not None and settings.context_share is None:
        share, allowed = model.context_share, settings.most_card_share
        only = ", which a project can only lower" if allowed < Settings().most_card_share else ""
        if share <= allowed:
            found["context_share"] = f"{share:g}, from the model{only}"
    if info is not None and info.shares:
        found["engine"] = info.shares.removesuffix(".")
    if info is not None and settings.recipe == "auto":
        found["recipe"] = info.recipe
    if info is not None and settings.provider == "auto":
        found["provider"] = info.device.upper()
    if info is not None and settings.threads == 0 and info.device == "cpu":
        found["threads"] = str(threads_of(settings))
    return found


def _came_to_on(server: ServerAddress, settings: Settings, info: "ModelInfo | None") -> dict[str, str]:
    """Return what the settings came to with a server; `info`: of its model, None: it has not answered."""
    host = info.host if info else server.host
    found = {"engine": f"text is sent to {host}"}
    found |= dict.fromkeys(_OWN_KEYS, "not used with a server")
    if settings.model is None:
        found["model"] = "none is used with a server"
    if settings.work_ahead and not server.is_loopback:
        found["work_ahead"] = "not with a server on another machine"
    if settings.context_share is None:
        found["context_share"] = "0, since a server runs the model"
    if settings.complete_secrets:
        found["complete_secrets"] = "never with a server"
    if info is None:
        return found
    if settings.engine_kind == "auto":
        found["engine_kind"] = info.engine
    if settings.engine_model is None:
        found["engine_model"] = info.id or "not known yet"
    if not info.replays:
        found["seed"] = (
            f"{'random, and ' if settings.parameters.seed is None else ''}no promise on this server"
        )
    if settings.min_confidence and not info.rates:
        found["min_confidence"] = "no effect: the server reports no probabilities"
    return found | dict.fromkeys(info.ignored, "no effect on this server")


def _card(settings: Settings) -> "Card | None":
    try:
        return card_of(settings)
    except AideError:
        return None
