"""A Hub on this machine, which this process asks, and a user without cards."""

import pytest

from aide_lsp.catalog.adding.plan import plan_model
from aide_lsp.catalog.adding.source import parse_source
from aide_lsp.catalog.cards import load_catalog
from tests.hub_stand_in import hub_stand_in
from tests.tiny_model import TinySpec, tiny_gguf

REPO = "someone/Tiny-Coder-GGUF"


@pytest.fixture(scope="session")
def tiny_bytes(tmp_path_factory):
    """A GGUF file of a tiny model."""
    return tiny_gguf(tmp_path_factory.mktemp("tiny") / "tiny.gguf", TinySpec(matrix_type="Q8_0")).read_bytes()


@pytest.fixture
def hub(tiny_bytes, monkeypatch, folders):
    """A Hub with one file."""
    with hub_stand_in({REPO: {"tiny.gguf": tiny_bytes}}) as hub:
        # The library reads HF_ENDPOINT when it is imported.
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", hub.url)
        template = hub.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setenv("HF_ENDPOINT", hub.url)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        monkeypatch.setenv("HF_HOME", str(folders / "hf"))
        yield hub


@pytest.fixture
def plan(folders):
    """Plan to add what a user's words name."""

    def plan(words, model_id=None, fim=None):
        return plan_model(parse_source(str(words)), load_catalog(), model_id, fim)

    return plan
