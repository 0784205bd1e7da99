"""The reference server that other tests compare with."""

import numpy as np
import pytest

from tests.llama_reference import llama_server
from tests.tiny_model import TinySpec, tiny_gguf


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    file = tmp_path_factory.mktemp("reference") / "tiny.gguf"
    tiny_gguf(file)
    with llama_server(file) as running:
        yield running


def test_text_is_tokenized_with_and_without_control_tokens(server):
    assert len(server.tokenize("<|fim_prefix|>", special=True)) == 1
    assert len(server.tokenize("<|fim_prefix|>")) > 1


def test_probabilities_of_all_tokens_add_up_to_1(server):
    found = server.log_probabilities([1, 2, 3], TinySpec().vocab_size)
    assert np.exp(found).sum() == pytest.approx(1.0, abs=1e-4)


def test_an_invalid_request_is_an_error_with_the_servers_words(server):
    with pytest.raises(AssertionError, match="400"):
        server.post("/completion", {"prompt": {}})
