"""How completions end and what is inserted, on texts with a cursor: data/*.txt."""

import re
from pathlib import Path

import pytest
from attrs import frozen
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aide_lsp.infill.cleanup import Cleaned, clean, visible_at
from aide_lsp.infill.hole import Hole, Shape, read_hole
from aide_lsp.infill.stop_rules import Stop, StopRule
from aide_lsp.infill.stopping import block_header, break_off, find_stop
from aide_lsp.reasons import NoCompletionReason
from aide_lsp.syntax.languages import language_of
from aide_lsp.syntax.trees import SyntaxTrees

CURSOR = "█"
CHARACTERS = "abend1 \t\n\"'(){}[]:;,=#/`\\<>$*_-\u00e9\U0001f600\u0633\u200c\u200d\u200b\u202e\ufe0f\u00ad\r"
PIECES = [
    "f'{",
    "${",
    "#{",
    "{{",
    "}}",
    "<b>",
    "</b>",
    "<b ",
    "**",
    "/*",
    "*/",
    "fox",
    " fox ",
    "\n    ",
    ' = "',
]
CODE = st.lists(st.sampled_from([*CHARACTERS, *PIECES]), max_size=25).map("".join)
LANGUAGES = st.sampled_from(
    [
        *("python", "typescript", "c", "rust", "ruby", "markdown", "unknown"),
        *("html", "javascriptreact", "vue", "csharp", "latex", "shellscript"),
    ]
)


@frozen
class Case:
    """One case of the data file."""

    name: str
    language: str
    text: str
    written: str
    rule: str
    inserted: str


