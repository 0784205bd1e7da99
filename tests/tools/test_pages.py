"""What is generated from the settings table holds all of it."""

import json
import re

import pytest

from aide_lsp.settings.fields import FIELDS, GROUPS, PARAMETERS, camel, defaults
from aide_lsp.settings.presets import PRESETS
from aide_lsp.settings.reader import SettingsReader
from tools.generate.pages import PAGES, REPOSITORY, block, generated_files, renewed
from tools.generate.schema import json_schema
from tools.generate.vscode import PACKAGE, vscode_properties, vscode_sections


def test_reference_names_every_setting_and_preset():
    page = generated_files()["docs/settings.md"]
    assert [key for key in FIELDS if f"## `{key}` (editor: `aide.{camel(key)}`)" not in page] == []
    presets = generated_files()["docs/parameters.md"]
    assert [name for name in PRESETS if f"| `{name}` |" not in presets] == []


def test_schema_knows_every_setting_and_table():
    schema = json_schema()
    assert set(schema["properties"]) == {*FIELDS, "languages", "globs", "presets"}
    assert "model" not in schema["definitions"]["part"]["properties"]
    assert set(schema["definitions"]["preset"]["properties"]) == set(PARAMETERS)
    (pattern,) = schema["patternProperties"]
    assert re.search(pattern, "tests/**")
    assert not any(re.search(pattern, key) for key in schema["properties"])


def test_settings_page_of_vscode_has_every_setting_with_its_default_and_its_kind():
    properties = vscode_properties()
    assert {camel(key) for key in FIELDS} < {name.removeprefix("aide.") for name in properties}
    shown = {key: properties[f"aide.{camel(key)}"] for key in FIELDS}
    # VS Code has no box for a text or null; the client leaves out an empty one.
    unset = {"seed": None, "max_num_context": None, "context_share": None}
    assert {key: value["default"] for key, value in shown.items()} == {
        key: unset.get(key, "") if value is None else [*value] if isinstance(value, tuple) else value
        for key, value in defaults().items()
    }
    kinds = [
        "boolean",
        "integer",
        "number",
        "string",
        "array",
        "object",
        ["integer", "null"],
        ["number", "null"],
    ]
    rendered = [value["type"] for value in properties.values()]
    assert [kind for kind in rendered if kind not in kinds] == []


def test_settings_page_of_vscode_explains_each_choice():
    properties = vscode_properties()
    lists = {name: value for name, value in properties.items() if "enum" in value}
    chosen = {f"aide.{camel(key)}" for key, field in FIELDS.items() if field.choices}
    assert set(lists) == {*chosen, "aide.preset"}
    assert all(len(value["enum"]) == len(value["markdownEnumDescriptions"]) for value in lists.values())
    assert lists["aide.preset"]["enum"] == ["", *PRESETS]


def test_settings_page_of_vscode_is_in_groups_with_the_parameters_first():
    sections = vscode_sections()
    titles = [section["title"] for section in sections]
    assert titles[: len(GROUPS)] == [*GROUPS]
    first = (*PARAMETERS, "preset", "presets")
    assert [*sections[0]["properties"]] == [f"aide.{camel(key)}" for key in first]
    assert [section["order"] for section in sections] == [*range(len(sections))]


CHEAP = [camel(key) for key in PARAMETERS if key != "num_context"]
"""The parameters that cost no time."""
SHOWN = ["show", "minConfidence"]
"""What decides which completions are offered; a project can withhold all of them with `off` already."""

LISTS = ["off", "contextOff"]
"""What adds up: a project can narrow it only."""


def test_editor_section_lets_no_project_choose_a_model_or_raise_the_cap():
    properties = vscode_properties()
    user_only = {name for name, value in properties.items() if value["scope"] == "machine"}
    assert {"aide.model", "aide.provider", "aide.maxNumContext", "aide.server.path"} <= user_only
    assert set(properties) - user_only == {f"aide.{key}" for key in (*CHEAP, *SHOWN, *LISTS, "preset")}


def test_workspace_of_vscode_when_it_sets_what_costs_time_or_stores_text_then_it_may_not():
    """On its own, for a language, or in a table that holds any setting; trusted or not."""
    package = json.loads((REPOSITORY / PACKAGE).read_text(encoding="utf-8"))
    sections = package["contributes"]["configuration"]
    properties = {name: value for section in sections for name, value in section["properties"].items()}
    costly = {
        "ledger",
        "maxTokens",
        "candidates",
        "deadlineMs",
        "workAhead",
        "numContext",
        "contextShare",
        "threads",
        "cacheMb",
    }
    costly |= {"engine", "engineKind", "engineModel", "engineFormat"}
    costly |= {"languages", "globs", "presets", "completeSecrets", "recipe", "server.path"}
    assert {properties[f"aide.{name}"]["scope"] for name in costly} == {"machine"}
    restricted = package["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"]
    assert {f"aide.{name}" for name in costly} <= set(restricted)
    by_language = {name for name, value in properties.items() if value["scope"] == "language-overridable"}
    assert by_language == {f"aide.{key}" for key in (*CHEAP, *SHOWN, *LISTS, "preset")}


def test_seed_in_editors_and_files_may_be_the_word_random():
    seed = vscode_properties()["aide.seed"]
    # Its type would forbid the word; VS Code only warns, and says that it works.
    assert seed["type"] == ["integer", "null"]
    assert '"random" works' in seed["errorMessage"]
    assert json_schema()["properties"]["seed"]["type"] == ["integer", "string"]


@pytest.mark.parametrize("page", ["README.md", "docs/settings.md"])
def test_shown_settings_can_be_used_as_shown(page, tmp_path):
    blocks = re.findall(r"```toml\n(.*?)```", (REPOSITORY / page).read_text(encoding="utf-8"), re.DOTALL)
    assert blocks
    for shown in blocks:
        (tmp_path / "user.toml").write_text(shown, encoding="utf-8")
        assert SettingsReader(tmp_path / "user.toml").resolve(tmp_path / "x.py").problems == ()


def test_generated_json_is_json():
    files = generated_files()
    assert [json.loads(text) for path, text in files.items() if path.endswith(".json")]


def test_page_when_renewed_then_only_its_blocks_change():
    page = f"before\n{block('a', 'old')}\nafter\n"
    assert renewed(page, {"a": lambda: "new"}) == page.replace("old", "new")


@pytest.mark.parametrize("blocks", [(), ("b",), ("a", "b")])
def test_page_without_exactly_its_blocks_is_refused(blocks):
    with pytest.raises(ValueError, match="expected the blocks"):
        renewed(block("a", "old"), dict.fromkeys(blocks, str))


def test_every_page_with_a_mark_is_generated():
    marked = {
        path.relative_to(REPOSITORY).as_posix()
        for folder in (".", "aide_lsp", "docs", "benchmarks", "editors/nvim", "editors/vscode")
        for path in (REPOSITORY / folder).glob("*.md")
        if "generated by `make generate` -->" in path.read_text(encoding="utf-8")
    }
    assert marked == set(PAGES)
