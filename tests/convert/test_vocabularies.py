"""Vocabularies of all kinds: the same tokens as llama.cpp's, which runs next to the test."""

from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.convert.gguf_file import open_gguf
from aide_lsp.convert.tokenizer_json import bos_token, tokenizer_json
from aide_lsp.convert.vocabulary.pre_tokenizers import PRE_TOKENIZERS
from aide_lsp.inference.token_healing import heal
from aide_lsp.inference.tokenizer import TextStream, Tokenizer
from tests.llama_reference import llama_server
from tests.vocabularies import (
    BLANK,
    CONTROL,
    ODD_TEXTS,
    TEXT,
    byte_level,
    sentence_piece,
    snippets,
    vocabulary_gguf,
)

FIRST_NAMES = {id(row): name for name, row in reversed(PRE_TOKENIZERS.items())}
"""One name for each row of the table; the others mean the same."""
KINDS = {f"pre-tokenizer {name}": byte_level(name) for name in FIRST_NAMES.values()} | {
    "SentencePiece": sentence_piece(words=True),
    "SentencePiece with equal scores": sentence_piece(words=True, ties=True),
    "SentencePiece with blanks inside": sentence_piece(words=False),
    "SentencePiece with blanks inside and equal scores": sentence_piece(words=False, ties=True),
}
# Not yet assigned in Python's version of Unicode: llama.cpp knows newer letters than the library does.
any_text = st.text(st.characters(codec="utf-8", exclude_categories=["Cn"]), max_size=40)
mixed = st.lists(
    st.sampled_from([*ODD_TEXTS[:80], *TEXT, " ", "\n", "a", "B", "1", "'s"]) | any_text, max_size=8
)


@contextmanager
def both(folder, metadata):
    """Yield Aide's tokenizer for a vocabulary and llama.cpp's."""
    file = vocabulary_gguf(folder / "vocabulary.gguf", metadata)
    with llama_server(file) as server:
        yield Tokenizer(tokenizer_json(open_gguf(file))), server


def differing(tokenizer, server, texts):
    """Return the texts that become other tokens."""
    expected = server.tokenize_all(texts, mark=tokenizer.token_id(CONTROL[0]))
    return [text for text, ids in zip(texts, expected, strict=True) if tokenizer.encode(text) != ids]


@pytest.fixture(scope="module", params=KINDS)
def kind(request, tmp_path_factory):
    with both(tmp_path_factory.mktemp("vocabulary"), KINDS[request.param]) as pair:
        yield pair


def test_snippets_are_the_same_tokens(kind):
    tokenizer, server = kind
    texts = snippets()
    assert len(texts) >= 1000
    assert differing(tokenizer, server, texts) == []


@given(any_text | mixed.map("".join))
def test_any_text_is_the_same_tokens(kind, text):
    tokenizer, server = kind
    assert tokenizer.encode(text) == server.tokenize(text)


@pytest.mark.parametrize("name", PRE_TOKENIZERS.keys() - FIRST_NAMES.values())
def test_other_names_mean_the_same(tmp_path, name):
    with both(tmp_path, byte_level(name)) as (tokenizer, server):
        assert differing(tokenizer, server, [*ODD_TEXTS, *snippets()[::20]]) == []


@pytest.mark.parametrize("stated", [None, True, False])
@pytest.mark.parametrize("kind", ["qwen2", "llama-bpe", "tekken", "SentencePiece"])
def test_a_prompt_begins_with_bos_where_llama_cpp_begins_one_with_it(tmp_path, kind, stated):
    metadata = sentence_piece(words=True) if kind == "SentencePiece" else byte_level(kind)
    if stated is not None:
        metadata["tokenizer.ggml.add_bos_token"] = stated
    file = vocabulary_gguf(tmp_path / "vocabulary.gguf", metadata)
    with llama_server(file) as server:
        first, *_ = server.post("/tokenize", {"content": "x", "add_special": True})["tokens"]
        plain, *_ = server.tokenize("x")
    assert bos_token(open_gguf(file)) == (None if first == plain else first)


def test_a_blank_before_a_text_is_only_what_the_model_was_trained_on(tmp_path):
    """Llama.cpp puts it before every text, and once more after each token that stands for its text."""
    with both(tmp_path, sentence_piece(words=True, space_prefix=True)) as (tokenizer, server):
        texts = [text for text in snippets() if text and not any(token in f" {text}" for token in TEXT)]
        expected = server.tokenize_all(texts, mark=tokenizer.token_id(CONTROL[0]))
        assert tokenizer.space_prefix
        assert [tokenizer.encode(f" {text}") for text in texts] == expected
        assert tokenizer.decode(tokenizer.encode("def")) == "def"


@given(any_text | mixed.map("".join))
def test_text_of_sentence_piece_comes_back(sentence_piece_tokenizer, text):
    """But for the character that stands for a blank in the names of its tokens."""
    stream, ids = TextStream(sentence_piece_tokenizer), sentence_piece_tokenizer.encode(text)
    assert "".join(map(stream.push, ids)) + stream.finish() == text.replace(BLANK, " ")


@pytest.mark.parametrize("text", [" ret", "\n    ret", " é", "    ", " 漢字ก"])
def test_healed_text_of_sentence_piece_begins_with_its_blank(sentence_piece_tokenizer, text):
    """Also where a letter is no token, and is written as bytes."""
    tokenizer = sentence_piece_tokenizer
    healed, written = heal(text, tokenizer), b""
    assert healed.length == len(text)
    while not healed.is_complete:
        written += tokenizer.token_bytes(healed.own_tokens()[0])
        healed.push(healed.own_tokens()[0])
    assert written == text.encode()


def test_a_token_with_the_blank_and_the_whole_word_takes_the_place_of_its_beginning(sentence_piece_tokenizer):
    tokenizer = sentence_piece_tokenizer
    (returns,) = tokenizer.encode(" return")
    assert heal(" ret", tokenizer).fits([returns]) == 1
    assert heal("ret", tokenizer).fits([returns]) == 0


@pytest.fixture(scope="module")
def sentence_piece_tokenizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vocabulary")
    file = vocabulary_gguf(folder / "vocabulary.gguf", sentence_piece(words=True))
    return Tokenizer(tokenizer_json(open_gguf(file)))
