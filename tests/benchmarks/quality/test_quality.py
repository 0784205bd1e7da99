"""Problems, verdicts and statistics of the infilling benchmark; its editor against a small server."""

import asyncio
import gzip
import json
import sys
import textwrap
from time import monotonic

import pytest
from attrs import evolve
from lsprotocol import types

from benchmarks.quality.editor import inserted, position
from benchmarks.quality.humaneval import Result, compare, main, report, result_of, sign_test, take, wilson
from benchmarks.quality.infilling import Problem, judge, read_problems, run_limited

ADD = Problem(
    id="SingleLineInfilling/HumanEval/0/L0",
    prefix="def add(a, b):\n    return ",
    suffix="\n",
    solution="a + b",
    test="\ndef check(f):\n    assert f(1, 2) == 3\ncheck(add)\n",
)
SERVER = """
    import sys
    from lsprotocol import types
    from pygls.lsp.server import LanguageServer

    server = LanguageServer("small", "1")

    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION)
    def complete(params):
        line = server.workspace.get_text_document(params.text_document.uri).lines[params.position.line]
        assert line[: params.position.character] == "    return "
        return [types.InlineCompletionItem(insert_text="a + b")]

    server.start_io()
"""


def result(name: str, passed: bool, completion: str = "x") -> Result:
    why = "passed" if passed else "NameError: y"
    return Result(name, completion, passed, exact=False, why=why, seconds=0.1)


def write_problems(path, count):
    entries = [
        {
            "task_id": f"SingleLineInfilling/HumanEval/{number}/L0",
            "entry_point": "add",
            "prompt": ADD.prefix,
            "suffix": ADD.suffix,
            "canonical_solution": ADD.solution,
            "test": "def check(f):\n    assert f(1, 2) == 3",
        }
        for number in range(count)
    ]
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(entry) + "\n" for entry in entries)
    return path


def test_a_smaller_sample_is_the_beginning_of_a_larger_one(tmp_path):
    path = write_problems(tmp_path / "problems.jsonl.gz", 20)
    whole = read_problems(path)
    assert len(whole) == 20
    assert read_problems(path, 7) == whole[:7]
    assert [p.id for p in whole] != sorted(p.id for p in whole)
    assert whole[0].test == ADD.test


def test_judge_runs_the_tests():
    assert judge(ADD, "a + b").passed
    assert judge(ADD, "a - b").why == "AssertionError"
    assert judge(ADD, "a +").why.startswith("SyntaxError")


def test_judge_ends_what_does_not_end():
    verdict = judge(ADD, "[0 for _ in iter(int, 1)]", timeout=0.5)
    assert verdict.why in ("timeout", "MemoryError")
    assert not verdict.passed


def test_run_limited_limits_memory_and_passes_on_no_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("AIDE_SECRET", "1")
    code = "import os, sys; sys.exit('AIDE_SECRET' in os.environ)"
    assert run_limited([sys.executable, "-c", code], tmp_path, 10).passed
    assert run_limited([sys.executable, "-c", "b'x' * (3 << 30)"], tmp_path, 10).why == "MemoryError"


def test_position_counts_utf16_units_of_the_last_line():
    assert position("a\nb\r\nx😀é") == types.Position(line=2, character=4)
    assert position("") == types.Position(line=0, character=0)


def test_inserted_takes_the_first_item_and_refuses_to_guess_at_replacements():
    cursor, other = types.Position(1, 4), types.Position(1, 2)
    item = types.InlineCompletionItem(insert_text="one", range=types.Range(cursor, cursor))
    assert inserted(types.InlineCompletionList([item]), cursor, "))\n") == ("one", 0)
    assert inserted([types.InlineCompletionItem("one")], cursor, "") == ("one", 0)
    assert inserted([], cursor, "") == inserted(None, cursor, "") == ("", 0)
    over = types.InlineCompletionItem(insert_text="):", range=types.Range(cursor, types.Position(1, 5)))
    assert inserted([over], cursor, "))\n") == ("):", 1)
    for span in (types.Range(other, cursor), types.Range(cursor, types.Position(2, 0))):
        with pytest.raises(ValueError, match="replaces"):
            inserted([types.InlineCompletionItem(insert_text="one", range=span)], cursor, "")


def test_completion_that_replaces_a_bracket_runs_in_its_place():
    problem = evolve(
        ADD, prefix="def add(a, b):\n    if max(", suffix=")\n        return a + b\n", solution="a, b"
    )
    assert result_of(problem, "a, b):", 0.1, 1).passed
    assert not result_of(problem, "a, b):", 0.1).passed
    assert result_of(problem, "a, b)", 0.1, 1).exact


def test_wilson_of_a_known_share():
    """Worked out by hand: 81 of 263."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert min(wilson(0, total)[0] for total in range(1, 30)) == 0.0


def test_sign_test_of_known_splits():
    assert sign_test(0, 0) == 1.0
    assert sign_test(5, 5) == 1.0
    assert sign_test(0, 6) == pytest.approx(2 / 64)


def test_report_and_comparison():
    now = [result("a", True), result("b", True), result("c", False, "")]
    text = report(now)
    assert "pass@1 66.7% (2 of 3" in text
    assert "empty 1" in text
    assert "shown 67 %, right of these 100 %" in text
    assert "failures: 1 NameError" in text
    then = [result("a", False), result("b", True), result("d", True)]
    assert compare(now, then) == (
        "compared with the earlier run on 2 problems: 1 gained, 0 lost, p = 1.000 (exact McNemar);"
        " right ones kept 100 %"
    )


def test_the_whole_way_with_a_server(tmp_path, capsys):
    server = tmp_path / "server.py"
    server.write_text(textwrap.dedent(SERVER), encoding="utf-8")
    problems = write_problems(tmp_path / "problems.jsonl.gz", 2)
    arguments = [str(problems), "--command", f"{sys.executable} {server}", "--out", str(tmp_path / "o.json")]
    assert main(arguments) == 0
    assert main([*arguments, "--against", str(tmp_path / "o.json")]) == 0
    out, done = capsys.readouterr().out, [result("before", True)]
    taken = take(read_problems(problems), arguments[2], {}, run=1, done=done, end=monotonic() + 60)
    assert [one.id for one in asyncio.run(taken)[1]] == ["before", read_problems(problems)[1].id]
    assert "pass@1 100.0% (2 of 2" in out
    assert "small 1" in out
    assert "0 gained, 0 lost" in out
