"""What is invalid in the text of a settings file, with its exact place."""

from pathlib import Path

import pytest

from aide_lsp.settings.editing.diagnostics import diagnose
from aide_lsp.settings.editing.layout import entries
from aide_lsp.settings.values import ValueChecker

PROJECT = Path("/work/.aide.toml")


def found(text: str, path: Path = PROJECT, kind="project", values=None) -> list[tuple[str, str]]:
    """What is underlined, with the message."""
    diagnostics = diagnose(text, path, kind, [], None, values or ValueChecker())
    return [(text[slice(*one.span)], one.message) for one in diagnostics]


@pytest.mark.parametrize(
    ("text", "underlined", "said"),
    [
        ("top_kk = 5\n", "top_kk", 'unknown setting; the closest name is "top_k"'),
        ("top_k = 0\n", "0", "50 stays in effect"),
        ("# a\ntemperature = 3.5 # b\n", "3.5", "from 0.0 to 1.0"),
        ('model = "x"\n', "model", "a project file cannot set this"),
        ('preset = "cod"\n', '"cod"', 'the closest name is "code"'),
        (
            "[languages.pyton]\ntop_k = 1\n",
            "pyton",
            'unknown language; the closest name is "python"',
        ),
        ("[languages.python]\ntopk = 1\n", "topk", "languages.python.topk: unknown"),
        ("[languages.python]\ntop_k = 0\n", "0", "languages.python.top_k: expected"),
        ("['tests/**']\ntop_p = 'x'\n", "'x'", '"tests/**".top_p: expected'),
        ('[globs."tests/**"]\ntop_p = 2\n', "2", '"tests/**".top_p: expected'),
        ("['/etc/**']\ntop_k = 1\n", "'/etc/**'", "relative to its folder"),
        ("languages.python.top_k = 0\n", "0", "languages.python.top_k: expected"),
        ("languages = {python = {top_k = 0}}\n", "{python = {top_k = 0}}", "languages.python.top_k"),
        ('off = [\n  "a",\n  "b\\\\c", # "\n]\n', '[\n  "a",\n  "b\\\\c", # "\n]', "off: "),
        ("[languages.go]\noff = ['a/../b']\n", "['a/../b']", "languages.go.off: "),
        ("[presets.mine]\ntop_k = 1\n", "presets", "presets cannot be set in a project file"),
    ],
)
def test_problem_underlines_what_is_invalid(text, underlined, said):
    ((where, message),) = found(text)
    assert where == underlined
    assert said in message
    assert str(PROJECT) not in message


@pytest.mark.parametrize(
    ("text", "underlined"),
    [("top_k =\n", "="), ("top_k = 5\n[languages\n", "s"), ("a = 1\na = 2\n", "a = 2"), ('x = "abc\n', '"')],
)
def test_text_that_is_not_toml_has_one_problem_where_it_breaks(text, underlined):
    ((where, message),) = found(text)
    assert message.startswith("This is not valid TOML: ")
    assert "line" not in message
    assert underlined in text
    assert where


def test_pyproject_is_checked_in_its_table_only():
    path = Path("/work/pyproject.toml")
    assert found('[tool.ruff]\ntop_k = 0\n[project]\nname = "x"\n', path) == []
    assert found("[tool.ruff\n", path) == []
    ((where, message),) = found("[tool.ruff]\ntop_k = 7\n[tool.aide]\ntop_k = 0\n", path)
    assert (where, message[:6]) == ("0", "top_k:")


def test_presets_of_the_user_are_checked():
    text = "[presets.mine]\ntop_k = 0\nmodel = 'x'\n"
    assert [where for where, _ in found(text, Path("/home/me/settings.toml"), "user")] == ["0", "model"]


def test_what_stays_in_effect_is_the_last_valid_value():
    values = ValueChecker()
    assert found("top_k = 7\n", values=values) == []
    ((_, message),) = found("top_k = 0\n", values=values)
    assert "7 stays in effect" in message


def test_valid_files_have_no_problems():
    assert found('top_k = 5\npreset = "code"\n[languages.rust]\noff = ["**"]\n["a/**"]\nshow = "all"\n') == []


def test_layout_finds_keys_after_values_of_any_kind():
    text = 'a = """\n[b]\nc = 1\n"""\nd = [\n 1, # ]\n 2]\n"e f"."g" = \'x\'\n'
    text += '[h . "i"]\nj = {k = "}"}\n[[l]]\nm = 1\n'
    assert [entry.path for entry in entries(text)] == [
        ("a",),
        ("d",),
        ("e f", "g"),
        ("h", "i"),
        ("h", "i", "j"),
        ("l",),
        ("l", "m"),
    ]
