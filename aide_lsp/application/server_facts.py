"""What a server that runs the model is, and what it promises, for editors and for the terminal."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aide_lsp.server_address import address_error, server_address
from aide_lsp.settings.fields import label

if TYPE_CHECKING:
    from aide_lsp.completion.model import ModelInfo


def server_json(info: "ModelInfo", written: Callable[[str], str] = str) -> dict[str, Any] | None:
    """Return the facts as JSON; None: the model runs in this process.

    `written`: converts keys (`camel` for editors).
    """
    if not info.host:
        return None
    # A server that passes text on says itself where to.
    url = f"https://{info.host}"
    address = None if address_error(url) else server_address(url)
    return {
        "host": info.host,
        "loopback": address is not None and address.is_loopback,
        "engine": info.engine,
        "ignored": [written(key) for key in info.ignored],
        "replays": info.replays,
    }


def server_sentences(info: "ModelInfo") -> list[str]:
    """Say where text is sent, and what the server does not do; nothing: the model runs in this process."""
    if not info.host:
        return []
    sentences = [f"Text is sent to {info.host} ({info.engine})."]
    if info.ignored:
        names = [label(key) for key in info.ignored]
        verb = "has" if len(names) == 1 else "have"
        sentences.append(f"{_listed(names)} {verb} no effect there.")
    if not info.replays:
        sentences.append("The same seed may give another completion there.")
    return sentences


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
