"""`aide settings` as a user runs it, and what other commands make of the same files."""

import json

import pytest

from aide_lsp.settings.fields import PARAMETERS


@pytest.fixture
def project(home, tmp_path_factory):
    """A project of that user's, with a preset, a language, a glob and files that are off."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "secrets").mkdir()
    (folder / "secrets" / "a.py").write_text("x = 1\n")
    (folder / "b.py").write_text("x = 1\n")
    (folder / ".aide.toml").write_text(
        "preset = 'factual'\ntop_k = 7\nnum_context = 900\noff = ['secrets/**']\n"
        "[languages.python]\ntop_p = 0.45\n['tests/**']\nseed = 3\n"
    )
    (home / "config" / "aide" / "settings.toml").write_text("max_num_context = 600\ntop_k = 9\n")
    yield folder
    (home / "config" / "aide" / "settings.toml").unlink()


def test_settings_of_a_file_are_reported_with_origin_and_what_they_override(aide, home, project):
    said = aide("settings", str(project / "tests" / "x.py"))
    assert (said.returncode, said.stderr) == (0, "")
    _, _, settings = said.stdout.partition("\nParameters\n")  # after the problems
    lines = {line.split()[0]: line for line in reversed(settings.splitlines()) if line}
    assert lines["top_p"].split(maxsplit=2)[1:] == ["0.45", f"{project}/.aide.toml [languages.python]"]
    assert 'preset "factual"' in lines["temperature"]
    assert '["tests/**"]' in lines["seed"]
    assert "lowered from 900" in lines["num_context"]
    assert f"overrides 9  {home}/config/aide/settings.toml" in said.stdout
    assert "exceeds your max_num_context" in said.stdout


def test_settings_as_json_hold_the_documented_ranges_and_defaults(aide):
    said = aide("settings", "x.py", "--json")
    settings = json.loads(said.stdout)["settings"]
    printed = {key: (settings[key]["default"], settings[key]["minimum"]) for key in PARAMETERS}
    assert (
        printed
        | {
            "temperature": (0.7, 0.0),
            "top_k": (50, 1),
            "top_p": (0.95, 0.0),
            "num_context": (768, 1),
            "seed": (None, None),
        }
        == printed
    )
    assert list(settings)[: len(PARAMETERS)] == list(PARAMETERS)
    assert (settings["temperature"]["maximum"], settings["top_p"]["maximum"]) == (1.0, 1.0)


def test_top_of_top_k_and_num_context_is_that_of_the_model(aide):
    assert aide("complete", "x.py:2:12", "--max-tokens", "1").returncode == 0  # converts it
    settings = json.loads(aide("settings", "--json").stdout)["settings"]
    assert settings["num_context"]["maximum"] == 2048 - 256
    assert settings["top_k"]["maximum"] > 1
    assert settings["top_k"]["allowed"].endswith(str(settings["top_k"]["maximum"]))


def test_language_can_be_named(aide, project):
    assert "0.45" not in aide("settings", str(project / "x.rs")).stdout
    assert "0.45" in aide("settings", str(project / "x.rs"), "--language", "python").stdout


def test_file_that_is_off_is_not_completed_and_the_command_says_why(aide, project):
    said = aide("complete", f"{project}/secrets/a.py:1:1")
    assert said.returncode == 1
    assert f'{project}/.aide.toml lists "secrets/**" under off' in said.stderr
    assert "Aide is off for this file" in aide("settings", str(project / "secrets" / "a.py")).stdout


def test_lowered_num_context_is_reported_and_does_not_stop_the_command(aide, project):
    said = aide("complete", f"{project}/b.py:1:1", "--max-tokens", "2")
    assert said.returncode == 0
    assert "900 exceeds your max_num_context. It is lowered to 600" in said.stderr
