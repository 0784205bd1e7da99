"""The program that simulates how many keys are answered before the next one."""

from math import inf

import pytest

from aide_lsp.completion.completer import Completer
from aide_lsp.engines.local import LoadedModel, LocalModel
from aide_lsp.inference.cancel import Cancelled, CancelToken
from benchmarks.context import answered as program
from benchmarks.context.answered import Timed, useless_at
from benchmarks.real_code.packages import Part
from benchmarks.typing.trace import Event
from tests.benchmarks.context.test_context_keys import FILES, OTHERS, WITHOUT, Files
from tests.benchmarks.real_code.test_real_code_packages import write_archive
from tests.fakes import END, description


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Call the program on one project; return the cells of both rows."""
    members = {f"shelf-1/{path}": text.encode() for path, text in FILES.items()}
    archive = write_archive(tmp_path / "npm-shelf-1.0.tar.gz", members)
    projects = [(archive, Part("shelf", "python", "*"), FILES)]
    monkeypatch.setattr(program, "projects", lambda dev, cache: projects)

    def completer(settings, session_of):
        loaded = LoadedModel(Files(), session_of(263, 8192, END), description(fim="qwen2.5-coder"))
        return Completer(LocalModel(loaded, cache_mb=settings.cache_mb))

    def run(*more: str, row_s: float):
        monkeypatch.setattr(program, "silent_completer", completer)
        times = ["--row-ms", f"{1000 * row_s}", "--forward-ms", f"{1000 * row_s}"]
        program.main(["--cache", str(tmp_path), "--without", WITHOUT, "--with", OTHERS, *times, *more])
        rows = capsys.readouterr().out.strip().split("\n")[-2:]
        return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]

    return run


def test_an_engine_that_takes_no_time_answers_each_key_but_those_with_which_a_passage_ends(run):
    without, others = run("--answer-ms", "0", row_s=0.0)
    assert (without[0], others[0]) == (f"`{WITHOUT}`", f"`{OTHERS}`")
    assert int(without[1]) == int(others[1]) > 100
    # The cursor leaves at once, four times.
    assert without[2] == others[2] == f"{100 - 400 / int(without[1]):.1f} %"


def test_an_engine_that_takes_a_minute_answers_the_last_key_only(run):
    for keys in (run("--answer-ms", "60000", row_s=0.0), run("--seconds", "20", row_s=60.0)):
        assert [row[2] for row in keys] == [f"{100 / int(row[1]):.1f} %" for row in keys]


def test_a_slower_engine_answers_fewer_keys(run):
    quick, slow = (run(row_s=row_s)[1] for row_s in (0.0002, 0.002))
    assert float(quick[2].rstrip(" %")) > float(slow[2].rstrip(" %")) > 0


def test_a_forward_takes_its_time_or_ends_when_something_else_happens():
    session = Timed(10, 100, 1, forward_ms=20, row_ms=2)
    session.forward([1, 2, 3], 0, [2], CancelToken())
    assert session.now == pytest.approx(0.026)
    session.until = session.now + 0.002
    with pytest.raises(Cancelled):
        session.forward([1, 2, 3], 0, [2], CancelToken())
    assert session.now == session.until < inf


def test_what_is_generated_is_useful_until_something_else_than_the_next_character_is_typed():
    events = [
        Event(0.0, "jump", 0, 5),
        Event(1.0, "key", 0, 5, 5, "a"),
        Event(2.0, "key", 0, 6, 6, "bc"),
        Event(3.0, "key", 0, 7, 8, ""),
        Event(4.0, "key", 0, 7, 7, "d"),
        Event(5.0, "key", 1, 8, 8, "e"),
    ]
    assert [useless_at(events, at) for at in range(6)] == [3, 3, 3, 5, 5, 6]