def read_cases() -> list[Case]:
    cases: list[Case] = []
    for path in sorted((Path(__file__).parent / "data").glob("*.txt")):
        if path.name == "checks.txt":
            continue
        _, *parts = re.split(r"^=== (.+) \[(\w+)\]\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        cases += [read_case(*parts[start : start + 3]) for start in range(0, len(parts), 3)]
    return cases


def read_case(name: str, language: str, body: str) -> Case:
    text, _, written, rule, inserted = re.split(r"\n--- (.+)\n", body.rstrip("\n") + "\n")
    return Case(name, language, text, written, rule, inserted.removesuffix("\n").removesuffix("¶"))


def hole_at(text: str, language: str = "python") -> tuple[Hole, str, str]:
    head, tail = text.split(CURSOR)
    return read_hole(head, tail, language_of(language)), head, tail


def fill(hole: Hole, written: str) -> tuple[Stop | None, Cleaned]:
    stop = find_stop(hole, written, ended=True)
    return stop, clean(hole, written, stop)


def check(case: Case) -> None:
    """Run a case."""
    hole, _, _ = hole_at(case.text, case.language)
    stop, cleaned = fill(hole, case.written)
    assert (stop.rule.code if stop else "none", cleaned.text) == (case.rule, case.inserted)


@pytest.mark.parametrize("case", read_cases(), ids=lambda case: case.name)
def test_hole(case):
    check(case)


def test_a_header_is_not_further_out_than_the_cursor():
    around = "def f(xs):\n    for x in xs:\n        █\n            g()\n        else:\n            h()\n"
    hole, _, _ = hole_at(around)
    assert block_header(hole, "return x\n    else:\n") is None
    assert block_header(hole, "y = 1\n        if x:\n") == Stop(19, 20, StopRule.BLOCK_HEADER)


@pytest.mark.parametrize("case", read_cases(), ids=lambda case: case.name)
def test_find_stop_does_not_depend_on_the_pieces(case):
    """The first decision on the way is the decision for the complete text."""
    hole, _, _ = hole_at(case.text, case.language)
    complete = find_stop(hole, case.written + "\n")
    on_the_way = (find_stop(hole, (case.written + "\n")[:end]) for end in range(len(case.written) + 2))
    assert next((stop for stop in on_the_way if stop), None) == complete


@pytest.mark.parametrize(
    ("text", "written", "inserted"),
    [
        ('run: |\n  echo f("█")\n  echo "done"\n', 'x")\n  echo "done"\n', "x"),
        ("group: ${█}-${{ y }}\n", "{ x }}-${{ y }}\n", "{ x }"),
        ("group: a ${{█}}\n", " x }}\n", " x "),
        ("run: |\n  echo ${█}\n", "{ x }}\n", "{ x }"),
    ],
)
def test_text_of_yaml_closes_what_its_tree_does_not_know(text, written, inserted):
    head, tail = text.split(CURSOR)
    tree = SyntaxTrees().at(head, tail, language_of("yaml"))
    hole = read_hole(head, tail, language_of("yaml"), tree.openings())
    _, cleaned = fill(hole, written)
    assert cleaned.text == inserted


@pytest.mark.parametrize(
    ("language", "text", "written", "inserted"),
    [
        (
            "typescript",
            "/**\n * Less (█).\n */\nf();\n",
            "as in https://a.b/c).\n */\nf();\n",
            "as in https://a.b/c",
        ),
        ("shellscript", 'a+=("it\'s)\nif ((█)); then\n  echo "x"\nfi\n', " ret )); then\n", " ret "),
        ("svelte", "<input bind:value={█}>\n<p>x</p>\n", 'name} placeholder="a">\n<p>', "name"),
        ("svelte", "<b on:click={() => f({ a: █ })}>x</b>\n", "1, c: {} })}>x</b>\n", "1, c: {}"),
    ],
)
def test_brackets_belong_to_code_text_or_a_tag(language, text, written, inserted):
    head, tail = text.split(CURSOR)
    tree = SyntaxTrees().at(head, tail, language_of(language))
    hole = read_hole(head, tail, language_of(language), tree.openings())
    assert fill(hole, written)[1].text == inserted


@pytest.mark.parametrize("language", ["typescriptreact", "javascriptreact", "html", "vue", "svelte"])
@pytest.mark.parametrize(
    ("begun", "written", "inserted"),
    [
        ("<Te█", 'xt\n      a="b"\n    />\n    <B\n', 'xt\n      a="b"\n    />'),
        ("<Text █", 'a="b"\n      c="d"\n    />\n    <B\n', 'a="b"\n      c="d"\n    />'),
        (
            "<Te█",
            'xt\n      a="b"\n    >\n      c\n    </Text>\n    <B\n',
            'xt\n      a="b"\n    >\n      c\n    </Text>',
        ),
        ("<Text█", "\n      a\n    ></Text>\n    <B\n", "\n      a\n    ></Text>"),
        ("<Text\n      █", 'a="b"\n    />\n    <B\n', 'a="b"\n    />'),
        ("<Text █", 'a="b" />\n    <B\n', 'a="b" />'),
    ],
)
def test_an_element_whose_tag_takes_several_lines_is_complete(language, begun, written, inserted):
    head, tail = f"<div>\n    {begun}\n    <C />\n</div>\n".split(CURSOR)
    if language.endswith("react"):
        head, tail = f"const a = (\n  {head}", f"{tail});\n"
    tree = SyntaxTrees().at(head, tail, language_of(language))
    hole = read_hole(head, tail, tree.language, tree.openings())
    assert fill(hole, written)[1].text == inserted


@given(head=CODE, tail=CODE, written=CODE, language=LANGUAGES)
@settings(max_examples=500, deadline=None)
@example(head="f'{x", tail="", written="'}'", language="rust")
def test_find_stop_is_the_same_for_any_pieces(head, tail, written, language):
    hole = read_hole(head, tail, language_of(language))
    stops = [find_stop(hole, written[:end]) for end in range(len(written) + 1)]
    first = next((stop for stop in stops if stop), None)
    if first is not None:
        assert all(stop == first for stop in stops[first.decided_at :])
        assert 0 <= first.end <= first.decided_at


@given(head=CODE, tail=CODE, written=CODE, language=LANGUAGES)
@settings(max_examples=500, deadline=None)
def test_clean_text_never_repeats_the_text_after_the_cursor(head, tail, written, language):
    hole = read_hole(head, tail, language_of(language))
    stop, cleaned = fill(hole, written)
    assert (cleaned.empty_reason is not None) == (not cleaned.text)
    after = hole.after.rstrip()
    is_exact = stop is not None and stop.rule.is_exact
    if (
        hole.shape is Shape.INLINE
        and after
        and not is_exact
        and hole.imbalance(cleaned.text.removesuffix(after)) == 0
    ):
        assert not cleaned.text.endswith(after)
    if hole.shape is Shape.LINES and cleaned.text and hole.below.strip():
        lines = (hole.before + cleaned.text).removesuffix("\n" + hole.before).split("\n")
        assert lines[-1].rstrip() != hole.below.rstrip() or is_exact


@given(head=CODE, tail=CODE, written=CODE, language=LANGUAGES)
@settings(max_examples=500, deadline=None)
@example(head="1", tail="[}", written="[\n}", language="python")
@example(head="", tail="\u0633", written="\u0633\u200c", language="python")
def test_clean_twice_changes_nothing(head, tail, written, language):
    hole = read_hole(head, tail, language_of(language))
    stop, cleaned = fill(hole, written)
    again = clean(hole, cleaned.text, stop if stop and stop.rule.is_exact else None)
    assert again.text == cleaned.text


@given(head=st.text(max_size=30), tail=st.text(max_size=30), written=st.text(max_size=30))
@settings(max_examples=300, deadline=None)
def test_any_text_can_be_filled(head, tail, written):
    """Any Unicode, also lone surrogates and control characters, only where the line has them."""
    hole = read_hole(head, tail, language_of("python"))
    _, cleaned = fill(hole, written)
    assert visible_at(hole, cleaned.text) == cleaned.text
    broken = clean(hole, written, break_off(hole, written))
    assert len(broken.text) <= len(written) + len(hole.before) + 1


def test_every_stop_rule_has_a_case_and_a_code_and_a_sentence_of_its_own():
    # What ends a text after it was generated has its tests elsewhere.
    later = {StopRule.TRUNCATED.code, StopRule.FIRST_LINES.code}
    assert {case.rule for case in read_cases()} - {"none"} | later == {rule.code for rule in StopRule}
    assert len({rule.code for rule in StopRule}) == len({rule.message for rule in StopRule}) == len(StopRule)


def test_every_reason_has_a_code_and_a_sentence_of_its_own():
    reasons = list(NoCompletionReason)
    assert len({reason.code for reason in reasons}) == len({reason.message for reason in reasons})
    assert [reason for reason in reasons if not reason.message.endswith((".", ")."))] == []


SNIPPETS = (Path(__file__).parent / "data" / "snippets.txt").read_text(encoding="utf-8").split("=== ")[1:]


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: snippet.split("\n", 1)[0])
def test_the_rest_of_a_word_is_inserted_as_it_is(snippet):
    """The model goes on with what is right of the cursor, or ends."""
    name, program = snippet.split("\n", 1)
    for match in re.finditer(r"(?<=\w\w)\w+", program):
        head, rest, tail = program[: match.start()], match.group(), program[match.end() :]
        tree = SyntaxTrees().at(head, tail, language_of(name))
        hole = read_hole(head, tail, language_of(name), tree.openings() if tree else None)
        longer = rest + tail[:160]
        assert clean(hole, longer, find_stop(hole, longer) or break_off(hole, longer)).text == rest
        assert fill(hole, rest)[1].text == rest


