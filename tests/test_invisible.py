"""Which characters are invisible, and which of those a text needs."""

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.invisible import escaped, visible

EVERY = [chr(number) for number in range(0x110000)]
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
TEXTS = st.text(
    st.sampled_from(
        "ab1 \t\n\u0633\u06cc\u0915\u094d\u200c\u200d\u200b\u202e\ufe0f\u2764\U0001f525\u00ad\x1b\u20e3"
    )
)


def test_visible_when_control_or_format_character_then_it_goes():
    """Unicode's Cc and Cf, but not tab, line feed, and what prints: signs of numbers, frames."""
    kept = {c for c in EVERY if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and visible(c) == c}
    drawn = {c for c in kept if unicodedata.category(c) == "Cf"}
    assert kept - drawn == {"\t", "\n"}
    assert all(0x0600 <= ord(c) <= 0x08E2 or 0x110BD <= ord(c) <= 0x1343F for c in drawn)


@pytest.mark.parametrize(
    "span",
    [
        *[(0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x2064), (0x2066, 0x2069), (0xFFF9, 0xFFFB)],
        *[(0xE0000, 0xE007F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF), (0x00AD,), (0x061C,), (0x180E,)],
        *[
            (0xFEFF,),
            (0x3164,),
            (0xFFA0,),
            (0x115F,),
            (0x1160,),
            (0x034F,),
            (0x2800,),
            (0xFFFE,),
            (0x10FFFF,),
        ],
    ],
    ids=lambda span: f"U+{span[0]:04X}",
)
def test_visible_when_invisible_then_it_goes_everywhere(span):
    for number in range(span[0], span[-1] + 1):
        for around in ("{}", "a{}b", "{}\n", '"{}"', "\u4e2d{}\u6587"):
            assert visible(around.format(chr(number))) == around.format("")
        assert escaped(f"a{chr(number)}b").isascii()


@pytest.mark.parametrize(
    "text",
    [
        "na\u00efve \u65e5\u672c\u8a9e \u0440\u0443\u0441 \u05e9\u05dc\u05d5\u05dd \u0633\u0644\u0627\u0645",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian: a word with a zero-width non-joiner
        "\u0915\u094d\u200d\u0937 \u0930\u094d\u200d\u092f",  # Devanagari: half forms
        "\u0dc1\u0dca\u200d\u0dbb\u0dd3",  # Sinhala
        FAMILY,
        "\U0001f3f3\ufe0f\u200d\U0001f308 \u2764\ufe0f\u200d\U0001f525 \u2708\ufe0e",
        "\u00a9\ufe0f 1\ufe0f\u20e3 #\ufe0f\u20e3",
        "\U0001f469\U0001f3fd\u200d\U0001f4bb \U0001f1e9\U0001f1ea",
        "e\u0301 a\u00a0b \u3000 \ue0b0 \u2003",
        "\ttab\nline\n",
    ],
)
def test_visible_when_letters_or_emoji_need_a_joiner_then_it_stays(text):
    assert visible(text) == text
    assert escaped(text) == text


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("pass\u200bword", "password"),
        ("if a\u202e:\u2066 x", "if a: x"),
        ("a\u200db", "ab"),
        ("\u0633\u200c", "\u0633"),
        ("\u0633\u200c\u200c\u06cc", "\u0633\u06cc"),
        ("\u0633\u200b\u200c\u06cc", "\u0633\u06cc"),
        ("\u0633\u200c x", "\u0633 x"),
        ("\U0001f468\u200d x", "\U0001f468 x"),
        ("\u2764\ufe0f\ufe0f\ufe0f", "\u2764\ufe0f"),
        ("a\ufe0f 1\ufe0f x", "a 1 x"),
        ("\U0001f3f4\U000e0067\U000e0062\U000e007f", "\U0001f3f4"),
        ("\r\n", "\n"),
    ],
)
def test_visible_when_nothing_needs_it_then_it_goes(text, left):
    assert visible(text) == left


@pytest.mark.parametrize("around", ["{}", "a = '{}", "{}'", "{0}x{0}"])
@pytest.mark.parametrize(
    "character", ["\u200b", "\ufeff", "\u202e", "\u2066", "\u00ad", "\U000e0041", "\u200d"]
)
def test_visible_when_the_line_has_the_character_then_it_does_not_come_again(character, around):
    line = around.format(character)
    assert visible(f"b{character}c{character}", line, line) == "bc"
    assert visible(character * 3, line, line) == ""


def test_visible_when_the_line_needs_a_joiner_then_it_stays():
    assert visible("\u200d\U0001f469", "\U0001f3f3\ufe0f") == "\u200d\U0001f469"
    assert visible("\u0633\u200c", "", "\u06cc") == "\u0633\u200c"


@given(text=TEXTS, before=TEXTS, after=TEXTS)
def test_visible_twice_changes_nothing(text, before, after):
    once = visible(text, before, after)
    assert visible(once, before, after) == once
    assert [c for c in once if not visible(c, before, after) and c not in "\u200c\u200d\ufe0f"] == []


@pytest.mark.parametrize("number", [*range(9), *range(11, 32), *range(0x7F, 0xA0)])
def test_escaped_when_control_character_then_its_code_is_shown(number):
    assert escaped(f"a{chr(number)}b") == f"a\\u{number:04x}b"


@given(st.text())
def test_escaped_json_means_the_same(text):
    assert json.loads(escaped(json.dumps(text, ensure_ascii=False))) == text
