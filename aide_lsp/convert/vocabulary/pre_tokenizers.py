r"""How byte-level vocabularies split text into words before they merge: one row for each kind.

The names, and which expressions each stands for, are facts of llama.cpp; the tokens are the same as its own
(https://github.com/ggml-org/llama.cpp/blob/master/src/llama-vocab.cpp, and `unicode.cpp` next to it). Some of
its expressions differ from those that the models were published with, because its engine knows no cases:
outside ASCII, every letter is both an upper-case and a lower-case one.

Here they are written for Oniguruma, the engine of the library `tokenizers`. Contractions list both cases:
without regard to case, Oniguruma also takes U+017F for an s.
"""

from collections.abc import Mapping, Sequence

from attrs import frozen


@frozen
class PreTokenizer:
    """How text is split into words before merging."""

    patterns: Sequence[str]
    """Regular expressions applied one after the other; each match is a piece of its own."""
    whole_words: bool = False
    """Whether a word in the vocabulary is one token, whatever the merges say."""
    adds_bos: bool = False
    """Whether a prompt begins with the BOS token, if the file does not say."""


_SHORT = r"'(?:[sStTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])"
"""Ends of English words, as in it's, we're."""
_BLANKS = r"\s+(?!\S)|\s+"
_SPACE = rf"\s*[\r\n]+|{_BLANKS}"
_ASCII_SIGNS = r"[!\"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~]"
_HAN_OR_KANA = "[\u4e00-\u9fa5\u3040-\u30ff]+"
_HAN_OR_HANGUL = "[\u0800-\u9fa5\uac00-\ud7ff&&[^\\s]]+"
"""Also everything between. To llama.cpp, blanks are never part of a range."""
_CASED = (
    "\xb5\xc0-\xd6\xd8-\xf6\xf8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373\u0376\u0377"
    "\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f"
    "\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b"
    "\u1d6b-\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59"
    "\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3"
    "\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d"
    "\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184"
    "\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f"
    "\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a"
    "\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb\U00010c80-\U00010cb2"
    "\U00010cc0-\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943"
)
"""Letters with cases, without those that are new since Unicode 11."""


def _words(
    digits: str,
    *,
    short: str = f"{_SHORT}|",
    marks: str = "",
    signs_end: str = r"[\r\n]*",
    space: str = _SPACE,
) -> str:
    """Return an expression like Llama 3's: a word begins with one sign at most, signs end with line ends."""
    letters, signs = rf"[\p{{L}}{marks}]+", rf"[^\s\p{{L}}{marks}\p{{N}}]+"
    return rf"{short}[^\r\n\p{{L}}\p{{N}}]?{letters}|{digits}| ?{signs}{signs_end}|{space}"


def _cased_words(digits: str, *, short: str = f"(?:{_SHORT})?", letter: str = r"\p{L}") -> str:
    """Return an expression like GPT-4o's: a word also ends where an upper-case letter follows."""
    start, upper, lower = r"[^\r\n\p{L}\p{N}]?", f"[{letter}&&[^a-z]]", f"[{letter}&&[^A-Z]]"
    words = f"{start}{upper}*{lower}+{short}|{start}{upper}+{lower}*{short}"
    return rf"{words}|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_SPACE}"


def _caseless_words(digits: str) -> str:
    """Return what llama.cpp makes of an expression like GPT-4o's that names cases by category."""
    words = rf"[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}\p{{M}}]+(?:{_SHORT})?"
    return rf"{words}|{digits}| ?[^\s\p{{L}}\p{{N}}]+[\r\n/]*|{_SPACE}"


def _words_and_marks(rest: str = rf"[\r\n]*|{_SPACE}") -> str:
    """Return an expression like DeepSeek V3's: marks belong to words, and signs are those of Unicode."""
    words = rf"{_ASCII_SIGNS}[A-Za-z]+|[^\r\n\p{{L}}\p{{P}}\p{{S}}]?[\p{{L}}\p{{M}}]+"
    return rf"{words}| ?[\p{{P}}\p{{S}}]+{rest}"


_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)"
_BLANKS_BY_TWOS = "".join(rf"\s{{{2**n}}}(?!\S)|" for n in range(9, 1, -1)) + r"\s{1,2}(?!\S)|\s"
_LINES = r"[^\n]+|\n+"
_NO_PUNCTUATION = " ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+"
_ONE, _THREE = r"\p{N}", r"\p{N}{1,3}"

