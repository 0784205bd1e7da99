"""The figures of docs/parameters.md: drawn from what was measured, and sound as SVG."""

import json
import re
from xml.etree import ElementTree

import pytest

from benchmarks.figures.parameters import CURSOR, FOLDER, SEEDS, figures, next_token

DATA = json.loads((FOLDER / "parameters.json").read_text(encoding="utf-8"))
FIGURES = figures(DATA)


@pytest.mark.parametrize("name", FIGURES)
def test_figure_is_what_was_measured_and_well_formed(name):
    text = (FOLDER / name).read_text(encoding="utf-8")
    assert text == FIGURES[name]
    root = ElementTree.fromstring(text)
    width, height = int(root.get("width")), int(root.get("height"))
    for rect in root.iter("{http://www.w3.org/2000/svg}rect"):
        x, y, w, h = (float(rect.get(side)) for side in ("x", "y", "width", "height"))
        assert 0 <= x <= x + w <= width
        assert 0 <= y <= y + h <= height


def test_page_shows_each_figure_with_a_text_for_those_who_cannot_see_it():
    page = (FOLDER.parent / "parameters.md").read_text(encoding="utf-8")
    shown = re.findall(r"!\[([^\]]{20,})\]\(figures/(\w+\.svg)\)", page)
    assert {name for _, name in shown} == set(FIGURES)


def test_what_was_measured_is_possible():
    assert DATA["cursor"].count(CURSOR) == 1
    for shares in DATA["next_token"]["probabilities"].values():
        assert shares == sorted(shares, reverse=True)
        assert sum(shares) <= 1.001
    assert DATA["distinct"]["0.0"] == 1
    assert max(DATA["distinct"].values()) <= SEEDS


@pytest.mark.real_model
def test_shares_of_the_first_figure_are_those_of_the_model():
    """Recorded on one machine; another one's rounding may differ in the last digits."""
    measured = next_token()
    assert measured["tokens"][:2] == DATA["next_token"]["tokens"][:2]
    for temperature, shares in measured["probabilities"].items():
        recorded = DATA["next_token"]["probabilities"][temperature]
        assert shares[:3] == pytest.approx(recorded[:3], abs=0.02)
