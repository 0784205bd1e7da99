"""Strings, comments and brackets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.syntax.languages import LANGUAGES, Language, language_of
from aide_lsp.syntax.scan import Scan, scan


@pytest.mark.parametrize(
    ("language", "text", "stack", "quote"),
    [
        ("python", 'f(x, "a)', "(", '"'),
        ("python", 'f(x, "a\\")', "(", '"'),
        ("python", 'f("a" + [', "([", ""),
        ("python", '"""doc ( ', "", '"""'),
        ("python", "x = '''a\n''' + (", "(", ""),
        ("python", "# it's (\nfoo(", "(", ""),
        ("python", "it's (\nf(", "(", ""),
        ("python", "7 // f(", "(", ""),
        ("python", '"abc\\', "", '"'),
        ("c", "// f(\n{", "{", ""),
        ("c", "/* a ( */ f[", "[", ""),
        ("c", "'(' + f(", "(", ""),
        ("rust", "fn f<'a>(x: &'a str) {", "{", ""),
        ("typescript", "`a ${b", "", "`"),
        ("markdown", "it's (as they say", "(", ""),
        ("unknown", "# (\n// [\n{", "([{", ""),
    ],
)
def test_scan_knows_what_is_open(language, text, stack, quote):
    found = scan(text, language_of(language))
    assert (found.stack, found.quote) == (stack, quote)


@pytest.mark.parametrize("text", ["# c", "x = 1  # c", "# c 'x"])
def test_scan_knows_that_it_ends_in_a_comment(text):
    assert scan(text, language_of("python")).comment
    assert not scan(text + "\n", language_of("python")).comment


def test_scan_finds_what_nothing_opens():
    assert scan("a) + (b])}", language_of("c")) == Scan(unmatched=((1, ")"), (7, "]"), (9, "}")))


def test_scan_closes_what_is_open_inside():
    assert scan("{ f( [ }", language_of("c")) == Scan()


@given(
    text=st.text(alphabet=list("ab\"'`#/*\\\n()[]{}"), max_size=60), name=st.sampled_from(sorted(LANGUAGES))
)
def test_scan_continues_where_it_stopped_after_any_line(text, name):
    """The brackets of a complete line do not depend on what follows."""
    language = language_of(name)
    before = scan(text + "\n", language)
    if not before.quote and not before.comment:
        after = scan(text + "\n)", language)
        assert len(after.stack) + len(after.unmatched) != len(before.stack) + len(before.unmatched)


def test_language_of_uses_the_path_where_no_language_is_named():
    assert language_of("", "a/b.PY") is LANGUAGES["python"]
    assert language_of("go", "a.py") is LANGUAGES["go"]
    assert language_of("", "a.unheard-of") == Language()
