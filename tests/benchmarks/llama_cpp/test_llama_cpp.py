"""The comparison with llama.cpp, with a worker that computes nothing."""

import subprocess
import sys
import textwrap
from contextlib import ExitStack

import pytest

from aide_lsp.bench.speed import SpeedBench
from benchmarks.llama_cpp import engines
from benchmarks.llama_cpp.compare import parse, take_loads, take_rounds
from benchmarks.llama_cpp.engines import EngineError, EngineSpec, Worker, aide_spec
from benchmarks.llama_cpp.report import LOAD, Measure, Plan
from benchmarks.llama_cpp.worker import memory
from benchmarks.load_meter import process_seconds, read_clocks
from tests.fakes import FakeSession, saying

WORKER = """
    import sys
    from benchmarks.llama_cpp.worker import serve

    class Idle:
        def versions(self):
            print("chatter of a library")
            return {"idle": "1"}

        def load(self, model, ids, threads):
            self.ids = ids
            return lambda: None

        def prefill(self, tokens):
            return lambda: self.ids[tokens]

        def decode(self, past, count):
            return lambda: None

    serve(Idle())
"""


@pytest.fixture
def spec(tmp_path, monkeypatch):
    (tmp_path / "idle_worker.py").write_text(textwrap.dedent(WORKER), encoding="utf-8")
    monkeypatch.setattr(engines, "ROOT", f"{engines.ROOT}:{tmp_path}")
    return EngineSpec("idle", "idle_worker", sys.executable, tmp_path)


def test_worker_answers_despite_what_libraries_print(spec):
    with Worker(spec) as worker:
        assert worker.ask("versions") == {"idle": "1"}
        worker.ask("load", model="", ids=[1, 2], threads=1)
        answer = worker.ask("decode", past=1, count=4)
        assert answer["operations"] == 4
        assert answer["seconds"] == pytest.approx(answer["wall_s"] / 4)
        assert worker.ask("memory")["rss"] > 1_000_000


def test_worker_lives_on_after_an_error(spec):
    with Worker(spec) as worker:
        worker.ask("load", model="", ids=[1], threads=1)
        with pytest.raises(EngineError, match="idle cannot prefill: IndexError"):
            worker.ask("prefill", tokens=5)
        assert worker.ask("versions") == {"idle": "1"}


def test_worker_that_cannot_start_says_why(spec):
    broken = EngineSpec("broken", "no_such_module", sys.executable, spec.model)
    with Worker(broken) as worker, pytest.raises(EngineError, match="No module named no_such_module"):
        worker.ask("versions")


def test_rounds_stop_when_there_are_enough_clean_samples(spec):
    measure = Measure("work", "decode", {"past": 1, "count": 1})
    plan = Plan((measure,), wanted=2, rounds=9, threads=1, max_others=float("inf"))
    with ExitStack() as stack:
        samples, workers = take_loads([spec], [1, 2], plan, stack)
        take_rounds(workers, samples, plan)
    assert len(samples[LOAD.title, "idle"]) == 5
    assert len(samples["work", "idle"]) == 2


def test_rounds_end_even_if_no_sample_is_clean(spec):
    measure = Measure("work", "decode", {"past": 1, "count": 1})
    plan = Plan((measure,), wanted=2, rounds=3, threads=1, max_others=0.0)
    with ExitStack() as stack:
        samples, workers = take_loads([spec], [1, 2], plan, stack)
        take_rounds(workers, samples, plan)
    assert len(samples["work", "idle"]) == 3


def test_processor_time_needs_no_idle_machine(spec):
    measure = Measure("work", "decode", {"past": 1, "count": 1})
    plan = Plan((measure,), wanted=2, rounds=9, threads=1, max_others=0.1, cpu=True)
    with ExitStack() as stack:
        samples, workers = take_loads([spec], [1, 2], plan, stack)
        take_rounds(workers, samples, plan)
    assert [sample.others for sample in samples["work", "idle"]] == [0.0, 0.0]


def test_time_of_a_process_that_works_for_another_counts():
    with subprocess.Popen(
        [sys.executable, "-c", "sum(range(3_000_000)); input()"], stdin=subprocess.PIPE
    ) as p:
        while not (seconds := process_seconds(p.pid)):
            pass
        assert read_clocks(p.pid).own - read_clocks().own > seconds / 2
        p.communicate(b"\n")


def test_memory_is_read_from_the_status_file():
    status = "Name:\tpython\nVmHWM:\t    300 kB\nVmRSS:\t    200 kB\nRssAnon:\t 100 kB\n"
    assert memory(status) == {"rss": 204800, "private": 102400, "peak": 307200}


def test_engine_is_named_by_its_recipe(tmp_path):
    (tmp_path / "manifest.json").write_text('{"recipe": "fast"}', encoding="utf-8")
    assert aide_spec(tmp_path).name == "Aide fast"


def test_options():
    options = parse(["--folder", "a", "--folder", "b", "--long"])
    assert [str(folder) for folder in options.folder] == ["a", "b"]
    assert (options.threads, options.max_others, options.long) == (2, 0.10, True)


@pytest.mark.parametrize("share", ["0", "0.3", "2"])
def test_options_refuse_a_gate_that_lets_everything_through(share, capsys):
    with pytest.raises(SystemExit):
        parse(["--max-others", share])
    assert "flatter" in capsys.readouterr().err


IDS = [7, 7, 8, 9] * 200


def test_speed_bench_prefill_starts_from_an_empty_cache_each_time():
    session = FakeSession(saying("x", after=0))
    bench = SpeedBench(session, IDS)
    for _ in range(2):
        before = session.rows_run
        bench.prefill(500)()
        assert session.rows_run - before == 500


def test_speed_bench_decode_times_nothing_but_the_further_tokens():
    session = FakeSession(saying("abcdefgh", after=100))
    work = SpeedBench(session, IDS).decode(past=100, count=4)
    before = len(session.forwards)
    work()
    assert len(session.forwards) - before == 4


def test_speed_bench_extend_never_finds_the_added_tokens_cached():
    session = FakeSession(saying("x", after=0))
    work = SpeedBench(session, IDS).extend(past=100, tokens=8, repeat=5)
    before = session.rows_run
    work()
    assert session.rows_run - before == 5 * 8
