"""Several people who type at once: what they type, what counts, and the memory of many processes."""

import asyncio
import os
import subprocess
import sys

import psutil
import pytest

from aide_lsp.errors import AideError
from benchmarks.people import __main__ as program
from benchmarks.people.overhead import Answers, figures, is_quiet, press
from benchmarks.people.processes import CpuTime, memory_bytes, with_variable
from benchmarks.people.recovery import first_after, next_key, waited_for
from benchmarks.people.systems import end
from benchmarks.people.traces import make_traces, sources, starts
from benchmarks.people.turn import Turn, row_of, take_turn
from benchmarks.typing.figures import Replayed
from benchmarks.typing.gate import Window
from benchmarks.typing.replay import Pace, RequestRecord
from tests.benchmarks.typing.test_typing_replay import ScriptedEngine, trace_of

SMAPS = """\
00400000-00452000 r-xp 00000000 08:02 173521 /weights
Rss:                1000 kB
Pss:                 300 kB
Anonymous:             0 kB
7f0000000000-7f0000452000 rw-p 00000000 00:00 0 [heap]
Rss:                 200 kB
Anonymous:           200 kB
7f1000000000-7f1000452000 rw-p 00001000 08:02 173521 /weights
Rss:                  30 kB
Anonymous:            10 kB
"""


class StandIn:
    """A system whose people are answered by scripted engines."""

    name = "stand-in"

    def __init__(self, engines):
        self.engines = engines

    def pids(self):
        return [os.getpid()]

    def cpu_seconds(self):
        return 0.0


def record(event, waited, at=100.0, text="x"):
    return RequestRecord(event, at, 0.0, 0.3, waited, text if waited is not None else "", None, None)


def test_no_two_people_type_in_the_same_file_and_the_first_always_types_the_same():
    found = sources()
    eight = make_traces(found, 8, 1)
    names = [source.name for trace in eight for source in trace.sources]
    assert len(set(names)) == len(names) == 16
    assert make_traces(found, 8, 1) == eight
    assert make_traces(found, 8, 2) != eight
    assert len(make_traces(found[:3], 3, 1)[0].sources) == 1
    assert len(set(starts(8, 1))) == 8
    assert starts(2, 1) == starts(8, 1)[:2]


def test_too_few_files_for_so_many_people():
    with pytest.raises(AideError, match="8 people need 8 files"):
        make_traces(sources()[:7], 8, 1)


async def test_all_type_at_the_same_time_each_against_an_engine_of_their_own():
    engines = [ScriptedEngine({0: 0.0, 1: 0.0}), ScriptedEngine({1: 0.0})]
    traces = [trace_of(0.05, 0.3), trace_of(0.05, 0.3)]
    turn = await take_turn(StandIn(engines), engines, traces, [0.0, 0.0], Pace(), float("inf"))
    assert [len(engine.asked) for engine in engines] == [2, 2]
    first = [engine.asked[0].asked_at for engine in engines]
    assert abs(first[0] - first[1]) < engines[0].asked[1].asked_at - engines[0].asked[0].asked_at
    assert turn.memory_mb > 1
    row = row_of("stand-in", 2, [turn])
    assert (row.keys, row.dropped, row.answered, row.least) == (4, 0, 0.75, 0.5)
    assert row.p50_ms is not None
    assert row.p95_ms is None
    assert row.answer_p95_ms is not None


def test_without_any_key_that_counts_there_is_no_row():
    assert row_of("x", 1, [Turn([Replayed(trace_of(0.1), (), 0.0, 0.0, 7)], 5.0, 0.9)]) is None


def test_what_two_processes_map_from_the_same_file_counts_once(monkeypatch):
    kb = 1024
    monkeypatch.setattr("benchmarks.people.processes.Path.read_text", lambda path: SMAPS)
    assert memory_bytes([1]) == (210 + 1020) * kb
    assert memory_bytes([1, 2]) == (2 * 210 + 1020) * kb


def test_a_process_is_found_that_has_left_the_one_that_started_it():
    starts_and_leaves = (
        "import subprocess, sys\n"
        "started = subprocess.Popen([sys.executable, '-c', 'sum(range(10**7)); print(flush=True); input()'],"
        " start_new_session=True, stdin=sys.stdin, stdout=subprocess.PIPE)\n"
        "started.stdout.readline()\n"
        "print(started.pid, flush=True)\n"
    )
    mark = f"test-{os.getpid()}"
    env = {**os.environ, "AIDE_TEST_MARK": mark}
    parent = subprocess.Popen(
        [sys.executable, "-c", starts_and_leaves], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env
    )
    with parent:
        child = int(parent.stdout.readline())
        parent.wait()
        assert with_variable("AIDE_TEST_MARK", mark) == [child]
        time = CpuTime()
        time.know([child])
        used = time.seconds()
        assert used > 0
        end([psutil.Process(child)])
        # What has ended is not forgotten.
        assert time.seconds() >= used
    assert with_variable("AIDE_TEST_MARK", mark) == []


async def test_both_editors_are_asked_at_each_key_in_turns():
    order = []

    class Editor(ScriptedEngine):
        def ask(self, file, text, cursor):
            order.append((self.text, text))
            request = super().ask(file, text, cursor)
            request.answer(self.text)
            return request

    editors = [Editor({}), Editor({})]
    editors[0].text, editors[1].text = "x", "y"
    answers = await press(editors, trace_of(0.0, 0.1, 0.2), 2)
    assert order == [("x", "a"), ("y", "a"), ("y", "ab"), ("x", "ab")]
    assert len(answers) == figures(answers)["keys"] == figures(answers)["different"] == 2
    busy = Window(answers[1].at, answers[1].ended, 0.5, 0.0, 0.0)
    assert [is_quiet(one, [busy], 0.1) for one in answers] == [True, False]


def test_the_pairs_are_compared_not_the_medians():
    answers = [Answers(0, 1, local, local + 0.004, True) for local in (0.02, 0.1, 0.4)]
    found = figures(answers)
    assert found["added_ms"] == pytest.approx(4)
    assert found["ratio"] == pytest.approx(1.04)
    assert found["different"] == 0


def test_a_person_waits_from_the_kill_or_from_a_later_key_for_a_completion_with_a_text():
    in_flight = record(2, 3.0, at=9.5)
    assert first_after([record(1, 0.2, at=9.0), in_flight], 10.0) is in_flight
    assert waited_for(in_flight, 10.0) == pytest.approx(2.5)
    nothing, later = [record(2, 1.0, at=9.5, text=""), record(3, None, at=10.5)], record(4, 0.25, at=11.0)
    assert first_after([*nothing, later], 10.0) is later
    assert waited_for(later, 10.0) == pytest.approx(0.25)
    assert first_after(nothing, 10.0) is None


async def test_the_next_key_in_an_editor_is_waited_for():
    class Editor:
        def ask(self, file, text, cursor):
            return text

    editor = Editor()
    waiting = asyncio.ensure_future(next_key(editor))
    await asyncio.sleep(0)
    assert not waiting.done()
    assert editor.ask(0, "abc", 3) == "abc"
    await waiting


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--engines", "shared,lokal"], "no lokal"),
        (["--people", "0"], "--people"),
        (["--people", "x"], "--people"),
    ],
)
def test_options_that_cannot_be_are_refused(arguments, said, capsys):
    with pytest.raises(SystemExit) as ended:
        program.parse(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("people", "traces", "turns"), [(1, 2, 2), (2, 2, 1), (8, 2, 1), (2, 5, 3)])
def test_a_turn_is_taken_until_so_many_traces_are_typed(people, traces, turns):
    assert program.rounds(people, traces) == turns