@pytest.mark.parametrize(
    ("text", "language", "written", "inserted"),
    [
        ("def f():\n█", "python", "    a = 1\n    b = lo", "    a = 1"),
        ("def f():\n█", "python", "    b = lo", ""),
        ("class A {\n  █\n}", "java", 'int f() {\n  }\n\n  @Get("a")\n  int g', "int f() {\n  }"),
        ("class A\n  █\nend", "ruby", "def f\n    @a ||= 1\n    @a\n    b =", "def f\n    @a ||= 1\n    @a"),
        ("def f(x):\n    █", "python", "a = 1\n    if x:\n        b = lo", "a = 1"),
        ("def f(x):\n    █", "python", "a = 1\n    b = [\n        1,\n        2,\n        3", "a = 1"),
        ("class A {█}", "javascript", "\n  f() {\n  }\n  g() {\n    h();\n    ", "\n  f() {\n  }\n"),
        ("f() {\n  █", "javascript", "if (a) {\n    b();\n    c", "if (a) {\n    b();"),
        ("class A {\n  █\n    x = 1;\n  }\n}", "java", "int f() {\n    x = 2;\n  }\n  int g", "int f() {"),
        ("█", "markdown", "Usage:\n\nRun it, th", "Usage:"),
        ("def f():\n    return █", "python", "first(a, b) + second(c, d", "first(a, b)"),
        ("char t[] = { 0x00, █ };", "c", "0x03, 0x04, 0x17, 0x", "0x03, 0x04, 0x17"),
        ("f(█)", "javascript", "[1, 2, 3], { a: 1, b: 2 }, { a: 2, b", "[1, 2, 3], { a: 1, b: 2 }"),
        ("xs = █", "python", "[1, 2, 3", ""),
        ("int main() { █ }", "c", "int a = 1; int b = 2; int c", "int a = 1; int b = 2;"),
        ("█", "markdown", "It grows. It does not shrink. It gro", "It grows. It does not shrink."),
        ("█", "markdown", "It grows for as long as the wat", "It grows for as long as the"),
        ("# █", "python", "The first of many wo", "The first of many"),
        ("s = 'The █'", "python", "first of many wo", "first of many"),
    ],
)
def test_break_off_keeps_what_is_complete(text, language, written, inserted):
    hole, _, _ = hole_at(text, language)
    assert clean(hole, written, break_off(hole, written)).text == inserted