_ROWS: Sequence[tuple[str, PreTokenizer]] = (
    (
        "gpt-2 phi-2 mellum mpt olmo jais trillion granite-docling modern-bert roberta-bpe gigachat exaone4"
        " a.x-4.0 jina-es jina-de jina-v1-en jina-v2-es jina-v2-de jina-v2-code",
        PreTokenizer([_GPT2]),
    ),
    (
        "starcoder refact command-r smollm codeshell exaone minerva-7b mellum2",
        PreTokenizer([_ONE, _GPT2]),
    ),
    ("default", PreTokenizer([r"[\p{P}$+<=>^~|]+", _GPT2, r"\p{N}+", "[0-9]{3}"])),
    ("falcon", PreTokenizer([r"[\p{P}$+<=>^~|`]+", _GPT2, "[0-9]{3}"])),
    (
        "llama-bpe llama3 llama-v3 falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano",
        PreTokenizer([_words(_THREE)], whole_words=True, adds_bos=True),
    ),
    ("glm4 glm5", PreTokenizer([_words(_THREE)], whole_words=True)),
    ("dbrx smaug-bpe chatglm-bpe", PreTokenizer([_words(_THREE)])),
    ("minicpm5", PreTokenizer([_THREE, _words(r"\p{N}+")], whole_words=True)),
    (
        "qwen2 stablelm2 deepseek-r1-qwen kormo f2llmv2 megrez hunyuan solar-open grok-2"
        " bailingmoe bailingmoe2 llada-moe",
        PreTokenizer([_words(_ONE)]),
    ),
    ("qwen35", PreTokenizer([_words(_ONE, marks=r"\p{M}")])),
    ("laguna", PreTokenizer([_LINES, _words(_ONE)])),
    ("ufakzeka", PreTokenizer([_words(_ONE, short="")])),
    ("seed-coder", PreTokenizer([_words(_ONE, signs_end="")])),
    ("tekken", PreTokenizer([_cased_words(_ONE, short="")], whole_words=True, adds_bos=True)),
    ("gpt-4o llama4 kanana2 talkie minimax-m2", PreTokenizer([_cased_words(_THREE)])),
    (
        "granite-embed-multi-97m",
        PreTokenizer([_cased_words(_THREE, letter=r"\p{L}\p{M}")], whole_words=True),
    ),
    ("deepseek-coder", PreTokenizer(["[\r\n]", r"\s?\p{L}+", r"\s?\p{P}+", _HAN_OR_HANGUL, _ONE])),
    (
        "deepseek-llm",
        PreTokenizer(
            [
                "[\r\n]",
                rf"\s?[A-Za-z{_CASED}]+",
                "\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3001\u3002]+",
                r"\s+\z",
                _HAN_OR_HANGUL,
                r"\p{N}+",
            ]
        ),
    ),
    (
        "deepseek-v3 hunyuan-dense joyai-llm hy_v4",
        PreTokenizer([_THREE, _HAN_OR_KANA, _words_and_marks()]),
    ),
    ("spark2_5", PreTokenizer([_THREE, _HAN_OR_KANA, _words_and_marks(rf"|[\r\n]|{_BLANKS}"), _ONE])),
    (
        "jais-2",
        PreTokenizer([_words(_THREE, space=rf"\s*[\r\n]+|{_BLANKS_BY_TWOS}")]),
    ),
    (
        "exaone-moe",
        PreTokenizer(
            [
                rf"{_SHORT}|[^\r\n\p{{L}}\p{{N}}]?\p{{L}}\p{{M}}*(?: ?\p{{L}}\p{{M}}*)*|{_ONE}"
                r"| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"
            ]
        ),
    ),
    (
        "youtu",
        PreTokenizer(
            [
                "[\uac00-\ud7a3\u3131-\u318e]+"
                "|[\uff01\u2026\u201c\u201d\u2018\u2019\u2014\uff1a\uff1b\uff0c\u3001-\u303f\ufe30-\ufe4f]+"
                f"|[\u3105-\u312f]+|{_HAN_OR_KANA}",
                _caseless_words(_ONE),
            ],
            whole_words=True,
        ),
    ),
    (
        "tiny_aya cohere2moe",
        PreTokenizer(
            [
                r"\P{N}++\z|\P{N}*+\p{N}{1,3}(?=(?:\p{N}{3})*+(?!\p{N}))",
                _caseless_words(_THREE),
            ]
        ),
    ),
    ("poro-chat bloom gpt3-finnish", PreTokenizer([_NO_PUNCTUATION])),
    ("viking", PreTokenizer([_NO_PUNCTUATION, _ONE])),
)

PRE_TOKENIZERS: Mapping[str, PreTokenizer] = {name: row for names, row in _ROWS for name in names.split()}
"""By the name that GGUF files have in `tokenizer.ggml.pre`."""
