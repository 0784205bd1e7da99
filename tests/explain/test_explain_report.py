"""The explanation in a terminal."""

import pytest

from aide_lsp.context.excerpt import LeftOut, Selection
from aide_lsp.explain.explanation import explain
from aide_lsp.explain.report import WIDTH, quoted, report
from aide_lsp.inference.cancel import CancelToken
from tests.completion.test_completer import completer_of, request_at
from tests.explain.test_explanation import SELECTION, with_files
from tests.fakes import babbling, continuing


def report_of(marked: str, script=None, **changes) -> str:
    request = request_at(marked, **{"temperature": 0.8, "seed": 5, **changes})
    return report(explain(completer_of(script or babbling()), request, CancelToken()))


@pytest.mark.parametrize("seed", [1, -(2**64)])
def test_report_fits_a_terminal_and_has_its_parts(seed):
    text = report_of("x = 1\n" * 400 + "retu|\n" + "y = 2\n" * 400, seed=seed)
    assert [line for line in text.split("\n") if len(line) > WIDTH] == []
    titles = [line.split()[0] for line in text.split("\n") if line[:1].isupper()]
    assert titles == ["Temperature", "PROMPT", "FILES", "TOKENS", "END", "TIME"]
    assert "characters (" in text
    assert "Token healing: “retu” is not in the prompt" in text


def test_report_shows_the_lines_of_other_files_and_what_was_left_out():
    request = with_files(request_at("x = |\n", temperature=0.8, seed=5))
    text = report(explain(completer_of(babbling()), request, CancelToken(), SELECTION))
    files = text[text.index("FILES") : text.index("\n\nTOKENS")]
    assert files.split("\n") == [
        "FILES    2 excerpts of 2 files, the best of 4 files searched.",
        "      27 tokens  score  4.50  src/models.py:13-14",
        "      30 tokens  score  2.25  src/prices.py:1-3",
        "     did not fit  score  1.12  src/long.py:25-74",
        "  102 tokens with names, of 200 (context_share 0.5).",
        "  Left out: src/key.py (it commonly holds secrets)",
    ]


def test_report_counts_files_that_were_left_out_where_there_are_many():
    left_out = tuple(LeftOut(f"{n}\x1b[2J.py", "it is a link") for n in range(50))
    selection = Selection(left_out=left_out)
    request = with_files(request_at("x = |"), selection)
    text = report(explain(completer_of(babbling()), request, CancelToken(), selection))
    assert "Left out: 0\\u001b[2J.py," in text
    assert "and 44 more (it is a link)" in text.replace("\n ", "")


def test_report_shows_generated_text_that_is_dropped():
    text = report_of(
        "def add(a, b):\n    return a|\n", continuing({"return a": " + b\n\nx"}), temperature=0.0
    )
    assert "END      stop rule line\n  The expression or line is complete.\n  Not kept: “\\n”" in text
    assert "Nothing was changed." in text


def test_report_of_nothing_says_why():
    text = report_of("def f():\n|    return 1\n", continuing({"def f():\n": ""}), temperature=0.0)
    assert "“<|endoftext|>”" in text
    assert "Nothing is left to show. The model had nothing to add here." in text


def test_report_cannot_steer_a_terminal():
    text = report_of("x = |", continuing({"x = ": "\x1b[2J\x9b1m\u202eabc\n"}), temperature=0.0)
    assert [c for c in text if not c.isprintable() and c != "\n"] == []
    assert "\\u001b" in text


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [("ab", 10, "“ab”"), ("a\nb", 10, "“a\\nb”"), ('"', 10, '“"”'), ("abcdefghij", 8, "“abcde…”")],
)
def test_quoted(text, width, shown):
    assert quoted(text, width) == shown
