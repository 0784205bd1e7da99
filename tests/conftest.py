"""Fixtures that several rooms share."""

import pytest

from aide_lsp.settings import Settings


@pytest.fixture(scope="session")
def real_model_dir():
    """The converted default model; fetched and converted into the user's data folder the first time."""
    from aide_lsp.startup import model_folder

    return model_folder(Settings(provider="cpu"), lambda share, sentence: None)
