"""Records how llama.cpp tokenizes 1,000 snippets: the reference of tests/convert/test_tokenizer_json.py.

Needs llama-cpp-python. Snippets are cut from Python's standard library (PSF license) and from generated text:
other languages and scripts, odd white space, line ends, emoji, unusual Unicode. The same call writes the same
file. Output: gzip of {"source", "snippets": [text], "ids": [[token ids]]}.

    python -m benchmarks.llama_cpp.record_tokens MODEL.gguf tests/data/tokens_qwen2.json.gz
"""

import argparse
import gzip
import json
import random
import sysconfig
from collections.abc import Callable
from pathlib import Path

COUNT = 1000
MODULES = (
    "argparse",
    "ast",
    "asyncio/tasks",
    "decimal",
    "_pydecimal",
    "email/header",
    "html/entities",
    "re/_parser",
    "tarfile",
    "tokenize",
    "typing",
    "uuid",
)
UNICODE_SOURCES = ("test/test_unicodedata", "encodings/cp1252", "encodings/koi8_r", "encodings/mac_greek")

SCRIPTS = {
    "german": "Größe über Straße Übung naïve façade",
    "greek": "συνάρτηση μεταβλητή αριθμός κλάση",
    "russian": "функция переменная строка возврат ошибка",
    "arabic": "دالة متغير سلسلة قيمة خطأ",
    "hebrew": "פונקציה משתנה מחרוזת ערך",
    "hindi": "फ़ंक्शन चर स्ट्रिंग मान त्रुटि",
    "thai": "ฟังก์ชัน ตัวแปร ข้อความ ค่า",
    "chinese": "函数 变量 字符串 返回值 错误",
    "japanese": "関数 変数 文字列 戻り値 エラー カタカナ ひらがな",
    "korean": "함수 변수 문자열 반환값 오류",
    "emoji": "🙂 👩‍💻 🇩🇪 ❤️ 1️⃣ 🧑🏽‍🚀 ✅",
    "symbols": "≤ ≥ ≠ → ∀x∈ℝ ½ ² Ⅷ ① ﬁ Å e\u0301 \u200b \ufeff \u00a0 \u2028",
    "digits": "12345 0x1F 1_000_000 3.14e-10 ٣٤٥ 一二三 ५६",
}
TEMPLATES = (
    "// {a}\nfunction {b}({c}) {{\n\treturn `${{{c}}}`; // {d}\n}}\n",
    '/* {a} {b} */\r\nint main(void)\r\n{{\r\n    printf("{c}\\n");\r\n    return {d};\r\n}}\r\n',
    '<p class="{a}">{b} &amp; {c}</p>\n<!-- {d} -->',
    '{{"{a}": ["{b}", {{"{c}": null}}], "n": -1.5e+3, "{d}": true}}',
    "SELECT \"{a}\" FROM {b} WHERE {c} LIKE '%{d}%' -- they're I'LL we'Ve\n",
    "fn {b}<'a>(x: &'a str) -> Option<&'a str> {{ /* {a} */ x.strip_prefix(\"{c}{d}\") }}",
    '#!/bin/sh\n{a}="$1"\t\t# {b}\nfor f in *.{c}; do\n\t\techo "${{f%%.*}}" >>{d}\ndone\n\n\n',
    "{a}{b}{c}{d}",
    "   {a}\n\n\n     {b}\t \t{c}  \n \n{d}   ",
    "# {a}\ndef {b}(self, *, {c}: int = 0) -> None:\n        '''{d}'''\n",
)


def library_snippets(draw: random.Random, count: int) -> list[str]:
    """Cut pieces out of the standard library, at any character."""
    library = Path(sysconfig.get_path("stdlib"))
    paths = [library / f"{name}.py" for name in (*MODULES, *UNICODE_SOURCES)]
    sources = [path.read_text(encoding="utf-8") for path in paths if path.is_file()]
    return [_cut(draw, draw.choice(sources), 300) for _ in range(count)]


def generated_snippets(draw: random.Random, count: int) -> list[str]:
    """Fill the templates with words in all scripts."""
    words = [word for text in SCRIPTS.values() for word in text.split(" ")] + list(SCRIPTS.values())
    snippets = []
    for _ in range(count):
        chosen = {key: draw.choice(words) for key in "abcd"}
        snippets.append(draw.choice(TEMPLATES).format(**chosen))
    return snippets


def odd_snippets(draw: random.Random, count: int) -> list[str]:
    """Mix white space, line ends, punctuation and letters at random."""
    alphabet = [
        " ",
        "  ",
        "\t",
        "\n",
        "\r\n",
        "\r",
        "'s",
        "'LL",
        "a",
        "Z",
        "é",
        "ß",
        "9",
        "42",
        "_",
        ".",
        "...",
        "(",
        ")",
        "=>",
        "!=",
        "://",
        "\u00a0",
        "\u3000",
        "漢",
        "🙂",
        "\u0300",
        "\x00",
        "\x7f",
        "<|",
        "|>",
    ]
    return ["".join(draw.choices(alphabet, k=draw.randint(1, 30))) for _ in range(count)]


def _cut(draw: random.Random, source: str, longest: int) -> str:
    length = draw.randint(1, longest)
    start = draw.randrange(max(1, len(source) - length))
    return source[start : start + length]


def llama_tokenizer(model: str) -> Callable[[str], list[int]]:
    """Return llama.cpp's tokenizer: no beginning token, no control tokens from text."""
    from llama_cpp import Llama

    llama = Llama(model, vocab_only=True, verbose=False)
    return lambda text: llama.tokenize(text.encode(), add_bos=False, special=False)


def main(arguments: list[str] | None = None) -> None:
    """Write the reference file."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.llama_cpp.record_tokens", description=__doc__.split("\n")[0]
    )
    parser.add_argument("model", help="GGUF file")
    parser.add_argument("target", help="file to write, .json.gz")
    options = parser.parse_args(arguments)
    draw = random.Random(20260801)
    snippets = library_snippets(draw, COUNT // 2)
    snippets += generated_snippets(draw, COUNT * 35 // 100) + odd_snippets(draw, COUNT * 15 // 100)
    tokenize = llama_tokenizer(options.model)
    ids = [tokenize(text) for text in snippets]
    content = {"source": Path(options.model).name, "snippets": snippets, "ids": ids}
    packed = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    # `mtime`: otherwise the time of writing would be in the file.
    Path(options.target).write_bytes(gzip.compress(packed, 9, mtime=0))
    print(f"{options.target}: {len(snippets)} snippets, {sum(map(len, ids))} tokens")


if __name__ == "__main__":
    main()
