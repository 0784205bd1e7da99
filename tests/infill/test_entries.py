"""The comma after an entry between others."""

import pytest

from aide_lsp.infill.entries import with_comma
from aide_lsp.infill.hole import read_hole
from aide_lsp.syntax.languages import language_of


@pytest.mark.parametrize(
    ("language", "text", "entry", "expected"),
    [
        ("javascript", "x = {\n  a: 1,█\n  c: 3\n}", "\n  b: 2", "\n  b: 2,"),
        ("javascript", "x = {\n  a: 1,\n  █\n  c: 3\n}", "b: 2", "b: 2,"),
        ("javascript", "x = {\n  a: 1,\n  b: █\n  c: 3\n}", "2", "2,"),
        ("javascript", "x = {\n  a: 1,\n  █c: 3\n}", "b: 2\n  ", "b: 2,\n  "),
        (
            "css",
            "a {\n  transition:\n    color 1s,█\n    outline 2s;\n}",
            "\n    border 1s;",
            "\n    border 1s,",
        ),
        ("python", "x = [\n    1,\n    █\n    3,\n]", "2,", "2,"),
        ("javascript", "x = {\n  a: 1,█\n}", "\n  b: 2", "\n  b: 2"),
        ("javascript", "x = {\n  a: 1,\n  b: █, c: 3\n}", "2", "2"),
        ("javascript", "f();█\nh();", "\ng();", "\ng();"),
        ("javascript", "x = {█\n  c: 3\n}", "\n  a: 1,\n  b: 2", "\n  a: 1,\n  b: 2,"),
        ("javascript", "x = {\n  a: 1,█\n  c: 3\n}", "\n  ", "\n  "),
    ],
)
def test_an_entry_gets_a_comma_only_between_others(language, text, entry, expected):
    before, after = text.split("█")
    assert with_comma(read_hole(before, after, language_of(language)), entry) == expected
