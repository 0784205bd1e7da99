"""Fixtures that several rooms share."""

import hypothesis
import pytest

from aide_lsp.settings import Settings

# The same examples each time: what a change broke must not depend on luck. Locally they are drawn anew.
hypothesis.settings.register_profile("ci", derandomize=True, print_blob=True)


@pytest.fixture(scope="session")
def real_model_dir():
    """The converted default model; fetched and converted into the user's data folder the first time."""
    from aide_lsp.startup import model_folder

    return model_folder(Settings(provider="cpu"), lambda share, sentence: None)
