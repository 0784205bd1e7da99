"""What docs/parameters.md promises is what `aide settings` reports, and what presets and advice do."""

import itertools
import json
import re

import numpy as np
import pytest

from aide_lsp.inference.sampler import distribution
from aide_lsp.settings.fields import FIELDS, PARAMETERS, Parameters, label
from aide_lsp.settings.presets import DESCRIPTIONS, PRESETS
from aide_lsp.settings.troubleshooting import COMPLAINTS
from tests.patience import PATIENCE
from tools.generate.pages import REPOSITORY

PAGE = (REPOSITORY / "docs/parameters.md").read_text(encoding="utf-8")


def documented(key: str) -> tuple[str, str]:
    """The range and the default in the page's table."""
    (row,) = re.findall(rf"^\| {label(key)} \| `{key}` \| (.*?) \| (.*?) \|", PAGE, re.MULTILINE)
    return row


@pytest.fixture(scope="module")
def reported(home):
    """What `aide settings --json` says for a user who set nothing."""
    import os
    import subprocess
    import sys

    env = os.environ | {"XDG_CONFIG_HOME": str(home / "config"), "AIDE_DATA_DIR": str(home / "data")}
    command = [sys.executable, "-m", "aide_lsp", "settings", "--json"]
    run = subprocess.run(
        command, capture_output=True, text=True, env=env, cwd=home, timeout=PATIENCE, check=True
    )
    return json.loads(run.stdout)["settings"]


@pytest.mark.parametrize("key", PARAMETERS)
def test_documented_range_and_default_are_those_reported(key, reported):
    span, default = documented(key)
    entry = reported[key]
    if bounds := re.search(r"from (\S+) to (.+)", span):
        low, high = bounds.groups()
        assert float(low) == entry["minimum"]
        assert high.startswith("the model's") or float(high) == entry["maximum"]
    assert default == (f"`{json.dumps(entry['default'])}`" if entry["default"] is not None else default)
    assert (entry["default"] is None) == default.startswith("none")
    assert entry["value"] == entry["default"]


def test_page_has_a_section_for_each_parameter_and_a_row_for_each_complaint():
    sections = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)
    assert [label(key) for key in PARAMETERS if label(key) not in sections] == []
    assert [name for name in COMPLAINTS if f"| `{name}` |" not in PAGE] == []


BANDS = {
    "temperature": [("low", "0.1-0.3"), ("medium", "0.4-0.7"), ("high", "0.8-1.0")],
    "top_k": [("low", "1-10"), ("medium", "20-100"), ("high", ">100")],
    "top_p": [("low", "0.1-0.5"), ("medium", "0.6-0.9"), ("high", "0.91-1.0")],
    "num_context": [("low", "1-100"), ("medium", "101-1000"), ("high", ">1000")],
}


def section(key: str) -> str:
    """The page's section on a parameter."""
    (text,) = re.findall(rf"^## {label(key)}\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL | re.IGNORECASE)
    return text


@pytest.mark.parametrize("key", BANDS)
def test_bands_are_the_documented_ones_and_say_what_applies_between_them(key):
    rows = re.findall(r"^\| (low|medium|high) \| (\S+) \|", section(key), re.MULTILINE)
    assert rows == BANDS[key]
    ends = [re.match(r">?([0-9.]+)(?:-([0-9.]+))?", values).groups() for _, values in rows]
    holes = [
        (high, low)
        for (_, high), (low, _) in itertools.pairwise(ends)
        if FIELDS[key].type is not int or float(high) + 1 < float(low)
    ]
    assert bool(holes) == ("the effect is between" in section(key).replace("\n", " "))


def test_seed_is_documented_as_fixed_and_changing_with_its_limitation():
    assert re.findall(r"^\| (fixed|changing) \|", section("seed"), re.MULTILINE) == ["fixed", "changing"]
    typing = (REPOSITORY / "benchmarks/results/2026-11-zen5-2-cores.md").read_text(encoding="utf-8")
    for share in ("74.6", "89.5"):
        assert f"{share} %" in section("seed")
        assert f"{share}%" in typing


TASKS = {
    "factual": {"temperature": "0.1-0.3", "top_p": "0.1-0.5", "top_k": "20-50"},
    "creative": {"temperature": "0.7-0.9", "top_p": "0.9-1.0", "top_k": "100 and more"},
    "conversational": {"temperature": "0.5-0.7", "top_p": "0.7-0.9", "top_k": "50-100"},
    "code": {"temperature": "0.2-0.5", "top_p": "0.5-0.7", "top_k": "30-70"},
}


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_within_what_the_page_says_for_their_task(name):
    assert [*TASKS] == re.findall(r"^\| [a-z ]+ \| `(\w+)` \|", section("where_to_start"), re.MULTILINE)
    (row,) = re.findall(rf"^\| [a-z ]+ \| `{name}` \| (.*) \|$", section("where_to_start"), re.MULTILINE)
    *spans, also = row.split(" | ")
    assert spans == list(TASKS[name].values())
    for key, span in TASKS[name].items():
        low, high = map(float, span.replace(" and more", "-inf").split("-"))
        assert low <= PRESETS[name][key] <= high
    assert ("context" in also) == (name != "creative")
    assert PRESETS["code"]["num_context"] > Parameters().num_context


def test_every_preset_has_a_description():
    assert [*DESCRIPTIONS] == [*PRESETS]


@pytest.mark.parametrize(
    ("temperature", "top_k", "top_p", "ids"),
    [
        (0, 50, 0.95, [1]),
        (0.7, 1, 0.95, [1]),
        (0.7, 50, 0.0, [1]),
        (0.7, 1, 0.0, [1]),
        (0.7, 2, 1.0, [1, 2]),
        (0.7, 3, 1.0, [1, 2, 0]),
        (0.7, 2, 0.49, [1]),
        (0.7, 2, 0.5, [1, 2]),
        (0.7, 50, 1.0, [1, 2, 0, 3, 4]),
    ],
)
def test_ties_and_edges_are_as_the_page_says(temperature, top_k, top_p, ids):
    """Of equal scores the lower id first; K tokens, never more; a set that only reaches P is not enough."""
    logits = np.array([0.0, 1.0, 1.0, 0.0, 0.0])
    kept, _ = distribution(logits, np.arange(5), Parameters(temperature, top_k, top_p, seed=0))
    assert kept.tolist() == ids
