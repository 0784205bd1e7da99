"""tokenizer.json made from a GGUF's vocabulary: the same tokens as llama.cpp."""

import gzip
import json
from pathlib import Path

import pytest
import tokenizers
from attrs import evolve
from tiny_model import END_TOKENS, SPECIAL_TOKENS, tiny_gguf

from aide_lsp.convert.gguf_file import open_gguf
from aide_lsp.convert.tokenizer_json import special_token_ids, tokenizer_json
from aide_lsp.convert.vocabulary.pre_tokenizers import PRE_TOKENIZERS
from aide_lsp.errors import ConversionError
from aide_lsp.inference.tokenizer import Tokenizer

DATA = Path(__file__).parent.parent / "data"


@pytest.fixture
def tiny(tmp_path):
    return open_gguf(tiny_gguf(tmp_path / "tiny.gguf"))


def with_metadata(file, **changes):
    return evolve(file, metadata={**file.metadata, **{f"tokenizer.ggml.{k}": v for k, v in changes.items()}})


def encode(file, text):
    return tokenizers.Tokenizer.from_str(json.dumps(tokenizer_json(file))).encode(text).tokens


def test_text_becomes_bytes_and_merges(tiny):
    assert encode(tiny, "def x:\n    return é") == [
        *("def", "Ġ", "x", ":", "Ċ", "ĠĠ", "Ġ", "Ġ", "return", "Ġ", "Ã", "©")
    ]


def test_special_tokens_are_marked_and_keep_their_ids(tiny):
    names = tiny.value("tokenizer.ggml.tokens")
    added = tokenizer_json(tiny)["added_tokens"]
    assert [token["content"] for token in added] == list(SPECIAL_TOKENS)
    assert all(token["special"] and names[token["id"]] == token["content"] for token in added)
    assert special_token_ids(tiny, END_TOKENS) == [names.index(name) for name in END_TOKENS]


def test_unused_tokens_are_left_out(tiny):
    assert not any(name.startswith("[PAD") for name in tokenizer_json(tiny)["model"]["vocab"])


def test_user_defined_tokens_are_marked_too_if_llama_cpp_takes_them_for_control_tokens(tiny):
    types = [4 if kind == 3 else kind for kind in tiny.value("tokenizer.ggml.token_type")]
    assert all(t["special"] for t in tokenizer_json(with_metadata(tiny, token_type=types))["added_tokens"])


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("gpt-2", ["It", "'s", "Ġ2024", ":", "ĠĠ", "Ġx", "ĊĊ", "Ċ", "y"]),
        ("qwen2", ["It", "'s", "Ġ", "2", "0", "2", "4", ":", "ĠĠ", "Ġx", "ĊĊĊ", "y"]),
        ("smollm", ["It", "'s", "Ġ", "2", "0", "2", "4", ":", "ĠĠ", "Ġx", "ĊĊ", "Ċ", "y"]),
        ("llama-bpe", ["It", "'s", "Ġ", "202", "4", ":", "ĠĠ", "Ġx", "ĊĊĊ", "y"]),
    ],
)
def test_pre_tokenizers_cut_words(tiny, name, words):
    definition = tokenizer_json(with_metadata(tiny, pre=name))
    cut = tokenizers.Tokenizer.from_str(json.dumps(definition)).pre_tokenizer
    # GPT-2's expression leaves the last blank before a word alone, be it a newline.
    found = [word for word, _ in cut.pre_tokenize_str("It's 2024:   x\n\n\ny")]
    assert "".join(found) == "".join(words)
    assert found == words


@pytest.mark.parametrize(("key", "value"), [("pre", "mystery"), ("model", "t5")])
def test_unknown_kinds_are_refused_by_name(tiny, key, value):
    with pytest.raises(ConversionError, match=f"'{value}'"):
        tokenizer_json(with_metadata(tiny, **{key: value}))


def test_every_pre_tokenizer_can_be_loaded(tiny):
    for name in PRE_TOKENIZERS:
        assert encode(with_metadata(tiny, pre=name), "self") == ["self"]


@pytest.mark.real_model
def test_real_model_tokenizes_as_llama_cpp_does(real_model_dir):
    """1,000 snippets, recorded by benchmarks/llama_cpp/record_tokens.py."""
    reference = json.loads(gzip.decompress((DATA / "tokens_qwen2.json.gz").read_bytes()))
    tokenizer = Tokenizer.from_file(real_model_dir / "tokenizer.json")
    snippets, expected = reference["snippets"], reference["ids"]
    assert len(snippets) == 1000
    wrong = [text for text, ids in zip(snippets, expected, strict=True) if tokenizer.encode(text) != ids]
    assert wrong == []
    assert [tokenizer.decode(ids) for ids in expected] == snippets


@pytest.mark.parametrize(
    "name", ["<|User|>", "<｜User｜>", "<[PLHD20_never_used]>", "<filename>", "[PREFIX]"]
)
def test_tokens_that_look_like_control_tokens_are_marked_even_where_a_file_says_text(tiny, name):
    names = [name if one == "[PAD300]" else one for one in tiny.value("tokenizer.ggml.tokens")]
    types = [4 if one == name else 1 for one in names]
    added = tokenizer_json(with_metadata(tiny, tokens=names, token_type=types))["added_tokens"]
    assert {"content": name, "special": True}.items() <= next(t for t in added if t["id"] == 300).items()


def test_padding_that_is_marked_as_text_is_left_out(tiny):
    """Old files have thousands of such tokens."""
    types = [4 if kind == 5 else kind for kind in tiny.value("tokenizer.ggml.token_type")]
    assert tokenizer_json(with_metadata(tiny, token_type=types)) == tokenizer_json(tiny)


def test_without_types_all_tokens_are_text_but_those_that_llama_cpp_finds_by_name(tiny):
    metadata = {key: value for key, value in tiny.metadata.items() if key != "tokenizer.ggml.token_type"}
    added = tokenizer_json(evolve(tiny, metadata=metadata))["added_tokens"]
    assert {token["content"] for token in added} == set(SPECIAL_TOKENS)


def test_of_a_merge_that_is_listed_twice_the_first_counts(tiny):
    merges = tiny.value("tokenizer.ggml.merges")
    assert tokenizer_json(with_metadata(tiny, merges=merges * 2)) == tokenizer_json(tiny)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"merges": ["d e", "x y"]}, "merge 'x y', but not all of its tokens"),
        ({"merges": ["d"]}, "merge 'd', but not all of its tokens"),
        ({"token_type": [1]}, "384 tokens but 1 token types"),
        ({"model": "llama", "scores": [0.5]}, "384 tokens but 1 scores"),
        ({"model": "llama", "scores": [0.5] * 384}, "no token for each byte"),
        (
            {"pre": "mystery"},
            r"pre-tokenizer 'mystery', which Aide does not know; the \d+ that it knows are listed",
        ),
    ],
)
def test_vocabularies_that_do_not_fit_together_are_refused(tiny, change, words):
    with pytest.raises(ConversionError, match=words):
        tokenizer_json(with_metadata(tiny, **change))
