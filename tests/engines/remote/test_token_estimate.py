"""Tokens are estimated where Aide does not have the model's tokenizer."""

import inspect

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.completion import completer, prompt, window
from aide_lsp.engines.remote.estimate import estimated_tokens


def test_words_signs_digits_and_blanks():
    assert estimated_tokens("") == 0
    assert estimated_tokens("def add(a, b):\n") == 9
    assert estimated_tokens("    return identifier\n") == 1 + 2 + 2 + 1
    assert estimated_tokens("123 漢字\r\n") == 3 + 2 + 1


@given(st.text(max_size=60), st.text(max_size=60))
def test_a_text_has_no_more_than_its_characters_and_no_fewer_than_its_parts_allow(first, second):
    assert estimated_tokens(first) <= len(first)
    assert estimated_tokens(first + second) <= estimated_tokens(first) + estimated_tokens(second)


@pytest.mark.real_model
@pytest.mark.parametrize("module", [completer, prompt, window])
def test_it_is_too_many_rather_than_too_few_and_less_than_twice_as_many(module, real_model_dir):
    from aide_lsp.inference.tokenizer import Tokenizer

    source = inspect.getsource(module)
    tokens = len(Tokenizer.from_file(real_model_dir / "tokenizer.json").encode(source))
    assert 1.0 <= estimated_tokens(source) / tokens < 1.8
