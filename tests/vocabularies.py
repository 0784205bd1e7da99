"""GGUF files that hold little but a vocabulary, and texts that show whether two tokenizers are the same.

A file made here can be read by Aide's converter and by llama.cpp's server.
"""

import json
import random
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import tokenizers
from tokenizers import models, pre_tokenizers, trainers

from benchmarks.llama_cpp.record_tokens import SCRIPTS, generated_snippets, odd_snippets
from tests.tiny_model import TinySpec, byte_characters, tiny_gguf

REPOSITORY = Path(__file__).parent.parent
CONTROL = (
    "<|endoftext|>",
    "<|fim_prefix|>",
    "<|fim_suffix|>",
    "<|fim_middle|>",
    "<fim_prefix>",
    "<PRE>",
    "</s>",
)
TEXT = ("    ", "  ", "\n\n\n", "<b>", "</b>", "<tool_call>", "e<b")
"""Tokens for their text, some of which overlap."""
WORDS = ("return", "Ġreturn", "Ġself", "Ġnothing", "():", "Ġ==", "Âł")
"""Tokens that no merges lead to."""
BLANK = "\N{LOWER ONE EIGHTH BLOCK}"


ODD_TEXTS = (
    *(
        "",
        " ",
        "  ",
        "\n",
        "\t",
        "\r",
        "\r\n",
        "\r\n\r\n",
        " \n",
        "\n ",
        "\t\t x",
        "a  ",
        "a \n",
        "\n\n\na",
        "\x00",
        "a\x00b",
    ),
    *(
        "x\u00a0y",
        "\u00a0\u00a0x",
        "a\u2028b\u2029c",
        "\u0085x",
        "\u3000x\u3000",
        "\u200b",
        "\ufeffx",
        "\u180ex",
        "\x0b\x0c x",
    ),
    *(
        "\x1b[0m \x7f\x01",
        "\ufffd",
        "\ufffd\ufffd x",
        "\U0010ffff",
        "\ue000x",
        "\ufffe",
        "\u2581x\u2581\u2581",
        "a\u2581 b",
    ),
    *(
        "e\u0301 n\u0303o\u0302",
        "a\u0300\u0301\u0302b",
        "\u0301x",
        " \u0301x",
        "1\u0301",
        "क्षि",
        "นี้",
        "\u1100\u1161\u11a8",
        "ﬁ ﬀ",
    ),
    *(
        "👩\u200d👩\u200d👧\u200d👦",
        "🇩🇪🇫🇷",
        "👍🏽!",
        "❤\ufe0f a",
        "1\ufe0f\u20e3",
        "🙂🙂🙂 x",
        "\U0001d44e\U0001d7d9",
        "\U00020000字",
    ),
    *(
        "שלום (עולם)",
        "مرحبا 123 ٤٥٦",
        "\u202eabc\u202c",
        "x\u200fy",
        "１２３ ４",
        "१२३४",
        "²³¹ ½ Ⅷ ①",
        "一二三",
        "1234567890",
        "12 345 6",
    ),
    *(
        "0x1F 1_000.5e-10",
        "'s 'S 're 'LL 'Ve 'd'm't",
        "\u017f '\u017f x'\u017f",
        "I'm we'RE o'clock",
        "'",
        "''s",
        "'re'",
        "don\u2019t",
    ),
    *(
        "camelCaseWord HTTPServer XMLHttpRequest2",
        "ÀÉÎ àéî ÀéÎ",
        "ǅ ǈ Ǆ",
        "ΣΊΣΥΦΟΣ Σίσυφος",
        "ИванИванов",
        "snake_case__x",
    ),
    *(
        "##### //// ---- ****",
        "a//b\n//c\n\n",
        "!\n\n?\r\n.",
        "()/\n",
        "==>\n/x",
        "$x^2~`|<>+=",
        "、。〿…“”‘’—",
        "‘a’ —b",
        "！？（）",
    ),
    *(
        "<|endoftext|>",
        "a<|fim_prefix|>b <fim_prefix> <PRE>",
        "</s><s>",
        "<unk>",
        "<0x41>",
        "<0x0A>",
        "[PAD1]",
        "<tool_call>{}</tool_call>",
    ),
    *(
        "<b>x</b>",
        "the<b>the",
        "e<b</b>",
        "x     y",
        "   x",
        "       x\n\n\n\n\n\n\n",
        "\n    \n  \n",
        "    \n    \n",
        "ab" * 400,
        "a" * 999,
    ),
    *(
        " " * 130 + "x",
        "\n" * 70,
        "=" * 200,
        "漢字" * 150,
        "é" * 300,
        "9" * 100,
        "x1" * 100,
        "A" * 50 + "b" * 50,
    ),
    *(
        "<sentinel:12> IMGIMGAAZ",
        "abc, def! (ghi)… jkl；mno ؛ । ،",
        "ÅΩK \u212b\u2126\u212a",
        "ａｂｃＡＢＣ",
        "\u0e01\u0e33",
        "ㄱㅏ한글",
        "カﾀｶﾅ ｶﾞ",
    ),
)
"""Unusual Unicode, line ends, blanks, names of tokens, and very long words."""


