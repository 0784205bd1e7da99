"""Writes a `tokenizer.json` from the vocabulary in a GGUF file, for `aide_lsp.inference.tokenizer`.

Byte-level vocabularies are written for the library `tokenizers`: BPE with the file's tokens, merges and
pre-tokenizer. SentencePiece vocabularies, which have scores instead of merges, are written with these. No
normalizer: text comes back byte for byte, as in llama.cpp. `added_tokens` has the control tokens, which are
special, so that text never becomes one, and the tokens that stand for their text wherever it occurs.
"""

import json
import reprlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aide_lsp.convert.gguf_file import GgufFile
from aide_lsp.convert.vocabulary.pre_tokenizers import PRE_TOKENIZERS, PreTokenizer
from aide_lsp.convert.vocabulary.token_kinds import FileToken, TokenKind, with_kinds
from aide_lsp.errors import ConversionError
from aide_lsp.inference.tokenizer import looks_like_control
from aide_lsp.inference.vocabulary.token_bytes import byte_token

BYTE_LEVEL, SENTENCE_PIECE = "gpt2", "llama"
"""The kinds of vocabularies that can be converted, as `tokenizer.ggml.model` names them."""


def write_tokenizer(file: GgufFile, path: Path) -> None:
    """Write the tokenizer of `file` to `path`.

    Raises ConversionError for a vocabulary of another kind or an unknown pre-tokenizer.
    """
    path.write_text(json.dumps(tokenizer_json(file), ensure_ascii=False), encoding="utf-8")


def tokenizer_json(file: GgufFile) -> dict[str, Any]:
    """Return the content of `tokenizer.json`."""
    kind = file.value("tokenizer.ggml.model")
    if kind not in (BYTE_LEVEL, SENTENCE_PIECE):
        raise ConversionError(
            f"{file.path.name} has a vocabulary of the kind '{kind}'; supported: '{BYTE_LEVEL}' (byte-level "
            f"BPE) and '{SENTENCE_PIECE}' (SentencePiece)"
        )
    tokens = _tokens(file)
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_added(t) for t in tokens if t.kind in (TokenKind.CONTROL, TokenKind.TEXT)],
        "normalizer": None,
        "post_processor": None,
        **(_byte_level if kind == BYTE_LEVEL else _sentence_piece)(file, tokens),
    }


def bos_token(file: GgufFile) -> int | None:
    """Return the token that a prompt begins with; None if the model was trained without one."""
    if file.value("tokenizer.ggml.model") == SENTENCE_PIECE:
        adds, otherwise = True, 1
    else:
        adds, otherwise = _pre_tokenizer(file).adds_bos, None
    if not _flag(file, "tokenizer.ggml.add_bos_token", adds):
        return None
    index = file.metadata.get("tokenizer.ggml.bos_token_id", otherwise)
    return index if isinstance(index, int) and 0 <= index < len(file.value("tokenizer.ggml.tokens")) else None


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
    name = str(file.metadata.get("tokenizer.ggml.pre") or "default")
    if name not in PRE_TOKENIZERS:
        raise ConversionError(
            f"{file.path.name} uses the pre-tokenizer '{name}', which Aide does not know; the "
            f"{len(PRE_TOKENIZERS)} that it knows are listed in docs/models.md"
        )
    return PRE_TOKENIZERS[name]


def _tokens(file: GgufFile) -> list[FileToken]:
    names, types = file.items("tokenizer.ggml.tokens", str), "tokenizer.ggml.token_type"
    # Without types, as in old files, all are text.
    kinds = file.items(types, int) if types in file.metadata else [1] * len(names)
    if len(names) != len(kinds):
        raise ConversionError(f"{file.path.name} has {len(names)} tokens but {len(kinds)} token types")
    return with_kinds(names, kinds)


def _byte_level(file: GgufFile, tokens: Sequence[FileToken]) -> dict[str, Any]:
    pre = _pre_tokenizer(file)
    # Padding is left out: it represents no text. The library renumbers added tokens unless the vocabulary
    # has them.
    vocabulary = {token.name: token.id for token in tokens if token.kind is not TokenKind.UNUSED}
    return {
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [*map(_split, pre.patterns), _bytes()]},
        "decoder": _bytes(),
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": None,
            "continuing_subword_prefix": None,
            "end_of_word_suffix": None,
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": pre.whole_words,
            "vocab": vocabulary,
            "merges": _merges(file, vocabulary),
        },
    }


def _merges(file: GgufFile, vocabulary: Mapping[str, int]) -> list[list[str]]:
    # Of a merge that is listed twice, the first counts; the library would take the last.
    merges = list(dict.fromkeys(file.items("tokenizer.ggml.merges", str)))
    pairs = [merge.split(" ", 1) for merge in merges]
    for pair in pairs:
        if len(pair) != 2 or not {*pair, "".join(pair)} <= vocabulary.keys():
            raise ConversionError(
                f"{file.path.name} has the merge {reprlib.repr(' '.join(pair))}, but not all of its tokens"
            )
    return pairs


def _sentence_piece(file: GgufFile, tokens: Sequence[FileToken]) -> dict[str, Any]:
    scores = file.items("tokenizer.ggml.scores", float)
    if len(scores) != len(tokens):
        raise ConversionError(f"{file.path.name} has {len(tokens)} tokens but {len(scores)} scores")
    text = (token for token in tokens if token.kind not in (TokenKind.CONTROL, TokenKind.UNUSED))
    vocabulary = {token.name: token.id for token in text}
    if any(byte_token(vocabulary, byte) is None for byte in range(256)):
        raise ConversionError(
            f"{file.path.name} has no token for each byte, so it cannot represent every text"
        )
    return {
        "model": {
            "type": "SentencePiece",
            "vocab": vocabulary,
            "scores": scores,
            "space_prefix": _flag(file, "tokenizer.ggml.add_space_prefix", True),
        }
    }


def _flag(file: GgufFile, key: str, otherwise: bool) -> bool:
    value = file.metadata.get(key, otherwise)
    return value if isinstance(value, bool) else otherwise


def _added(token: FileToken) -> dict[str, Any]:
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}
    # Text in the editor must not end a prompt or begin a part of it, although llama.cpp would let it.
    special = token.kind is TokenKind.CONTROL or looks_like_control(token.name)
    return {"id": token.id, "content": token.name, **plain, "special": special}


def _split(pattern: str) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


def _bytes() -> dict[str, Any]:
    # `use_regex` would split by GPT-2's pattern once more.
    return {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False, "use_regex": False}
