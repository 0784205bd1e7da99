"""The program that completes holes in real files, against a small server."""

import json
import sys
import textwrap

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.quality.table import UNFINISHED
from benchmarks.real_code import __main__ as program
from benchmarks.real_code.holes import Hole, cut, sample
from benchmarks.real_code.judging import NOTHING
from benchmarks.real_code.packages import Part
from tests.benchmarks.real_code.test_real_code_holes import CSS, GO, PYTHON

# Answers with the file's language and path, after the folder that the editor opened.
SERVER = """
    from lsprotocol import types
    from pygls.lsp.server import LanguageServer

    server = LanguageServer("small", "1")

    @server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION)
    def complete(params):
        document = server.workspace.get_text_document(params.text_document.uri)
        path = document.uri.removeprefix(server.workspace.root_uri)
        return [types.InlineCompletionItem(insert_text=f"{document.language_id} {path}")]

    server.start_io()
"""


@pytest.fixture
def call(tmp_path, monkeypatch):
    """Call the program on the holes of one file, in another folder than the results."""
    server = tmp_path / "server.py"
    server.write_text(textwrap.dedent(SERVER), encoding="utf-8")
    monkeypatch.setattr(
        program, "all_holes", lambda dev, cache: sample(cut(Part("shelf", "go", "*"), "src/a.go", GO))
    )
    return lambda *more: program.main(["--command", f"{sys.executable} {server}", *more])


def test_every_hole_is_completed_in_its_language_and_path_and_judged(call, tmp_path, capsys):
    out = tmp_path / "out.json"
    assert call("--out", str(out), "--minutes", "0") == UNFINISHED
    assert json.loads(out.read_text(encoding="utf-8"))["results"] == []
    assert call("--out", str(out)) == 0
    kept = json.loads(out.read_text(encoding="utf-8"))
    assert kept["server"] == "small 1"
    found = [result["completion"] for result in kept["results"]]
    assert found == [f"go /hole{number}/src/a.go" for number in range(1, len(found) + 1)]
    assert any(result["verdict"]["more_errors"] for result in kept["results"])
    assert call("--out", str(out), "--against", str(out)) == 0
    printed = capsys.readouterr().out
    assert printed.count(f"| all | {len(found)} | 100 % |") == 4


def test_completion_that_replaces_a_bracket_is_judged_with_it_also_when_it_is_read_again(tmp_path):
    hole = Hole("shelf:a.py:0:pair", "python", "pair", "def f(a):\n    g(", ")\n    return a\n", "a")
    found = program.result_of(hole, "a)", 0.1, 1)
    assert found.verdict == evolve(NOTHING, offered=True, first_line=True, similarity=1.0)
    assert program.result_of(hole, "a)", 0.1).verdict.more_errors
    program.save(tmp_path / "out.json", "small 1", {}, [found])
    assert program.resume(tmp_path / "out.json", {}, [hole]) == [found]


def test_export_writes_the_holes_as_json_lines(call, tmp_path):
    path = tmp_path / "holes.jsonl"
    assert call("--export", str(path)) == 0
    holes = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert {hole["before"] + hole["truth"] + hole["after"] for hole in holes} == {GO}


@given(
    st.sampled_from([("go", GO), ("python", PYTHON), ("css", CSS)]), st.integers(0, 500), st.integers(0, 80)
)
def test_no_text_makes_cutting_fail_and_every_hole_fits_back(source, start, length):
    """A file without one passage: brackets and blocks that do not match."""
    language, text = source
    text = text[:start] + text[start + length :]
    for hole in cut(Part("shelf", language, "*"), "a", text):
        assert hole.before + hole.truth + hole.after == text
        assert hole.truth.strip()
