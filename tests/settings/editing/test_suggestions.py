"""What can be written at a place of a settings file."""

import pytest

from aide_lsp.settings.editing.suggestions import Names, suggestions
from aide_lsp.settings.fields import FIELDS, PARAMETERS

NAMES = Names(
    models=("small", "large"), presets={"code": "For code.", "mine": "Mine."}, languages=("python",)
)


def labels(before: str, kind="project", root="") -> list[str]:
    return [one.label for one in suggestions(before, kind, root, NAMES)]


def test_keys_are_those_that_may_be_set_there():
    project = [key for key, field in FIELDS.items() if field.project]
    assert labels("") == project
    assert labels("", "user") == list(FIELDS)
    assert "model" not in labels("[languages.python]\n", "user")
    assert labels("[presets.mine]\nt", "user") == list(PARAMETERS)


def test_keys_that_are_there_already_are_left_out():
    assert "top_k" not in labels("top_k = 5\nto")
    assert "top_k" in labels("top_k = 5\n[languages.python]\nto")


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("preset = ", ['"code"', '"mine"']),
        ('preset = "c', ['"code"', '"mine"']),
        ("show=", ['"fitting"', '"all"']),
        ("top_k = ", ["50"]),
        ("seed = ", ['"random"']),
        ("work_ahead = t", ["true", "false"]),
        ('model = "', ['"small"', '"large"']),
        ("unknown = ", []),
        ("top_k = 5 # ", []),
    ],
)
def test_values_are_those_that_the_key_takes(before, expected):
    assert labels(before, "user") == expected


def test_what_is_written_is_replaced():
    (one,) = suggestions('# x\nseed = "ra', "project", "", NAMES)
    assert (one.replaces, one.insert) == ('"ra', '"random"')
    first = suggestions("  te", "project", "", NAMES)[0]
    assert (first.replaces, first.insert) == ("te", "temperature = ")


def test_tables_are_offered_after_a_bracket():
    assert labels("[") == ["[languages.python]", '["tests/**"]']
    assert labels("[lang", "user")[-1] == "[presets.mine]"


def test_pyproject_is_completed_in_its_table_only():
    assert labels("[tool.ruff]\n", root="tool.aide") == []
    assert "top_k" in labels("[tool.aide]\nto", root="tool.aide")
    assert "top_k" in labels("[tool.aide.languages.go]\nto", root="tool.aide")
    assert labels("[", root="tool.aide")[0] == "[tool.aide.languages.python]"


def test_each_says_what_it_is_for():
    assert all(one.text for one in suggestions("", "user", "", NAMES))
    assert suggestions("preset = ", "user", "", NAMES)[0].text == "For code."
