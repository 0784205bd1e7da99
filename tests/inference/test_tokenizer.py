"""The tokenizer on small vocabularies made here: byte-level, byte-fallback, and ones with traps."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aide_lsp.errors import ModelFilesError
from aide_lsp.inference.tokenizer import TextStream, Tokenizer, replace_surrogates

CONTROL = ["<|endoftext|>", "<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>"]
any_text = st.text(st.characters(codec="utf-8"), max_size=60)
pieces = st.lists(
    st.sampled_from(
        ["def f(x):\n", "    ", *CONTROL, "<|", "|>", "é", "漢字", "👩‍👩‍👧", "\0", "\r\n", "e\u0301"]
    )
)


def alphabet():
    """The 256 characters of byte-level vocabularies, by byte."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    shifted = iter(range(0x100, 0x200))
    return [chr(byte) if byte in printable else chr(next(shifted)) for byte in range(256)]


def byte_level(merges=(), added=(), vocabulary=None):
    names = vocabulary or [*alphabet(), *("".join(pair) for pair in merges)]
    control = [token(len(names) + i, name, special=i == 0) for i, name in enumerate(CONTROL)]
    extra = [token(len(names) + len(control) + i, name, special=False) for i, name in enumerate(added)]
    return {
        "version": "1.0",
        "added_tokens": control + extra,
        "normalizer": None,
        "pre_tokenizer": {
            "type": "ByteLevel",
            "add_prefix_space": False,
            "trim_offsets": False,
            "use_regex": True,
        },
        "post_processor": None,
        "decoder": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": True},
        "model": {
            "type": "BPE",
            "vocab": {name: i for i, name in enumerate(names)},
            "merges": list(map(list, merges)),
        },
    }


def byte_fallback():
    names = ["<unk>", *(f"<0x{byte:02X}>" for byte in range(256)), "\u2581", "a", "b", "\u2581a", "\u2581ab"]
    merges = [["\u2581", "a"], ["\u2581a", "b"]]
    vocabulary = {name: i for i, name in enumerate(names)}
    return {
        "version": "1.0",
        "added_tokens": [token(0, "<unk>", special=True)],
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"},
        "pre_tokenizer": None,
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "BPE",
            "vocab": vocabulary,
            "merges": merges,
            "byte_fallback": True,
            "unk_token": "<unk>",
        },
    }


def token(number, name, special):
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {"id": number, "content": name, "special": special, **flags}


PLAIN = Tokenizer(byte_level(merges=[("d", "e"), ("de", "f"), ("Ġ", "Ġ"), ("Ã", "©")]))
SPACED = Tokenizer(
    byte_level(merges=[("d", "e"), ("de", "f"), ("Ġ", "Ġ"), ("Ã", "©")], added=["    ", "\n\n"])
)
BOTH = pytest.mark.parametrize(
    "tokenizer", [PLAIN, Tokenizer(byte_fallback())], ids=["byte-level", "byte-fallback"]
)


def test_encode_when_merges_apply_then_uses_them():
    assert PLAIN.encode("def") == [257]
    assert PLAIN.decode([257]) == "def"


@pytest.mark.parametrize("name", CONTROL)
def test_encode_when_text_holds_a_control_token_then_it_stays_text(name):
    """Also the names that a tokenizer.json lists with special=false, as Qwen's FIM tokens are."""
    ids = PLAIN.encode(f"a = '{name}'")
    assert PLAIN.token_id(name) is not None
    assert PLAIN.token_id(name) not in ids
    assert PLAIN.decode(ids) == f"a = '{name}'"


def test_encode_when_merges_lead_to_a_control_token_then_it_stays_text():
    """Some vocabularies list a control token among the ordinary ones too."""
    merges = [("<", "s"), ("<s", ">")]
    definition = byte_level(merges)
    definition["added_tokens"].append(token(definition["model"]["vocab"]["<s>"], "<s>", special=True))
    tokenizer = Tokenizer(definition)
    for text in ("<s>", "x <s> <s><s>", "<s>y"):
        ids = tokenizer.encode(text)
        assert tokenizer.token_id("<s>") not in ids
        assert tokenizer.decode(ids) == text


def test_encode_when_added_tokens_are_blanks_then_they_are_used():
    """Runs of blanks are listed as added tokens by some vocabularies for code; they are ordinary text."""
    tokenizer = Tokenizer(byte_level(added=["    "]))
    ids = tokenizer.encode("x    y")
    assert len(ids) == 3
    assert tokenizer.decode(ids) == "x    y"
    assert tokenizer.token_id("    ") is None


@given(any_text)
def test_encode_when_the_file_is_of_an_older_form_then_gives_the_same(text):
    """Files of old have each merge in one string, and do not name the kind of model."""
    definition = byte_level(merges=[("d", "e"), ("de", "f"), ("Ġ", "Ġ"), ("Ã", "©")])
    model = definition["model"]
    del model["type"]
    model |= {"merges": [" ".join(merge) for merge in model["merges"]], "unk_token": "", "dropout": None}
    assert Tokenizer(definition).encode(text) == PLAIN.encode(text)


