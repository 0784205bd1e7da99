"""The page of results: made from its data, with all that a reader needs to judge it."""

import json

from benchmarks.people import page as pages
from tools.generate.pages import REPOSITORY

RESULTS = REPOSITORY / "benchmarks" / "results"


def test_the_page_is_what_is_made_from_its_data():
    runs = json.loads((RESULTS / "people.json").read_text(encoding="utf-8"))
    assert (RESULTS / "people.md").read_text(encoding="utf-8") == pages.page(runs)


def test_runs_become_a_page_and_its_data(tmp_path):
    about = {"date": "1 May 2026", "settings": {"top_k": 3}, "machine": ["2 cores, X"], "others": 0.04}
    row = {
        "system": "one engine for all", "people": 8, "keys": 90, "dropped": 3, "answered": 0.5, "least": 0.25,
        "offered": 0.4, "p50_ms": 210.4, "p95_ms": None, "answer_p50_ms": 90.0, "answer_p95_ms": 1000.0,
        "memory_mb": 2001.0, "cpu_s_per_100_keys": 20.04, "late_p95_ms": 2.0, "faults": 1,
    }  # fmt: skip
    typing = {
        **about, "program": "benchmarks.people", "rows": [row], "traces": 2, "seconds": 28.0,
        "command": "python -m benchmarks.people --json typing.json --llama-server llama-server",
        "versions": {"one engine for all": "aide-lsp 1"},
    }  # fmt: skip
    killed = {
        "first_s": 3.0,
        "joined_s": [0.5],
        "back_s": [2.5, None],
        "prompts": [1969, None],
        "messages": 0,
        "equal": 9,
        "missing": 1,
        "different": 0,
    }
    recovery = {
        **about, "program": "benchmarks.people.recovery", "rows": [killed], "settings": {},
        "command": "python -m benchmarks.people.recovery",
    }  # fmt: skip
    memory = {
        **about, "program": "benchmarks.people.memory", "command": "python -m benchmarks.people.memory",
        "rows": [
            {"engine": "shared", "editor": 2, "languages": ["python", "lua"], "ready_s": 0.44, "answered": 6,
             "server_mb": 80.4, "added_mb": 81.0, "total_mb": 950.0}
        ],
    }  # fmt: skip
    cost = {"keys": 70, "local_ms": 99.6, "shared_ms": 102.0, "added_ms": 2.44, "added_p95_ms": 5.0,
            "ratio": 1.0244, "different": 0}  # fmt: skip
    overhead = {
        **about, "program": "benchmarks.people.overhead", "rows": [cost], "dropped": 2,
        "command": "python -m benchmarks.people.overhead",
    }  # fmt: skip
    runs = []
    for run in (typing, memory, overhead, recovery):
        file = tmp_path / f"{len(runs)}.json"
        file.write_text(json.dumps(run))
        runs.append(str(file))
    data, out = tmp_path / "people.json", tmp_path / "people.md"
    pages.main([*runs, "--data", str(data), "--out", str(out)])
    text = out.read_text()
    for part in (
        "| 8 | one engine for all | 50% of 90 | 25% | 210 ms | after it | 90 ms, 1000 ms | 2,001 MB | 20.0 |",
        "| `shared` | 2nd | python, lua | 0.4 s | 80 MB | 81 MB | 950 MB |",
        "| 70 | 100 ms | 102 ms | 2.4 ms | 5.0 ms | 1.024 | 0 |",
        "| 2 | 3.0 s | 0.5 s | 2.5 s, never | 1,969, - | 0 | 9 | 1 | 0 |",
        "`python -m benchmarks.people --json typing.json --llama-server llama-server`",
        "one engine for all: aide-lsp 1",
        '`{"top_k": 3}`',
        "at most 4%",
    ):
        assert part in text
    # One run is measured again: the others are taken from the data.
    out.unlink()
    pages.main([str(data), "--data", str(data), "--out", str(out)])
    assert out.read_text() == text