def snippets() -> list[str]:
    """Return 1,100 texts: pieces of programs in fourteen languages, words in all scripts, odd texts."""
    draw = random.Random(20261128)
    source = (REPOSITORY / "tests/infill/data/snippets.txt").read_text(encoding="utf-8")
    programs = re.split(r"^=== \w+\n", source, flags=re.MULTILINE)[1:]
    assert len(programs) == 14
    pieces = [_cut(draw, program) for _ in range(36) for program in programs]
    found = [*ODD_TEXTS, *pieces, *generated_snippets(draw, 250)]
    return found + odd_snippets(draw, 1100 - len(found))


def _cut(draw: random.Random, program: str) -> str:
    start = draw.randrange(len(program) - 20)
    return program[start : start + draw.randint(1, 200)]


def vocabulary_gguf(path: Path, tokenizer: Mapping[str, object]) -> Path:
    """Write a tiny model with this metadata of the tokenizer."""
    names = tokenizer["tokenizer.ggml.tokens"]
    assert isinstance(names, list)
    sizes = {"layer_count": 1, "hidden_size": 32, "head_count": 1, "kv_head_count": 1}
    spec = TinySpec(architecture="llama", biases=False, vocab_size=len(names), **sizes)
    return tiny_gguf(path, spec, tokenizer)


def byte_level(pre: str) -> dict[str, object]:
    """Return a byte-level vocabulary with one pre-tokenizer.

    It shows where words end: nearly any two characters merge, unless there is the end of a word between them.
    """
    merges = [f"{left} {right}" for left, right in _byte_merges()]
    names = list(dict.fromkeys([*byte_characters(), *(merge.replace(" ", "") for merge in merges), *WORDS]))
    types = [1] * len(names) + [3] * len(CONTROL) + [4] * len(TEXT) + [5]
    names += [*CONTROL, *TEXT, "[PAD1]"]
    return _metadata("gpt2", names, types) | {
        "tokenizer.ggml.pre": pre,
        "tokenizer.ggml.merges": merges,
    }


def sentence_piece(*, words: bool, ties: bool = False, space_prefix: bool = False) -> dict[str, object]:
    """Return a SentencePiece vocabulary.

    Args:
        words: whether a token has blanks only at its beginning.
        ties: whether many tokens have the same score.
        space_prefix: whether llama.cpp puts a blank before a text.
    """
    pieces = _pieces(words)
    control = ("<unk>", "<s>", *CONTROL)
    names = [*control, *(f"<0x{byte:02X}>" for byte in range(256)), *pieces, *TEXT]
    types = [2, *[3] * (len(control) - 1), *[6] * 256, *[1] * len(pieces), *[4] * len(TEXT)]
    ranks = [-float(rank // 100 if ties else rank) for rank in range(len(pieces))]
    scores = [0.0] * (len(control) + 256) + ranks + [-1000.0] * len(TEXT)
    return _metadata("llama", names, types) | {
        "tokenizer.ggml.scores": scores,
        "tokenizer.ggml.add_space_prefix": space_prefix,
    }


def _metadata(kind: str, names: list[str], types: list[int]) -> dict[str, object]:
    return {
        "tokenizer.ggml.model": kind,
        "tokenizer.ggml.tokens": names,
        "tokenizer.ggml.token_type": types,
        "tokenizer.ggml.bos_token_id": names.index(CONTROL[0]),
        "tokenizer.ggml.eos_token_id": names.index(CONTROL[0]),
    }


@cache
def _byte_merges() -> list[tuple[str, str]]:
    characters = byte_characters()
    trained = _trained(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False), characters)
    # The last byte of one character and the first of the next.
    ascii_text = [ord(character) for character in "asTZ .'1\n\r\t(_<"]
    ends, starts = [*ascii_text, *range(0x80, 0xC0)], [*ascii_text, *range(0xC2, 0xF5)]
    pairs = [(characters[end], characters[start]) for end in ends for start in starts]
    random.Random(3).shuffle(pairs)
    return list(dict.fromkeys([*trained, *pairs]))


@cache
def _pieces(words: bool) -> list[str]:
    split = pre_tokenizers.Metaspace(BLANK, "never") if words else None
    alphabet = [chr(code) for code in range(0x21, 0x7F)] + list("éßüλжא漢あ한\u0300\u00a0")
    merges = _trained(split, [BLANK, *alphabet])
    runs = [BLANK * length for length in (16, 8, 4, 2, 3, 5)]
    letters = ["\n", "\t", *(("an\n", "\n" + BLANK) if not words else ())]
    return list(dict.fromkeys([*runs, *("".join(merge) for merge in merges), BLANK, *alphabet, *letters]))


def _trained(split, alphabet: list[str]) -> list[tuple[str, str]]:
    """Return the merges that training on files of this repository leads to."""
    tokenizer = tokenizers.Tokenizer(models.BPE())
    if split is not None:
        tokenizer.pre_tokenizer = split
    trainer = trainers.BpeTrainer(
        vocab_size=len(alphabet) + 1000,
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_pieces_of_text(escaped=BLANK in alphabet), trainer)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return [(left, right) for left, right in merges]


def _pieces_of_text(*, escaped: bool) -> Iterator[str]:
    paths = ("aide_lsp/completion/window.py", "tests/infill/data/snippets.txt")
    texts = [*((REPOSITORY / path).read_text(encoding="utf-8") for path in paths), *SCRIPTS.values()]
    # Short: the time that training takes grows with the square of a piece's length.
    for text in texts:
        shown = text.replace(" ", BLANK) if escaped else text
        yield from (shown[start : start + 24] for start in range(0, len(shown), 24))
