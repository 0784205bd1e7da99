"""The table of models cannot say what Aide's tables do not."""

import pytest

from tools.generate import known_models
from tools.generate.known_models import KnownModel, known_model_table


@pytest.mark.parametrize(
    "model",
    [
        KnownModel("of no architecture", "mamba", "qwen2"),
        KnownModel("of no tokenizer", "qwen2", "nobody's"),
        KnownModel("of no format", "qwen2", "qwen2", "nobody's"),
        KnownModel("that runs by now", "qwen2", "qwen2", why_not="it did not"),
    ],
)
def test_row_that_contradicts_the_tables_is_an_error(model, monkeypatch):
    monkeypatch.setattr(known_models, "MODELS", (model,))
    with pytest.raises(ValueError, match=model.name):
        known_model_table()
