"""What is recognizably wrong with a text: data/checks.txt, and properties."""

import re
from pathlib import Path

import pytest
from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st

from aide_lsp.infill.checks.find import find_misfit
from aide_lsp.infill.checks.misfit import Misfit
from aide_lsp.infill.hole import read_hole
from aide_lsp.syntax.languages import LANGUAGES, language_of
from aide_lsp.syntax.trees import SyntaxTrees

CURSOR = "█"
DATA = Path(__file__).parent / "data"
FINE = "fine"


@frozen
class Case:
    """One case of the data file."""

    name: str
    language: str
    around: str
    text: str
    problem: str


def read_cases() -> list[Case]:
    content = (DATA / "checks.txt").read_text(encoding="utf-8")
    cases = []
    for block in re.split(r"^=== ", content, flags=re.MULTILINE)[1:]:
        title, body = block.split("\n", 1)
        around, text, problem = re.split(r"^--- ?(?:text\n)?", body, flags=re.MULTILINE)
        name, language = re.fullmatch(r"(.*) \[(\w+)]", title).groups()
        text = text.removesuffix("\n").removesuffix("¶")
        cases.append(Case(name, language, around.rstrip("\n") + "\n", text, problem.strip()))
    return cases


CASES = read_cases()


def problem_of(language: str, before: str, after: str, text: str, *, is_cut: bool = False) -> str:
    found = language_of(language)
    tree = SyntaxTrees().at(before, after, found)
    misfit = find_misfit(read_hole(before, after, found), before, after, text, tree, is_cut=is_cut)
    return misfit.code if misfit else FINE


def test_a_long_line_of_one_sign_is_searched_for_placeholders():
    # With a pattern that tries each of its signs as the first one, this takes minutes.
    for sign in "/*#":
        assert problem_of("lua", sign * 9_000, "\n", "-- your code here") == "placeholder"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_text_has_the_problem_of_its_case(case: Case):
    before, after = case.around.split(CURSOR)
    assert problem_of(case.language, before, after, case.text) == case.problem


def test_every_problem_has_a_case():
    assert {case.problem for case in CASES} == {misfit.code for misfit in Misfit} | {FINE}


def test_faults_that_span_a_long_file_come_from_the_block_that_nothing_opens():
    methods = "".join(f"  int m{number}() {{\n    return {number};\n  }}\n\n" for number in range(150))
    before = f"class A {{\n{methods}  void f(C c, int x) {{\n    if (x > 1) {{\n      "
    block = (
        "\n        if (x > 2) {\n          c.g(x);\n        } else {\n          c.g(1);\n        }\n      }\n"
    )
    after = f"{block}    }}\n  }}\n\n{methods}}}\n"
    assert problem_of("java", before, after, "c.g(0);\n      } else {") == "broken-syntax"
    assert problem_of("java", before, after, "c.g(0);\n      if (c != null) {") == FINE


PYTHON = "    def f(self, b: int) -> None:\n        if b:\n            g(b, {1: b})\n\n        h([b])\n\n"
RUST = "fn f(a: u8) -> u8 {\n    if a > 1 {\n        g(a, &[1, 2])\n    } else {\n        h(a)\n    }\n}\n\n"
CSHARP = """    public int F(int a) {
        if (a > 1) {
            return G(a, new int[] {1, 2});
        }
        return H(a);
    }

"""


@pytest.mark.parametrize(
    ("language", "ends", "part", "before", "after", "text", "broken"),
    [
        (
            *("python", ("class A:\n", ""), PYTHON),
            "    def f(self, b):\n        self.a = [b, g(b}\n\n    def f(self, ",
            *("\n", "b: int) -> None:", ""),
        ),
        (
            *("rust", ("", ""), RUST),
            "fn f() {\n    a.iter()\n        .map(|b| g(b)\n        .collect();\n}\n\nfn g() {\n    let b = ",
            *("\n    c(b);\n}\n\n", "d::e();", "d::e());"),
        ),
        (
            *("csharp", ("class A {\n", "}\n"), CSHARP),
            "    int F(int a) {\n        try {\n            G(a);\n        } finally {\n            b = ",
            *("\n        }\n\n        H(a\n    }\n\n", "null;", "G(null));"),
        ),
    ],
)
def test_faults_elsewhere_are_not_those_of_the_text(language, ends, part, before, after, text, broken):
    """A bracket that is missing above or below makes one fault of all that is around it."""
    around = ends[0] + part * 30 + before, after + part * 30 + ends[1]
    assert problem_of(language, *around, text) == FINE
    if broken:
        assert problem_of(language, *around, broken) == "broken-syntax"


