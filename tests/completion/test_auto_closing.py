"""A completion that is typed along where the editor closes brackets stays what it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aide_lsp.completion.auto_closing import added_after, closed_here, closers_of, rest_after, typings


@pytest.mark.parametrize(
    ("typed", "closers"),
    [
        ("(", ")"),
        ("foo([", "])"),
        ('print("', '")'),
        ('f("a")', ""),
        ("(a)", ""),
        (") + (", ")"),
        (r'"a\"', '"'),
        ("{ it's (", ")'}"),
        ("it's isn't", ""),
    ],
)
def test_an_editor_closes_what_was_left_open(typed, closers):
    assert closers_of(typed) == closers


@pytest.mark.parametrize(
    ("text", "typed", "added", "rest", "replaces"),
    [
        ("(a, b):\n    return a", "(", ")", "a, b):\n    return a", 1),
        ("(a, b):\n    return a", "(a", ")", ", b):\n    return a", 1),
        ("(a, b)", "(", ")", "a, b", 0),
        ("foo([1, 2], 3);", "foo([", "])", "1, 2], 3);", 2),
        ("foo([1, 2], 3);", "foo([1, 2], ", ")", "3);", 1),
        ("foo([1, 2])", "foo([", "])", "1, 2", 0),
        ('("a(b", c) + 1', '("', '")', 'a(b", c) + 1', 2),
        ("(it's so)\nand on", "(", ")", "it's so)\nand on", 1),
        # It never closes it: the bracket stays where it is.
        ("foo(a, b", "foo(", ")", "a, b", 0),
        # After Enter, the bracket is in the next line.
        ("{\n    a: 1,\n}\nnext()", "{\n    ", "\n}", "a: 1,", 0),
        ("({\n    a: 1,\n})", "({\n    ", "\n})", "a: 1,", 0),
    ],
)
def test_the_rest_of_a_completion_takes_the_place_of_the_closing_bracket(text, typed, added, rest, replaces):
    found = rest_after(text, typed, added)
    assert (found.text, found.replaces) == (rest, replaces)
    if "\n" not in added:
        # What was foreseen, once: nothing of it is doubled.
        whole = typed + found.text + added[found.replaces :]
        assert whole in (text, text + added)


@pytest.mark.parametrize(
    ("text", "typed", "added"),
    [
        ("(a)", "(", "]"),  # not what an editor puts there
        ("(a)", "x", ")"),
        ("(a)", "(a)", ""),
        ("()", "(", ")"),  # nothing is left
        ("{ a }", "{\n", "\n}"),  # something else was typed
        ("{\n a }", "{\n", "\n}"),  # it is closed in another place
        ("([a)]", "([", "])"),
        ("(a", "", ")"),
    ],
)
def test_anything_else_has_no_rest(text, typed, added):
    assert rest_after(text, typed, added) is None


def test_without_closers_the_rest_is_the_rest():
    assert rest_after("(a, b)", "(a", "").text == ", b)"


def test_what_an_editor_may_have_put_after_the_cursor():
    assert list(added_after('")]x')) == ['"', '")', '")]']
    assert list(added_after("\n  }\n")) == ["\n  }"]
    assert list(added_after("a)")) == []
    assert max(map(len, added_after(")" * 20))) == 8


def test_long_texts_are_not_read():
    typed = "(" * 3000
    assert list(typings(typed + ")")) == [typed + ")"]
    assert rest_after("(a)" + "x" * 3000, "(", ")") is None


SIGNS = st.text(alphabet="ab([{}])\"'\n ", max_size=8)


@given(SIGNS, st.sampled_from(["", "\n", "\n    "]))
def test_what_was_typed_is_found_in_what_the_editor_inserted(typed, line):
    closers = closers_of(typed)
    added = line + closers if closers else ""
    assert typed in list(typings(typed + added)) or len(closers) > 8


@given(SIGNS, SIGNS, SIGNS)
def test_a_rest_keeps_what_was_typed_and_ends_as_the_completion_or_earlier(text, typed, after):
    for added in added_after(after):
        found = rest_after(typed + text, typed, added)
        if found is not None:
            assert text.startswith(found.text)
            assert found.text.strip()
            assert found.replaces <= len(added)


@pytest.mark.parametrize(
    ("marked", "closers"),
    [
        ("foo(|)\nnext", ")"),
        ('foo("|")\nnext', '")'),
        ("foo(|) + bar()", ")"),
        ('"""|"""\nnext', '"""'),
        ("if (x) {|}\nnext", "}"),
        ("if (x) {\n    |\n}\nnext", "\n}"),
        ("if (x) {\n    a();\n    b(|)\n}\nnext", ")\n}"),
        ("foo(() => {\n    a();|\n});\nnext", "\n})"),
        ("x = {\n  a: 1,\n  b: [|]\n}\n", "]\n}"),
        ("class A {\n  f() {\n    a();|\n  }\n\n  g() {}\n}", "\n  }"),
        ("function f() {\n\tif (x) {\n\t\t|\n\t}\n}\n\nfunction g() {", "\n\t}\n}"),
        ("<p>|</p>\nnext", "</p>"),
        ('<a href="|"></a>', '"'),
        ('<a href="#"><b>|</b></a> and', "</b></a>"),
        ("foo(<b>|</b>)\nnext", "</b>)"),
        ('<ul class="a">\n  <li>|</li>\n</ul>\n<p>', "</li>\n</ul>"),
        ("<div>\n  <br/>\n  |\n</div>\n", "\n</div>"),
        # Not what an editor has put there.
        ("<p>a</p>|</p>", ""),
        ("<p>\n  a|\n</b>\n", ""),
        ('foo(|"abc")', ""),
        ("foo|)", ""),
        ("def f(\n    a,|\n):\n    pass", ""),
        ("if (x) {\n    a();\n}|\n}", ""),
        ("    a = b[\n    c|\n}", ""),
        ("if (x) {\n    a();|\n} else {\n}", ""),
    ],
)
def test_what_closes_brackets_opened_here_is_found(marked, closers):
    before, after = marked.split("|")
    assert after[: closed_here(before, after)] == closers


def test_closers_far_below_what_they_close_are_not_looked_for():
    block = "    a();\n" * 200
    assert closed_here(f"if (x) {{\n{block}", "\n}\n") == 0


@given(
    before=st.text(alphabet="ab ()[]{}\"'\n\t:", max_size=60),
    after=st.text(alphabet=")]}\"';,\n ", max_size=20),
)
def test_what_closes_brackets_is_within_the_text(before, after):
    closers = after[: closed_here(before, after)]
    assert not closers or closers[-1] in ")]}\"'"
