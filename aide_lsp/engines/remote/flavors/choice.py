"""Which server runs the model, as the settings say it."""

from typing import TYPE_CHECKING

from attrs import field, frozen

from aide_lsp.server_address import ServerAddress

if TYPE_CHECKING:
    from aide_lsp.inference.tokenizer import Tokenizer

AUTO = "auto"
"""The value of `kind` for a server that is asked what it is."""


@frozen
class ServerChoice:
    """A server, and what is known of it in advance."""

    address: ServerAddress
    "Setting `engine`."
    kind: str = AUTO
    "Setting `engine_kind`."
    model: str | None = None
    "Setting `engine_model`; None: the first that the server lists."
    format: str | None = None
    "Setting `engine_format`; None: found out."
    card_format: str | None = None
    "Format of the card that the setting `model` names: taken if the server does not show which it is."
    key: str = field(default="", repr=False)
    "API key; empty: none. Only ever sent to `address`."
    tokenizer: "Tokenizer | None" = field(default=None, repr=False)
    "The model's own, if its card is on the disk; None: tokens are estimated."
