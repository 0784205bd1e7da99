"""The program that compares completions with and without other files; the completer is a stand-in."""

import pytest
from attrs import frozen

from benchmarks.context import __main__ as program
from benchmarks.context.figures import Pair, Score, report, score
from benchmarks.context.items import Item
from benchmarks.context.run import Answer, read_answers
from benchmarks.quality.table import UNFINISHED
from benchmarks.real_code.holes import Hole
from tests.benchmarks.real_code.test_real_code_packages import write_archive
from tests.fakes import ScriptedModel

LOOK = b"class FileLook:\n    def read_all(self):\n        return FileLook(1)\n"
WITHOUT, OTHERS = '{"context_share": 0.0}', '{"context_share": 0.25}'
TEXT = "from look import FileLook\n\n\ndef read_all(self):\n    return FileLook(1)\n"
DOTTED = "import look\n\nfound = look.FileLook(1)\n"


@frozen
class Said:
    text: str
    prompt_tokens: int = 7


class Knowing:
    """Completes what an excerpt has; without one it is at a loss."""

    info = ScriptedModel({}, reads_files=True).info
    asked = 0

    def complete(self, request, cancel):
        self.asked += 1
        known = request.names or any("FileLook(1)" in excerpt.text for excerpt in request.excerpts)
        return Said("FileLook(1)" if known else "None")


KNOWING = Knowing()


@pytest.fixture(params=[TEXT])
def call(request, tmp_path, monkeypatch):
    """Call the program on one item in a project of two files."""
    text = request.param
    cache = tmp_path / "cache"
    cache.mkdir()
    members = {"shelf-1/src/look.py": LOOK, "shelf-1/src/a.py": text.encode()}
    archive = write_archive(cache / "npm-shelf-1.0.tar.gz", members)
    start = text.index("FileLook(1)")
    hole = Hole(f"shelf:src/a.py:{start}:new", "python", "new", text[:start], "\n", "FileLook(1)")
    item = Item(hole, archive, "FileLook")
    monkeypatch.setattr(program, "all_items", lambda dev, cache, hundreds: [item] * (dev * hundreds))
    monkeypatch.setattr(program, "load_completer", lambda settings, progress: KNOWING)
    monkeypatch.setattr(KNOWING, "asked", 0)
    out = tmp_path / "out.jsonl"
    return lambda *more: (program.main(["--out", str(out), "--cache", str(cache), *more]), read_answers(out))


def test_item_is_completed_with_and_without_other_files_once(call, capsys):
    assert call("--minutes", "0") == (UNFINISHED, [])
    status, answers = call()
    assert status == 0
    assert [(one.setting, one.completion) for one in answers] == [
        (WITHOUT, "None"),
        (OTHERS, "FileLook(1)"),
    ]
    assert "| all | 1 | 0.0 % [0-79] | 100.0 % [21-100] | 1 / 0 | 1 |" in capsys.readouterr().out
    assert call() == (0, answers)


def test_more_than_a_hundred_of_a_half_can_be_completed(call):
    # The stand-in has one item in each hundred.
    assert len(call("--half", "dev", "--count", "101")[1]) == 2 * 2


def test_where_the_same_is_read_and_known_an_item_is_left_out_if_only_changed_ones_are_wanted(call):
    assert call("--changed", "--second", '{"top_k": 5}') == (0, [])
    assert len(call("--changed")[1]) == 2


@pytest.mark.parametrize(("share", "asked"), [("0", 1), ("0.25", 2)])
def test_what_asks_the_same_is_completed_once(call, share, asked):
    answers = call(
        "--first", '{"context_share": 0}', "--second", f'{{"temperature": 0, "context_share": {share}}}'
    )[1]
    assert (len(answers), KNOWING.asked) == (2, asked)


@pytest.mark.parametrize("call", [DOTTED], indirect=True)
def test_names_are_left_out_on_request(call):
    names = ("--first", '{"names": false}', "--second", '{"context_share": 0}')
    assert [one.completion for one in call("--changed", *names)[1]] == ["None", "FileLook(1)"]


def test_answer_that_was_cut_off_is_given_again(call, tmp_path):
    call()
    out = tmp_path / "out.jsonl"
    out.write_text(out.read_text()[:-5])
    assert [one.setting for one in read_answers(out)] == [WITHOUT]
    assert [one.setting for one in call()[1]] == [WITHOUT, OTHERS]


def test_first_line_is_judged():
    answer = Answer("a", "python", "new", "FileLook", "FileLook(1)", "with", " FileLook(2) \nmore", 1, 1, 1.0)
    found = score(answer)
    assert (found.exact, found.name, found.empty) == (False, True, False)
    assert found.similarity == pytest.approx(10 / 11)


def test_harm_is_what_is_right_only_without_other_files():
    right, wrong = Score(True, 1.0, True, False), Score(False, 0.5, False, True)
    pairs = [Pair("go", "new", *scores) for scores in ((right, wrong), (wrong, right), (right, right))]
    table = report(pairs, ("without", "with"))
    assert "Right without, not with: 1 of 2 (33.3 % of all)." in table
    assert "| go | 3 | 66.7 % [21-94] | 66.7 % [21-94] | 1 / 1 | 1 |" in table
