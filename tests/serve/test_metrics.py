"""`/metrics`: the text format of Prometheus, and figures that are right."""

import re
from threading import Thread

import pytest

from aide_lsp.engines.engine import EngineLoad
from aide_lsp.inference.observer import Timings
from aide_lsp.serve.metrics import Metrics
from tests.serve.serving import ask, generation, running

SAMPLE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)+)\})? (\+Inf|-?[0-9.e+-]+)')
LOAD = EngineLoad(running=1, waiting=2, sessions=3, cached_bytes=4_000_000)


def read(text):
    """Return the samples and the types of a text, as strictly as Prometheus reads it."""
    samples, types = {}, {}
    assert text.endswith("\n")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            assert len(line.split(" ", 3)) == 4
            continue
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name not in types, "a name has one block"
            types[name] = kind
            continue
        name, labels, value = SAMPLE.fullmatch(line).groups()
        assert re.sub("_(bucket|sum|count)$", "", name) in types or name in types
        key = (name, labels or "")
        assert key not in samples
        samples[key] = float(value)
    return samples, types


def test_figures_then_counted_by_kind_and_end():
    metrics = Metrics()
    timings = Timings(
        prompt_tokens=100,
        cached_tokens=90,
        generated_tokens=11,
        forwards=8,
        first_token_ms=50.0,
        total_ms=250.0,
    )
    metrics.ended("generate", "stop", timings, first=0.07)
    metrics.ended("generate", "stop", timings, first=0.3)
    metrics.ended("generate", "cancelled")
    metrics.ended("prefill", "ok")
    metrics.refused("token")
    samples, types = read(metrics.text(LOAD, 5))
    assert samples["aide_requests_total", 'end="stop",kind="generate"'] == 2
    assert samples["aide_requests_total", 'end="ok",kind="prefill"'] == 1
    assert samples["aide_refused_total", 'reason="token"'] == 1
    assert samples["aide_cancelled_total", ""] == 1
    assert samples["aide_prompt_tokens_total", 'source="cached"'] == 180
    assert samples["aide_prompt_tokens_total", 'source="run"'] == 20
    assert samples["aide_generated_tokens_total", ""] == 22
    assert samples["aide_first_token_seconds_bucket", 'le="0.05"'] == 0
    assert samples["aide_first_token_seconds_bucket", 'le="0.1"'] == 1
    assert (
        samples["aide_first_token_seconds_bucket", 'le="+Inf"']
        == samples["aide_first_token_seconds_count", ""]
    )
    assert samples["aide_first_token_seconds_sum", ""] == pytest.approx(0.37)
    assert samples["aide_token_seconds_sum", ""] == pytest.approx(0.04)
    assert (samples["aide_running", ""], samples["aide_waiting", ""], samples["aide_sessions", ""]) == (
        1,
        2,
        3,
    )
    assert (samples["aide_connections", ""], samples["aide_kv_bytes", ""]) == (5, 4_000_000)
    assert types["aide_first_token_seconds"] == "histogram"
    assert {types[name] for name in types if name.endswith("_total")} == {"counter"}


def test_buckets_then_each_counts_those_before_it():
    metrics = Metrics()
    for first in (0.0001, 0.01, 0.0101, 5.0, 1000.0):
        metrics.ended("generate", "stop", Timings(), first=first)
    samples, _ = read(metrics.text(None, 0))
    counts = [value for (name, _), value in samples.items() if name == "aide_first_token_seconds_bucket"]
    assert counts == sorted(counts)
    # A bucket has what is at most as large as its bound.
    assert counts[:2] == [2, 3]
    assert counts[-2:] == [4, 5]


def test_label_of_any_characters_then_escaped():
    metrics = Metrics()
    metrics.refused('a"b\\c\nd')
    samples, _ = read(metrics.text(None, 0))
    assert ("aide_refused_total", 'reason="a\\"b\\\\c\\nd"') in samples


def test_many_threads_then_nothing_is_lost():
    metrics = Metrics()
    threads = [Thread(target=lambda: [metrics.refused("x") for _ in range(500)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read(metrics.text(None, 0))[0]["aide_refused_total", 'reason="x"'] == 4000


def test_server_then_its_figures_have_no_names_and_no_texts():
    with running() as server:
        ask(server, "POST", "/aide/v1/generate", generation("my_secret return "), X_Session_Id="my-session")
        ask(server, "POST", "/aide/v1/generate", b"junk")
        ask(server, token=None)
        answer = ask(server, path="/metrics")
        assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
        text = answer.body.decode()
        samples, _ = read(text)
        assert samples["aide_requests_total", 'end="stop",kind="generate"'] == 1
        assert samples["aide_refused_total", 'reason="invalid"'] == 1
        assert samples["aide_refused_total", 'reason="token"'] == 1
        assert samples["aide_ready", ""] == samples["aide_connections", ""] == 1
        assert "secret" not in text
        assert "my-session" not in text
        assert "x.py" not in text
