"""Which settings make the server load the model again."""

import pytest
from attrs import evolve

from aide_lsp.lsp.requests.model_host import ModelHost
from aide_lsp.lsp.requests.worker import Worker
from aide_lsp.settings.fields import Settings

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize(
    ("changed", "loads"),
    [
        ({"model": "other"}, True),
        ({"recipe": "fast"}, True),
        ({"provider": "cpu"}, True),
        ({"threads": 2}, True),
        ({"cache_mb": 200}, True),
        ({"max_tokens": 5}, False),
    ],
)
async def test_the_model_is_loaded_again_for_settings_that_are_read_while_loading(changed, loads):
    host = ModelHost(Worker(), lambda settings, progress: None)
    settings = Settings()
    assert host.claim(settings)
    assert not host.claim(evolve(settings))
    assert host.claim(evolve(settings, **changed)) is loads
