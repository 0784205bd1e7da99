"""What teams of several sizes need: the page is what the program computes, and the arithmetic is right."""

import pytest

from benchmarks.team import sizes
from benchmarks.typing.sources import module_sources
from benchmarks.typing.trace import make_trace
from tools.generate.pages import REPOSITORY


def test_the_page_is_current():
    assert (REPOSITORY / "docs/team-sizes.md").read_text(encoding="utf-8") == sizes.page()


def test_a_hundred_developers_by_hand():
    # 10 type: 33 keys and 7.92 requests each second; 33 keys take 5.808 CPU seconds.
    found = sizes.need(100)
    assert found.typing == pytest.approx(10)
    assert found.requests == pytest.approx(7.92)
    assert found.tokens == pytest.approx(126.72)
    assert found.cores == pytest.approx(5.808)
    assert found.machines == 1
    # 30 with 768 tokens of 24.4 KB each.
    assert found.kept_gb == pytest.approx(0.562176)


def test_ten_thousand_times_as_many_need_ten_thousand_times_as_much():
    small, large = sizes.need(100), sizes.need(1_000_000)
    assert large.cores == pytest.approx(10_000 * small.cores)
    assert large.kept_gb == pytest.approx(10_000 * small.kept_gb)
    assert large.machines == 3_630


def test_measured_inputs_are_what_was_measured():
    text = (REPOSITORY / "docs" / sizes.PAGE_OF).read_text(encoding="utf-8")
    for fact in (
        "| keys, a request at each | 343 |",
        "24 of these 83 came in time",
        "| CPU seconds for 100 keys | 17.6 |",
        "| cold prefill, 512 tokens, ms | 2170 (2142-2230) | 1175",
    ):
        assert fact in text
    traces = [make_trace(module_sources()[2 * number : 2 * number + 2], number + 1) for number in range(3)]
    keys = sum(event.do == "key" for trace in traces for event in trace.events)
    assert pytest.approx(keys / sum(trace.seconds for trace in traces), abs=0.05) == sizes.KEYS.value
    assert pytest.approx(83 / 343, abs=0.005) == sizes.RUNS.value
    assert pytest.approx(512 / 1.175, abs=0.5) == sizes.PREFILL.value
