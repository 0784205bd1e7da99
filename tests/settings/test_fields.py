"""The settings table and its layers: what is accepted, what is refused, what stays in effect."""

import math
from pathlib import Path

import pytest

from aide_lsp.settings.fields import FIELDS, Settings, check_value, defaults
from aide_lsp.settings.limits import ModelLimits
from aide_lsp.settings.presets import PRESETS
from aide_lsp.settings.reader import SettingsReader

LIMITS = ModelLimits(vocab_size=1000, context_length=2048)


@pytest.fixture
def reader(tmp_path):
    return SettingsReader(user=tmp_path / "user" / "settings.toml")


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_are_the_documented_ones(reader):
    """The ranges and defaults that the product promises."""
    got = reader.resolve().settings.parameters
    assert (got.temperature, got.top_k, got.top_p, got.seed) == (0.7, 50, 0.95, None)
    ranges = {key: (FIELDS[key].minimum, FIELDS[key].maximum) for key in ("temperature", "top_k", "top_p")}
    assert ranges == {"temperature": (0.0, 1.0), "top_k": (1, None), "top_p": (0.0, 1.0)}
    assert FIELDS["top_k"].model_maximum == "vocab_size"
    assert FIELDS["num_context"].model_maximum == "most_context"


def test_layers_when_all_set_a_key_then_the_editor_wins(reader, tmp_path):
    write(tmp_path / "user" / "settings.toml", "temperature = 0.1\ntop_k = 11\nthreads = 1\n")
    write(tmp_path / "p" / ".aide.toml", "temperature = 0.2\ntop_k = 22\nseed = 5\n")
    got = reader.resolve(tmp_path / "p" / "a" / "x.py", {"temperature": 0.3}, tmp_path / "p")
    assert got.problems == ()
    assert got.settings.parameters.temperature == 0.3
    assert got.settings.parameters.top_k == 22
    assert got.settings.parameters.seed == 5
    assert got.settings.threads == 1
    assert got.origins["temperature"][-1].source == "editor settings"
    assert got.origins["top_k"][-1].source.endswith(".aide.toml")


def test_nearest_project_file_wins_and_none_above_the_workspace_is_read(reader, tmp_path):
    write(tmp_path / ".aide.toml", "top_k = 1\n")
    write(tmp_path / "w" / ".aide.toml", "top_k = 2\n")
    write(tmp_path / "w" / "in" / ".aide.toml", "top_k = 3\n")
    (tmp_path / "v").mkdir()

    def top_k(path, folder):
        return reader.resolve(tmp_path / path, None, tmp_path / folder).settings.parameters.top_k

    assert top_k("w/in/x.py", "w") == 3
    assert top_k("w/x.py", "w") == 2
    assert top_k("v/x.py", "v") == 50


def test_project_file_when_it_names_a_model_then_it_is_refused(reader, tmp_path):
    write(tmp_path / ".aide.toml", 'model = "evil"\ntop_k = 7\n')
    got = reader.resolve(tmp_path / "x.py", None, tmp_path)
    assert got.settings.model == Settings().model
    assert got.settings.parameters.top_k == 7
    assert ["a project file cannot set this" in p.message for p in got.problems] == [True]


@pytest.mark.parametrize(
    ("editor", "said"),
    [
        ({"temperature": 1.5}, ["temperature", "0.0 to 1.0", "1.5", "editor settings", "0.7 stays"]),
        ({"topK": 0}, ["topK", "1 to 1000", "found 0", "50 stays"]),
        ({"topK": 1001}, ["1 to 1000", "1001"]),
        ({"numContext": 1793}, ["1 to 1792", "the model's 2048", "1793"]),
        ({"topP": math.nan}, ["topP", "NaN"]),
        ({"topP": True}, ["the boolean true"]),
        ({"seed": 1.5}, ["seed", "whole number"]),
        ({"seed": "7"}, ['the string "7"']),
        ({"provider": "tpu"}, ['"auto", "cpu", "cuda"', '"tpu"']),
        ({"temprature": 0.5}, ["unknown setting", "temperature"]),
        ({"topK": 10**5000}, ["thousands of digits"]),
        ({"seed": -(10**5000)}, ["fewer than 4,300 digits", "thousands of digits"]),
    ],
)
def test_invalid_value_when_set_then_the_message_describes_it(reader, editor, said):
    got = reader.resolve(editor=editor, limits=LIMITS)
    assert got.settings == Settings()
    assert len(got.problems) == 1
    assert [part for part in said if part not in got.problems[0].message] == []


@pytest.mark.parametrize("seed", [-1, 0, 2**63, -(10**40), 10**4000])
def test_seed_when_it_is_any_integer_then_it_is_kept(reader, seed):
    got = reader.resolve(editor={"seed": seed}, limits=LIMITS)
    assert (got.settings.parameters.seed, got.problems) == (seed, ())


def test_zero_when_it_is_negative_then_it_is_zero(reader):
    got = reader.resolve(editor={"temperature": -0.0, "topP": -0.0}).settings.parameters
    assert [math.copysign(1, value) for value in (got.temperature, got.top_p)] == [1, 1]


def test_invalid_value_when_a_valid_one_came_before_then_that_one_stays(reader, tmp_path):
    path = write(tmp_path / ".aide.toml", "temperature = 0.2\n")
    reader.resolve(tmp_path / "x.py", None, tmp_path)
    for broken in ("temperature = 20\n", "temperature = [\n", "\udcff"):
        path.write_bytes(broken.encode("utf-8", "surrogateescape"))
        got = reader.resolve(tmp_path / "x.py", None, tmp_path)
        assert got.settings.parameters.temperature == 0.2
        assert len(got.problems) == 1
        assert str(path) in got.problems[0].message


def test_broken_toml_when_read_then_line_and_column_are_named(reader, tmp_path):
    write(tmp_path / ".aide.toml", "top_k = 7\ntop_p = = 1\n")
    (problem,) = reader.resolve(tmp_path / "x.py", None, tmp_path).problems
    assert "line 2, column 9" in problem.message


def test_editor_null_and_client_sections_when_sent_then_nothing_is_set(reader):
    got = reader.resolve(editor={"aide": {"seed": None, "topK": None, "server": {"path": "x"}}})
    assert (got.settings, got.problems) == (Settings(), ())


def test_every_default_is_allowed():
    assert {key: check_value(key, value) for key, value in defaults().items()} == dict.fromkeys(FIELDS)


def test_the_presets_are_named_where_one_is_set():
    assert [name for name in PRESETS if f"`{name}`" not in FIELDS["preset"].doc] == []


def test_seed_may_have_4299_digits_and_no_more():
    assert check_value("seed", 10**4299 - 1) is None
    assert "fewer than 4,300 digits" in check_value("seed", 2 * 10**4299)
