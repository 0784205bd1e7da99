"""Writes a `tokenizer.json` from the vocabulary in a GGUF file, for the `tokenizers` library.

Byte-level BPE with the file's tokens, merges and pre-tokenizer. No normalizer: text comes back byte for byte,
as in llama.cpp. Every control and user-defined token is marked special, so that the caller can keep text from
ever becoming one.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from aide_lsp.convert.gguf_file import GgufFile
from aide_lsp.errors import ConversionError

# The values of llama.cpp's `llama_token_type`, which GGUF files store.
NORMAL, CONTROL, USER_DEFINED = 1, 3, 4


@frozen
class PreTokenizer:
    """How text is split into words before merging."""

    patterns: Sequence[str]
    """Regular expressions applied one after the other; each match is a piece of its own."""
    whole_words: bool = False
    """Whether a word in the vocabulary is one token, whatever the merges say."""


GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
SINGLE_DIGITS = PreTokenizer([r"\p{N}", GPT2])

# The names that GGUF files use in `tokenizer.ggml.pre`, with the expressions of
# https://github.com/ggml-org/llama.cpp/blob/master/src/llama-vocab.cpp
PRE_TOKENIZERS: Mapping[str, PreTokenizer] = {
    "gpt-2": PreTokenizer([GPT2]),
    "llama-bpe": PreTokenizer([LLAMA3], whole_words=True),
    "qwen2": PreTokenizer([LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")]),
    "smollm": SINGLE_DIGITS,
    "starcoder": SINGLE_DIGITS,
    "refact": SINGLE_DIGITS,
    "codeshell": SINGLE_DIGITS,
    "command-r": SINGLE_DIGITS,
}


def write_tokenizer(file: GgufFile, path: Path) -> None:
    """Write the tokenizer of `file` to `path`.

    Raises ConversionError for a vocabulary that is not byte-level BPE or an unknown pre-tokenizer.
    """
    path.write_text(json.dumps(tokenizer_json(file), ensure_ascii=False), encoding="utf-8")


def tokenizer_json(file: GgufFile) -> dict[str, Any]:
    """Return the content of `tokenizer.json`."""
    pre = _pre_tokenizer(file)
    tokens = file.items("tokenizer.ggml.tokens", str)
    types = file.items("tokenizer.ggml.token_type", int)
    if len(tokens) != len(types):
        raise ConversionError(f"{file.path.name} has {len(tokens)} tokens but {len(types)} token types")
    added = [i for i, kind in enumerate(types) if kind in (CONTROL, USER_DEFINED)]
    # Unused tokens (padding of the table) are left out: they represent no text.
    vocabulary = {tokens[i]: i for i, kind in enumerate(types) if kind == NORMAL}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_added_token(i, tokens[i]) for i in added],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [*map(_split, pre.patterns), _byte_level()]},
        "post_processor": None,
        "decoder": _byte_level(),
        # The library numbers added tokens anew unless the vocabulary has them.
        "model": _model(file, pre, vocabulary | {tokens[i]: i for i in added}),
    }


def special_token_ids(file: GgufFile, names: Sequence[str]) -> list[int]:
    """Return the ids of the special tokens `names`; raise ConversionError if one is missing."""
    ids = {token: index for index, token in enumerate(file.items("tokenizer.ggml.tokens", str))}
    missing = [name for name in names if name not in ids]
    if missing:
        raise ConversionError(
            f"{file.path.name} has no token {', '.join(missing)}, which the model card names"
        )
    return [ids[name] for name in names]


def _pre_tokenizer(file: GgufFile) -> PreTokenizer:
    kind = file.value("tokenizer.ggml.model")
    name = str(file.metadata.get("tokenizer.ggml.pre", "default"))
    if kind != "gpt2":
        raise ConversionError(f"{file.path.name} has a '{kind}' vocabulary; supported: gpt2 (byte-level BPE)")
    if name not in PRE_TOKENIZERS:
        known = ", ".join(PRE_TOKENIZERS)
        raise ConversionError(f"{file.path.name} uses the pre-tokenizer '{name}'; supported: {known}")
    return PRE_TOKENIZERS[name]


def _model(file: GgufFile, pre: PreTokenizer, vocabulary: Mapping[str, int]) -> dict[str, Any]:
    return {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": False,
        "byte_fallback": False,
        "ignore_merges": pre.whole_words,
        "vocab": vocabulary,
        "merges": [merge.split(" ", 1) for merge in file.items("tokenizer.ggml.merges", str)],
    }


def _added_token(index: int, content: str) -> dict[str, Any]:
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    return {"id": index, "content": content, **plain, "special": True}


def _split(pattern: str) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


def _byte_level() -> dict[str, Any]:
    # `use_regex` would split by GPT-2's pattern once more.
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
