"""Opens the model of a server."""

from contextlib import suppress

from aide_lsp.engines.remote.flavors.choice import ServerChoice
from aide_lsp.engines.remote.model import RemoteModel
from aide_lsp.errors import ServerError
from aide_lsp.inference.cancel import CancelToken


def open_remote_model(choice: ServerChoice) -> RemoteModel:
    """Return the model of a server. If the server does not answer, requests say so, until it does.

    Raises:
        SettingsError: the format that the settings name is unknown or does not suit the model, or the API key
            cannot be sent.
    """
    model = RemoteModel(choice)
    with suppress(ServerError):
        model.connect(CancelToken())
    return model