@given(any_text)
def test_encode_when_the_vocabulary_has_blanks_of_its_own_then_bytes_come_back(text):
    """Names that are no byte-level ones are looked at one by one, all others in one pass."""
    assert SPACED.decode(SPACED.encode(text)) == text
    assert all(SPACED.token_bytes(token) == PLAIN.token_bytes(token) for token in range(260))


def test_encode_when_surrogates_are_lone_then_they_are_replaced():
    assert PLAIN.decode(PLAIN.encode("a\ud800b\udc00")) == "a\ufffdb\ufffd"


def test_replace_surrogates_when_they_are_a_pair_then_they_are_the_character():
    assert replace_surrogates("\ud83d\ude00") == "\N{GRINNING FACE}"


@BOTH
@given(any_text | pieces.map("".join))
def test_decode_when_text_was_encoded_then_gives_it_back(tokenizer, text):
    assert tokenizer.decode(tokenizer.encode(text)) == text


@BOTH
@given(any_text | pieces.map("".join))
def test_stream_when_text_was_encoded_then_gives_whole_characters_that_add_up(tokenizer, text):
    stream, shown = TextStream(tokenizer), ""
    for number in tokenizer.encode(text):
        shown += stream.push(number)
        assert text.startswith(shown)
    assert shown + stream.finish() == text


@BOTH
@given(st.data())
def test_stream_when_ids_are_arbitrary_then_equals_decode(tokenizer, data):
    """Also where the bytes are no UTF-8 and where the stream ends inside a character."""
    ids = data.draw(st.lists(st.integers(0, tokenizer.vocab_size + 3)))
    stream = TextStream(tokenizer)
    assert "".join(map(stream.push, ids)) + stream.finish() == tokenizer.decode(ids)


def test_stream_when_it_ends_inside_a_character_then_the_mark_comes_only_at_finish():
    stream = TextStream(PLAIN)
    first, second = (alphabet().index(alphabet()[byte]) for byte in "é".encode())
    assert (stream.push(first), stream.push(second)) == ("", "é")
    assert (stream.push(first), stream.finish()) == ("", "\ufffd")


@given(any_text)
def test_decode_when_compared_with_the_library_then_is_equal(text):
    import tokenizers

    library = tokenizers.Tokenizer.from_str(json.dumps(byte_level(merges=[("d", "e")])))
    # The library finds control tokens in the text, and shows those that are not marked as special.
    assume(not any(name in text for name in CONTROL))
    ids = library.encode(text, add_special_tokens=False).ids
    assert PLAIN.vocab_size == 256 + 4 + len(CONTROL)
    assert Tokenizer(byte_level(merges=[("d", "e")])).decode(ids) == library.decode(
        ids, skip_special_tokens=True
    )


def test_decode_when_ids_are_control_tokens_or_unused_then_they_have_no_text():
    assert PLAIN.decode([PLAIN.token_id("<|fim_prefix|>"), 10**6]) == ""


def test_from_file_when_it_is_missing_or_broken_then_says_which(tmp_path):
    path = tmp_path / "tokenizer.json"
    for content in (None, "{", "{}", "[]"):
        if content is not None:
            path.write_text(content)
        with pytest.raises(ModelFilesError, match=r"tokenizer\.json cannot be read"):
            Tokenizer.from_file(path)


def test_from_file_when_vocabulary_has_no_bytes_then_says_so(tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(byte_level(vocabulary=["a", "b"])))
    with pytest.raises(ModelFilesError, match="no token for each byte"):
        Tokenizer.from_file(path)


def test_encode_when_an_export_puts_a_blank_before_texts_then_it_does_not():
    """What is encoded is in the middle of a prompt."""
    definition = byte_fallback()
    prefix = {"type": "Prepend", "prepend": "\u2581"}
    spaced = {
        **definition,
        "normalizer": {"type": "Sequence", "normalizers": [prefix, definition["normalizer"]]},
    }
    pieces = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": False}
    metaspace = {**definition, "normalizer": None, "pre_tokenizer": pieces}
    expected = Tokenizer(definition).encode("ab ab")
    assert Tokenizer(spaced).encode("ab ab") == Tokenizer(metaspace).encode("ab ab") == expected


@pytest.mark.parametrize("name", ["<tool_call>", "<b>", "    ", "\n\n"])
def test_encode_when_an_added_token_is_text_then_it_is_used(name):
    tokenizer = Tokenizer(byte_level(added=[name]))
    ids = tokenizer.encode(f"x{name}y")
    assert len(ids) == 3
    assert tokenizer.decode(ids) == f"x{name}y"


def test_encode_when_a_vocabulary_has_a_tab_instead_of_its_byte_then_it_is_read():
    definition = byte_fallback()
    vocabulary = definition["model"]["vocab"]
    vocabulary["\t"] = vocabulary.pop("<0x09>")
    assert Tokenizer(definition).decode(Tokenizer(definition).encode("\ta")) == "\ta"


def test_encode_when_text_repeats_a_control_token_that_merges_lead_to_then_it_stays_text():
    definition = byte_level([("<", "s"), ("<s", ">")])
    definition["added_tokens"].append(token(definition["model"]["vocab"]["<s>"], "<s>", special=True))
    tokenizer, text = Tokenizer(definition), "<s>" * 5000
    assert tokenizer.decode(tokenizer.encode(text)) == text