def test_a_dialect_then_one_fault_that_swallows_the_others_says_nothing_about_the_text():
    method = "  auto m() -> A<T> {\n    if (a == m.end()) {\n      B::c();\n    }\n    return {};\n  }\n\n"
    before = f"template <class T> class A {{\n{method * 40}  auto f() {{\n    if (a == m.end"
    after = f"\n      B::c();\n    }}\n  }}\n\n{method * 40}}};\n"
    assert problem_of("c", before, after, "()) {") == FINE
    header = "  bool operator==(const A &a,\n                  const A &"
    before = f"template <class T> class A {{\n{method * 40}{header}"
    after = f"{{\n    return B::c();\n  }}\n\n{method * 40}}};\n"
    assert problem_of("c", before, after, "b) ") == FINE


@pytest.mark.parametrize(
    ("language", "around", "text", "problem"),
    [
        ("javascript", "function f(a) {\n  █\n}\n", "if (a) {\n    b(a);", "fine"),
        ("javascript", "function f(a) {\n  █\n}\n", "if (a) {\n    b(a,\n      a", "fine"),
        ("rust", "fn f(a: u8) {\n    b(a);\n}\n\n█\n", "fn g() {\n    // None yet", "fine"),
        ("python", "def f(a):\n    return a\n\n\n█\n", "x = f(\n    1,", "fine"),
        ("html", "<head>\n  █\n", "<title>a</title>\n  <style>\n    b {\n      c: d;\n    }", "fine"),
        ("shellscript", "f() {█\n\ng() {\n  a\n}\n", "\n  if a; then\n    b\n  else", "fine"),
        ("javascript", "function f(a) {\n  █\n}\n", "if (a) {\n    b(a));", "broken-syntax"),
        ("javascript", "function f(a) {\n  █ b();\n}\n", "if (a) {", "broken-syntax"),
    ],
)
def test_a_text_that_is_cut_may_leave_its_own_brackets_open(language, around, text, problem):
    before, after = around.split(CURSOR)
    assert problem_of(language, before, after, text, is_cut=True) == problem
    assert problem_of(language, before, after, text) == "broken-syntax"


def test_what_follows_a_text_that_is_cut_may_bind_a_name():
    around = ("python", "def f(a):\n    ", "\n    return a + b + c\n", "b = 1")
    assert problem_of(*around) == "unbound-name"
    assert problem_of(*around, is_cut=True) == FINE


SNIPPETS = re.split(r"^=== ", (DATA / "snippets.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: snippet.split("\n", 1)[0])
def test_what_a_programmer_wrote_is_fine(snippet: str):
    """Cut out a word, the rest of a line, a line, or three lines, and put them back."""
    language, program = snippet.split("\n", 1)
    for pattern in (r"\w+", r"(?<=[ (.=])[^\n]+", r"\S[^\n]*", r"\S[^\n]*\n[^\n]*\n[^\n]*"):
        for match in re.finditer(pattern, program):
            before, after = program[: match.start()], program[match.end() :]
            assert problem_of(language, before, after, match.group()) == FINE, match.group()


WORDS = (
    *("def f(x):", "return x", "if x:", "x = 1", "foo;", "for", "end", "case 1:", "<b>", "</b>", "import *"),
    *("\n", "    ", "\t", "{", "}", "(", ")", '"', "'", "`", "#", "/*", ":", ",", "\0", "é", "\U0001f600"),
)
PIECES = st.lists(st.sampled_from(WORDS), max_size=12).map("".join)


@settings(max_examples=150, deadline=None)
@given(language=st.sampled_from(sorted(LANGUAGES)), before=PIECES, after=PIECES, text=PIECES)
def test_any_text_is_checked_without_an_error_and_twice_alike(language, before, after, text):
    assert problem_of(language, before, after, text) == problem_of(language, before, after, text)
