"""The table of quality: what is taken, that it continues where it ended, and how figures are written."""

import json
import re
from time import monotonic

import pytest

from aide_lsp.errors import AideError
from benchmarks.quality import table as quality_table
from benchmarks.quality.humaneval import result_of, seeds
from benchmarks.quality.table import ROWS, UNFINISHED, Row, cell, main
from tests.benchmarks.quality.test_quality import write_problems
from tools.generate.pages import REPOSITORY


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """Call the program on two files of two problems, with answers made up; returns its status."""
    rows = (Row("single line", "one.jsonl.gz", 2), Row("several lines", "two.jsonl.gz", 2))
    monkeypatch.setattr(quality_table, "ROWS", rows)
    for row in rows:
        write_problems(tmp_path / row.file, 3)

    async def take(problems, command, settings, run, done, end):
        left = problems[len(done) :] if monotonic() < end else []
        return "small 1", [*done, *(result_of(problem, "a + b", 0.1) for problem in left)]

    monkeypatch.setattr(quality_table, "take", take)
    return lambda *more: main([str(tmp_path), "--keep", str(tmp_path / "runs"), "--runs", "2", *more])


def test_table_has_a_row_for_each_file_and_the_three_columns(measured, capsys, tmp_path):
    assert measured() == 0
    table, _, shown = capsys.readouterr().out.partition("\n\n| holes | settings")
    rows = [line for line in table.splitlines() if line.startswith("|")]
    assert rows[0] == "| holes | problems | temperature 0 | the defaults | preset `code` |"
    assert rows[2] == (
        "| single line | 2 | 100 % (34-100) | 100 % (34-100); 100, 100 | 100 % (34-100); 100, 100 |"
    )
    assert len(rows) == 4
    assert shown.count("\n| ") == 6
    assert "| several lines | preset `code` | 100 % | 100 % | 100 % | - |" in shown
    kept = json.loads((tmp_path / "runs" / "one-code-2.json").read_text(encoding="utf-8"))
    assert kept["settings"] == {"preset": "code"}
    assert len(kept["results"]) == 2


def test_when_time_is_up_then_says_so_and_continues_with_the_next_problem(measured, tmp_path):
    assert measured("--minutes", "0") == UNFINISHED
    runs = tmp_path / "runs"
    assert list(runs.iterdir()) == []
    assert measured("-n", "1") == 0
    file = runs / "one-temperature0-1.json"
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert len(kept["results"]) == 1
    kept["results"][0]["completion"] = "from before"
    file.write_text(json.dumps(kept), encoding="utf-8")
    assert measured() == 0
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert [result["completion"] for result in kept["results"]] == ["from before", "a + b"]


def test_what_is_shown_is_compared_with_runs_that_show_all(measured, capsys, tmp_path):
    everything = tmp_path / "all"
    more = ("--settings", '{"show": "all"}')
    assert measured("--keep", str(everything), *more) == 0
    file = everything / "one-temperature0-1.json"
    assert json.loads(file.read_text(encoding="utf-8"))["settings"] == {"temperature": 0, "show": "all"}
    assert measured() == 0
    path = tmp_path / "runs" / "one-temperature0-1.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    kept["results"][0] |= {"completion": "", "passed": True}
    path.write_text(json.dumps(kept), encoding="utf-8")
    capsys.readouterr()
    assert measured("--against", str(everything)) == 0
    rows = capsys.readouterr().out.splitlines()
    assert "| single line | temperature 0 | 50 % | 100 % | 50 % | 50 % |" in rows
    assert "| several lines | temperature 0 | 100 % | 100 % | 100 % | 100 % |" in rows
    with pytest.raises(AideError, match="other settings"):
        measured(*more)


def test_each_problem_of_each_run_has_a_seed_of_its_own():
    found = [table["seed"] for run in (1, 2) for table in seeds(100, run).values()]
    assert len(set(found)) == 200
    assert seeds(3, 1) == {f"problem{n}.py": {"seed": 1000 + n} for n in (1, 2, 3)}


def test_cell_writes_the_mean_its_interval_and_each_run():
    assert cell([(81, 100)]) == "81 % (72-87)"
    assert re.fullmatch(r"80 % \(71-87\); 81, 79", cell([(81, 100), (79, 100)]))


def test_readme_quotes_figures_of_the_results_which_say_what_is_at_temperature_0():
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    pages = sorted((REPOSITORY / "benchmarks" / "results").glob("2*.md"))
    results = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    ours, theirs = re.search(
        r"single-line hole .*? (\d+) % of .*? (\d+) % after llama", readme, re.DOTALL
    ).groups()
    assert f"| single line | 100 | {ours} % |" in results
    assert re.search(rf"llama\.cpp with the same file.*?single line {theirs} %", results, re.DOTALL)
    names = "|".join(row.name for row in ROWS)
    header = "| holes | problems | temperature 0 | the defaults | preset `code` |"
    assert re.search(rf"^{re.escape(header)}\n.*\n(\| (?:{names}) \| .*\n)+", results, re.MULTILINE)
    assert len(re.findall(r"^\|.*pass@1.*\|$", results, re.MULTILINE)) == len(
        re.findall(r"^\|.*temperature 0.*pass@1.*\|$", results, re.MULTILINE)
    )
