"""The page that adds up parts of `aide bench reproducibility`."""

import json

import pytest

from benchmarks.reproducibility import main, page


def part(first, model="exact-1d-f3", differ=0, **plan):
    return {
        "model": model,
        "plan": {"histories": 10, "requests": 100, "first": first, "max_tokens": 24, "num_context": 512}
        | plan,
        "compared": [
            {"title": "nothing was prefilled yet", "answers": 100, "differ": differ},
            {"title": "1 thread", "answers": 3, "differ": 0},
        ],
        "languages": ["c", "go"],
        "prompt_tokens": 1000,
        "cached_tokens": 650,
        "reused": 2,
        "with_files": 40,
        "with_names": 3,
    }


def test_parts_then_their_sums_for_each_recipe():
    text = page([part(10, differ=1), part(0), part(0, "fast-1d-f3")], "today", "1.0", "a machine")
    assert "| nothing was prefilled yet | 200 | 1 | 100 | 0 |" in text
    assert "| 1 thread | 6 | 0 | 3 | 0 |" in text
    assert "`exact`: 200 requests in 20 histories (0-9, 10-19;" in text
    assert (
        "Other files were read for 80 of them, of which 6 had to go on with a name of a module; 65%" in text
    )


def test_the_same_histories_twice_then_refused():
    with pytest.raises(ValueError, match="history 5 is in two of the parts"):
        page([part(0), part(5)], "today", "1.0", "a machine")


def test_parts_with_other_limits_then_refused():
    with pytest.raises(ValueError, match="max_tokens is 24 and 12"):
        page([part(0), part(10, max_tokens=12)], "today", "1.0", "a machine")


def test_program_writes_the_page(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(part(0)), encoding="utf-8")
    main([str(tmp_path / "a.json"), "--out", str(tmp_path / "page.md")])
    assert "0-9" in (tmp_path / "page.md").read_text(encoding="utf-8")
