"""The page of effective settings: values, where they come from, links, and any text as text."""

from pathlib import Path

import pytest

from aide_lsp.application.settings_page import settings_page
from aide_lsp.settings.fields import FIELDS, GROUPS, Settings, camel, label
from aide_lsp.settings.problems import Problem
from aide_lsp.settings.resolved import DEFAULT, OffRule, Origin, Resolved
from tests.pages.test_page_base import HOSTILE, Parsed

CAME = {"context_share": "0.25, from the model", "top_k": "no effect"}
PROJECT = str(Path("/work shop/<b>.aide.toml").absolute())


def resolved(**more):
    origins = {key: (Origin(None, DEFAULT),) for key in FIELDS}
    origins["top_k"] = (
        Origin(50, DEFAULT),
        Origin(40, PROJECT, table="[languages.python]"),
        Origin(9, "editor settings"),
    )
    origins["temperature"] = (Origin(0.7, DEFAULT), Origin(0.2, PROJECT, preset="<i>"))
    return Resolved(Settings(), more.pop("problems", ()), origins, **more)


@pytest.fixture
def page():
    return Parsed(settings_page(resolved(), "/shop/a.py", {"Model": "some-model", "Device": "CPU"}, CAME))


def words(page):
    return " ".join(" ".join(page.text).split())


def test_every_setting_is_there_with_a_link_to_change_it(page):
    for key in FIELDS:
        assert label(key) in page.text
        assert any(attrs.get("data-setting") == f"aide.{camel(key)}" for _, attrs in page.elements)
    assert all(group in page.text for group in GROUPS)


def test_a_value_says_where_it_comes_from_and_what_it_overrides(page):
    text = words(page)
    assert "Context Share 0.25, from the model default Change" in text
    assert "Top K 9 (no effect) editor settings overrides 40 , <b>.aide.toml [languages.python]" in text
    assert 'preset "<i>"' in text
    links = {attrs["href"] for tag, attrs in page.elements if tag == "a" and attrs["href"] != "#"}
    assert links == {Path(PROJECT).as_uri()}
    assert any(attrs.get("title") == PROJECT for _, attrs in page.elements)
    assert "some-model" in text


def test_it_says_why_a_file_is_off_and_what_is_invalid():
    problem = Problem.of("top_k", PROJECT, HOSTILE)
    page = Parsed(
        settings_page(
            resolved(off=OffRule("*.env", DEFAULT), problems=(problem,)),
            HOSTILE,
            {"Model": HOSTILE},
            {"model": HOSTILE, "top_k": HOSTILE},
        )
    )
    text = words(page)
    assert "Aide is off for this file" in text
    assert HOSTILE in " ".join(page.text)
    assert {"img", "b", "i"} & {tag for tag, _ in page.elements} == set()
