"""What is generated from the settings table holds all of it."""

import json
import re

import pytest

from aide_lsp.presets import PRESETS
from aide_lsp.settings import FIELDS, camel
from aide_lsp.settings_layers import SettingsReader
from aide_lsp.settings_reference import REPOSITORY, generated_files, reference_page
from aide_lsp.settings_schema import json_schema
from aide_lsp.settings_vscode import vscode_section


def test_reference_names_every_setting_and_preset():
    page = reference_page()
    assert [key for key in FIELDS if f"## `{key}` (editor: `aide.{camel(key)}`)" not in page] == []
    assert [name for name in PRESETS if f"| `{name}` |" not in page] == []


def test_schema_knows_every_setting_and_table():
    schema = json_schema()
    assert set(schema["properties"]) == {*FIELDS, "languages", "globs", "presets"}
    assert "model" not in schema["definitions"]["part"]["properties"]
    assert set(schema["definitions"]["preset"]["properties"]) == {
        "temperature", "top_k", "top_p", "num_context", "seed"
    }  # fmt: skip
    (pattern,) = schema["patternProperties"]
    assert re.search(pattern, "tests/**")
    assert not any(re.search(pattern, key) for key in schema["properties"])


def test_editor_section_sets_nothing_by_itself():
    """Its defaults are sent as if the user had set them; they would go over the project's file."""
    properties = vscode_section()["properties"]
    assert {camel(key) for key in FIELDS} < {name.removeprefix("aide.") for name in properties}
    assert {name: value["default"] for name, value in properties.items()} == dict.fromkeys(properties)
    assert all("null" in value["type"] for value in properties.values())
    assert all(None in value["enum"] for value in properties.values() if "enum" in value)


def test_editor_section_lets_no_project_choose_a_model_or_raise_the_cap():
    properties = vscode_section()["properties"]
    user_only = {name for name, value in properties.items() if value["scope"] == "machine"}
    assert {"aide.model", "aide.provider", "aide.maxNumContext", "aide.server.path"} <= user_only
    assert "aide.topK" not in user_only


@pytest.mark.parametrize("page", ["README.md", "docs/settings.md"])
def test_shown_settings_can_be_used_as_shown(page, tmp_path):
    blocks = re.findall(r"```toml\n(.*?)```", (REPOSITORY / page).read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for block in blocks:
        (tmp_path / "user.toml").write_text(block, encoding="utf-8")
        assert SettingsReader(tmp_path / "user.toml").resolve(tmp_path / "x.py").problems == ()


def test_generated_json_is_json():
    files = generated_files()
    assert [json.loads(text) for path, text in files.items() if path.endswith(".json")]
