"""What is said about a completion in a hole of a real file."""

import pytest
from attrs import evolve

from benchmarks.quality.shown import Shown, good_share, kept_share, precision, shown_share
from benchmarks.real_code.holes import Hole
from benchmarks.real_code.judging import NOTHING, distance, judge
from benchmarks.real_code.results import Result, report
from benchmarks.real_code.source import code_only, open_brackets, parse

CURSOR = "█"


def hole_of(text, truth, language="python"):
    before, after = text.split(CURSOR)
    return Hole("part:a.py:0:kind", language, "kind", before, after, truth)


CALL = hole_of("def f(a):\n    g(█)\n    return a\n", "a, 1")
BODY = hole_of("def f(a):\n    █\n    log(a)\n    return a\n", "a += 1\n    a *= 2")
OPENER = hole_of("func f() {\n\t█\n\t\tg()\n\t}\n}\n", "if ready {", "go")


@pytest.mark.parametrize("hole", [CALL, BODY, OPENER])
def test_author_text_is_perfect(hole):
    verdict = judge(hole, hole.truth)
    assert verdict.good
    assert verdict == evolve(NOTHING, offered=True, first_line=True, similarity=1.0)


@pytest.mark.parametrize("nothing", ["", "  \n"])
def test_when_nothing_is_offered_then_nothing_is_judged(nothing):
    assert judge(CALL, nothing) == NOTHING
    assert not NOTHING.good


def test_first_line_alone_can_be_exact():
    verdict = judge(BODY, "a += 1\n    return")
    assert verdict.first_line
    assert verdict.similarity < 1


@pytest.mark.parametrize(
    ("hole", "text"),
    [
        (CALL, "a, 1)"),
        (CALL, "a, ("),
        (BODY, "if a:"),
        (BODY, "a +="),
        (OPENER, "g()"),
        # Only Python's own parser rejects it.
        (BODY, "f() = 1"),
    ],
)
def test_completion_that_breaks_the_file_has_more_errors(hole, text):
    assert judge(hole, text).more_errors


@pytest.mark.parametrize(
    ("hole", "text"), [(CALL, "a"), (BODY, "pass"), (OPENER, "for {"), (OPENER, "for i := range n {")]
)
def test_other_text_that_fits_has_no_more_errors(hole, text):
    verdict = judge(hole, text)
    assert (verdict.more_errors, verdict.brackets_off) == (False, False)


def test_brackets_in_strings_and_comments_do_not_count():
    assert not judge(CALL, 'a, ")"').brackets_off
    assert judge(CALL, "a, [1").brackets_off
    assert judge(OPENER, "g() // {").brackets_off


def test_line_below_or_the_rest_of_the_line_is_a_repetition_unless_the_author_has_it():
    assert judge(BODY, "a += 1\n    return a").repeats
    assert judge(BODY, "log(a)").repeats
    assert not judge(BODY, "a += 1").repeats
    assert not judge(hole_of("x = 1\n█\nx = 1\n", "x = 1"), "x = 1").repeats
    assert judge(hole_of("f(█, last)\n", "first"), "first, last").repeats
    far = "\n".join(f"line{number}()" for number in range(9))
    assert not judge(hole_of(f"█\n{far}\n", "a()"), "line8()").repeats
    assert not judge(hole_of("while a:\n    █\n    }\n", "b()"), "}").repeats


@pytest.mark.parametrize(
    ("one", "other", "expected"), [("", "", 0), ("", "ab", 2), ("kitten", "sitting", 3), ("ab", "ba", 2)]
)
def test_distance_counts_insertions_deletions_and_replacements(one, other, expected):
    assert distance(one, other) == distance(other, one) == expected


def test_code_only_keeps_offsets():
    text = 'x = "é(" + y  # {ü\nz()\n'
    code = code_only(text, parse(text, "python"))
    assert len(code) == len(text)
    assert code.startswith("x = ")
    assert "(" not in code.split("\n")[0]
    assert code.endswith("\nz()\n")


@pytest.mark.parametrize(("code", "expected"), [("a(b[c])", ""), (") {", "){"), ("(]", "(]"), ("}()[", "}[")])
def test_open_brackets_are_what_a_text_closes_and_leaves_open(code, expected):
    assert open_brackets(code) == ("](" if expected == "(]" else expected)


def test_figures_of_what_is_shown():
    requests = [
        Shown("a", True, True),
        Shown("b", True, False),
        Shown("c", False, False),
        Shown("d", True, True),
    ]
    earlier = [
        Shown("a", True, True),
        Shown("b", True, True),
        Shown("c", True, False),
        Shown("e", True, True),
    ]
    assert shown_share(requests) == 0.75
    assert good_share(requests) == 0.5
    assert precision(requests) == pytest.approx(2 / 3)
    assert kept_share(requests, earlier) == 0.5
    assert precision([]) is None
    assert kept_share(requests, []) is None


def test_report_has_a_row_for_each_language_and_kind_and_shares_of_what_is_shown():
    results = [
        Result("a", "go", "pair", "x", "x", 0.1, judge(CALL, "a, 1")),
        Result("b", "go", "block", "x", "", 0.1, NOTHING),
        Result("c", "css", "pair", "x", "y", 0.1, judge(CALL, "zzzzzz)")),
    ]
    lines = report(results, results).split("\n")
    assert [line.split(" | ")[0] for line in lines if line.startswith("| ")] == [
        "| language", "| css", "| go", "| all", "| kind of hole", "| block", "| pair", "| all",
    ]  # fmt: skip
    assert "| go | 2 | 50 % | 100 % | 100 % | 0 % | 0 % | 0 % | 100 % | 50 % | 100 % |" in lines
    assert "| block | 1 | 0 % | - | - | - | - | - | - | 0 % | - |" in lines
    assert "| css | 1 | 100 % | 0 % | 0 % | 100 % | 100 % | 100 % | 0 % | 0 % | - |" in lines