@pytest.mark.parametrize(
    ("text", "written", "inserted"),
    [
        ("The quick █ fox jumps", "brown fox jumped.\n\nThe fox", "brown"),
        ("x = doc█ument.title", "ument.body;\nlog(x)", ""),
        ("x = [█]", "1, 2,\n3, 4", "1, 2,"),
        ("def f() {█}", "\n    a = 1\n    b = lo", "\n    a = 1\n"),
    ],
)
def test_break_off_leads_to_the_rest_of_the_line(text, written, inserted):
    hole, _, _ = hole_at(text)
    assert clean(hole, written, break_off(hole, written)).text == inserted


@pytest.mark.parametrize(
    ("text", "written", "reason"),
    [
        ("x = █", "", NoCompletionReason.NOTHING_TO_ADD),
        ("x = █", " \n \n", NoCompletionReason.ONLY_WHITESPACE),
        ("def f():\n█    return 1", "    return 1\n", NoCompletionReason.REPEATS_SUFFIX),
        ("f(█)", ")", NoCompletionReason.REPEATS_SUFFIX),
        ("x = █ + 1", "\ny = 2", NoCompletionReason.NOTHING_TO_ADD),
        ("x = █", "\u200b\u202e", NoCompletionReason.INVISIBLE),
        ("x = █", " \ufeff\n", NoCompletionReason.INVISIBLE),
        ("Line\u200b█", "\u200b\u200b", NoCompletionReason.INVISIBLE),
        ("# \u202eabc█", "\u202e\u2066", NoCompletionReason.INVISIBLE),
    ],
)
def test_clean_says_why_nothing_is_left(text, written, reason):
    hole, _, _ = hole_at(text)
    assert fill(hole, written)[1] == Cleaned("", reason)


@pytest.mark.parametrize(
    ("text", "written", "inserted"),
    [
        ("x = █", "'a\u200bb\u202e'", "'ab'"),
        ("x = f(█)", "a\u2066)", "a"),
        ("# caf\u200b\u00e9 █", "a\u200bb\u200d", "ab"),
        ("def f():\n█", "    a = 1\u00ad\n    b\ufeff = 2", "    a = 1\n    b = 2"),
        (
            "s = '█'",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ),
        ("s = '\U0001f3f3\ufe0f█'", "\u200d\U0001f308", "\u200d\U0001f308"),
    ],
)
def test_clean_leaves_out_what_does_not_show(text, written, inserted):
    hole, _, _ = hole_at(text)
    assert fill(hole, written)[1].text == inserted


def test_text_that_is_cut_and_has_the_line_that_opens_the_block_below_then_it_ends_there():
    below = "\n        x = g(a)\n        return x\n"
    written = "\n    ) -> int:\n        if a:\n            x = h(\n                a,\n                b"
    hole = hole_at(f"    def f(\n        a: int,█{below}", "python")[0]
    assert break_off(hole, written) == Stop(len("\n    ) -> int:"), len(written), StopRule.BLOCK_HEADER)
    # The line at the cursor may open it already.
    hole = hole_at("def f(a):█\n    return b\n", "python")[0]
    assert break_off(hole, "\n    b = a * 2\n    c = b +").end == len("\n    b = a * 2")
    # Where the block below is not deeper, all complete lines are kept.
    hole = hole_at("def f(a):\n    x = 1█\n    return x\n", "python")[0]
    assert break_off(hole, "\n    if a:\n        x = 2\n        y").end == len("\n    if a:\n        x = 2")


def test_a_string_that_was_just_begun_is_not_closed_by_the_next_one_although_the_tree_says_so():
    line = '    $C "create $a" || true\n'
    head, tail = 'for a in 1; do\nfor a in 1; do\n    $C "', f"\n{line}done\n"
    language = language_of("shellscript")
    for after, is_closed in ((tail, False), ('"' + tail, True)):
        tree = SyntaxTrees().at(head, after, language)
        assert tree is not None
        assert read_hole(head, after, language, tree.openings()).open[-1].is_closed is is_closed
