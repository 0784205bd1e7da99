"""Values that are written to a settings file, and those that are in effect instead."""

import pytest

from aide_lsp.application.choices import choose_model, model_choices, write_to_project
from aide_lsp.errors import ModelError
from aide_lsp.settings.files import user_file
from aide_lsp.settings.reader import SettingsReader


@pytest.fixture
def document(tmp_path):
    (tmp_path / ".git").mkdir()
    return tmp_path / "a.py"


def effective(document):
    return lambda: SettingsReader().resolve(document, language="python").settings


def test_a_value_that_takes_effect_is_not_overridden(document):
    result = write_to_project(document, None, {"top_k": 7, "seed": 3}, effective(document))
    assert result.path == document.with_name(".aide.toml")
    assert result.overridden == {}
    again = write_to_project(document, None, {"top_k": 7}, effective(document))
    assert (again.path, again.overridden) == (None, {})


def test_a_value_that_a_narrower_rule_overrides_is_named_with_the_one_in_effect(document):
    document.with_name(".aide.toml").write_text("[languages.python]\ntop_k = 9\nseed = 4\n")
    result = write_to_project(document, None, {"top_k": 7, "seed": None, "top_p": 0.5}, effective(document))
    assert result.overridden == {"top_k": 9, "seed": 4}


def test_a_model_that_there_is_goes_to_the_users_own_file(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (default, other, *_) = sorted(model_choices(None), key=lambda choice: not choice["current"])
    result = choose_model(other["id"], effective(None))
    assert (result.path, result.overridden) == (user_file(), {})
    assert f'model = "{other["id"]}"' in user_file().read_text()
    assert [one["id"] for one in model_choices(other["id"]) if one["current"]] == [other["id"]]
    assert choose_model(None, effective(None)).overridden == {}
    assert "model" not in user_file().read_text()
    assert default["id"] != other["id"]


def test_a_model_that_there_is_not_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(ModelError):
        choose_model("nope", effective(None))
    assert not user_file().exists()
