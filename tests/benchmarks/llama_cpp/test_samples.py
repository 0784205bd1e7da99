"""Which samples count, medians, ratios, and the tables made of them."""

import pytest

from benchmarks.llama_cpp.report import LOAD, MEASURES, Plan, memory_rows, method, report, timing, timing_row
from benchmarks.llama_cpp.samples import Cell, Sample, enough, gate, ratio, render
from benchmarks.load_meter import Reading, machine_seconds, usage

PLAN = Plan(MEASURES, wanted=3, rounds=5, threads=2, max_others=0.1)


def cell(*seconds: float, dropped: int = 0) -> Cell:
    return Cell(seconds, dropped)


def test_machine_seconds_counts_use_and_stolen_time_but_neither_idling_nor_guests():
    stat = "cpu  100 20 30 9999 8888 4 5 6 70 80\ncpu0 1 2 3\n"
    ticks = 100 + 20 + 30 + 4 + 5 + 6
    assert machine_seconds(stat) == pytest.approx(ticks / 100)


def test_others_is_what_the_machine_did_beyond_this_process():
    """Two cores for 2 s are 4 s; 3.1 s were busy, 2.7 of them ours: 0.4 of 4."""
    used = usage(Reading(10.0, 1.0, 50.0), Reading(12.0, 3.7, 53.1), cores=2)
    assert used.wall_s == pytest.approx(2.0)
    assert used.own_cpu_s == pytest.approx(2.7)
    assert used.others == pytest.approx(0.1)


def test_others_is_never_negative_when_ticks_lag_behind():
    assert usage(Reading(0, 0, 0), Reading(1, 0.9, 0.85), cores=2).others == 0.0


def test_gate_drops_samples_at_and_above_the_limit():
    found = gate([Sample(1.0, 0.05), Sample(9.0, 0.10), Sample(8.0, 0.5), Sample(3.0, 0.0)], 0.10)
    assert found == Cell((1.0, 3.0), dropped=2)
    assert found.median == 2.0


def test_cell_without_clean_samples_has_no_median():
    found = gate([Sample(1.0, 0.9)])
    assert (found.median, found.quartiles, found.dropped) == (None, None, 1)


def test_quartiles_of_five():
    assert cell(1, 2, 3, 4, 5).quartiles == (2, 4)


def test_ratio_is_the_first_by_the_second():
    assert ratio(cell(2, 4, 6), cell(1, 2, 9)) == 2.0


def test_ratio_is_refused_where_either_side_has_too_few():
    assert ratio(cell(2, 4), cell(1, 1, 1)) is None
    assert ratio(cell(2, 4, 6), cell(1, 1)) is None
    assert ratio(cell(), cell(), min_clean=0) is None


def test_enough_looks_at_every_cell():
    assert enough([cell(1, 1), cell(2, 2, 2)], 2)
    assert not enough([cell(1), cell(2, 2, 2)], 2)


def test_timing_is_in_milliseconds_but_loading_in_seconds():
    assert timing("decode", cell(0.020, 0.021, 0.030)) == "21.0 (20.5-25.5)"
    assert timing("cold prefill", cell(1.5, 1.5, 1.6)) == "1500 (1500-1550)"
    assert timing(LOAD.title, cell(0.5, 0.5, 0.7)) == "0.50 (0.50-0.60)"
    assert timing("decode", cell()) == "no clean sample"


def test_timing_row_says_too_few_in_place_of_a_ratio():
    slow, fast, few = cell(0.2, 0.2, 0.2), cell(0.1, 0.1, 0.1), cell(0.1)
    row = timing_row("decode", [slow, fast, few])
    assert row[0] == "decode, ms"
    assert (row[3], row[5]) == ("2.00x", "too few")


def test_memory_ratio_is_theirs_by_ours():
    theirs = {"rss": 8_000_000, "private": 4_000_000, "peak": 9_000_000}
    ours = {"rss": 4_000_000, "private": 8_000_000, "peak": 9_000_000}
    facts = [theirs, ours]
    assert [row[1:] for row in memory_rows(facts)] == [
        ["8", "4", "2.00x"],
        ["4", "8", "0.50x"],
        ["9", "9", "1.00x"],
    ]


def test_render_as_markdown_and_in_columns():
    rows = [["decode, ms", "21.0", "2.00x"]]
    assert render(["", "llama.cpp", "ratio"], rows, markdown=True).splitlines() == [
        "|  | llama.cpp | ratio |",
        "| --- | ---: | ---: |",
        "| decode, ms | 21.0 | 2.00x |",
    ]
    assert render(["", "llama.cpp", "ratio"], rows, markdown=False).splitlines() == [
        "            llama.cpp  ratio",
        "decode, ms       21.0  2.00x",
    ]


def test_report_says_how_many_samples_were_dropped_and_on_what_it_ran():
    cells = {("a", "llama.cpp"): cell(1, 1, 1, dropped=2), ("a", "Aide exact"): cell(1, 1, 1, 1)}
    assert method(list(cells.values()), PLAN)[:2] == [
        "2 threads each; median (first-third quartile) of 3 to 4 clean samples",
        "2 of 9 samples dropped: others used 10% of the machine or more",
    ]
    facts = [{"llama-cpp-python": "0.3"}, {"aide": "1.0", "onnxruntime": "1.31"}]
    text = report(["llama.cpp", "Aide exact"], [["x", "1", "2", "3x"]], facts, cells, PLAN, markdown=False)
    assert "llama-cpp-python 0.3; aide 1.0; onnxruntime 1.31" in text
    assert " cores, " in text
