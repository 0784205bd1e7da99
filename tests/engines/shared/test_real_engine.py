"""The real model, here and in a shared engine: the same bytes at many places, with many parameters."""

import os
import sys
from itertools import cycle

import pytest
from attrs import evolve

from aide_lsp import loading
from aide_lsp.application.requests import request_of
from aide_lsp.cli.sample import NAME, sample
from aide_lsp.inference.cancel import CancelToken
from aide_lsp.settings.fields import Settings, with_values
from tests.engine_processes import engine_folder

pytestmark = [
    pytest.mark.real_model,
    pytest.mark.skipif(sys.platform == "win32", reason="processes are listed as on Unix"),
]
TEXT, _ = sample()
SETTINGS = Settings(provider="cpu", engine="shared", max_tokens=16, show="all")
PARAMETERS = cycle(
    [
        {"temperature": 0.0, "seed": 1},
        {"temperature": 0.9, "seed": -3, "top_k": 200},
        {"temperature": 1.0, "seed": 1 << 40, "top_p": 0.5, "num_context": 60},
        {"temperature": 0.6, "seed": 5, "top_k": 3, "min_confidence": 0.001},
    ]
)


@pytest.fixture(scope="module")
def completers(real_model_dir):
    """One here, and one of a shared engine."""
    with engine_folder() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        shared = loading.load_completer(SETTINGS, lambda share, text: None)
        assert shared.info.sharing == "started"
        yield loading.load_completer(evolve(SETTINGS, engine="local"), lambda share, text: None), shared
        shared._model.close()
    assert os.environ.get("XDG_RUNTIME_DIR") != str(folder)


@pytest.mark.parametrize("offset", range(5, len(TEXT), len(TEXT) // 14))
def test_completion_at_any_place_is_the_same_here_and_there(completers, offset):
    found = []
    request = request_of(with_values(SETTINGS, next(PARAMETERS)), TEXT, offset, NAME)
    for candidate in range(2):
        for completer in (*completers, *reversed(completers)):
            # Warm the second time, with something else in between.
            completer.clear_cache()
            completion = completer.complete(request.with_options(candidate=candidate), CancelToken())
            found.append(evolve(completion, id="", first_token_ms=0.0, total_ms=0.0, cached_tokens=0))
        assert found.count(found[0]) == 4
        found.clear()
