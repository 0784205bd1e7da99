"""Which language a document has: by the ids of the editors, and by file names."""

import pytest

from aide_lsp.language_ids.table import ALIASES, KNOWN_IDS, NAMES, SUFFIXES
from aide_lsp.syntax.languages import LANGUAGES, language_of

NEOVIM = {
    "cs": "csharp",
    "gitcommit": "git-commit",
    "make": "makefile",
    "rst": "restructuredtext",
    "text": "plaintext",
    "dosini": "ini",
    "cfg": "ini",
    "ps1": "powershell",
    "objc": "objective-c",
    "cuda": "cpp",
    "plaintex": "latex",
    "typescript.tsx": "typescriptreact",
    "yaml.docker-compose": "yaml",
}
"""File types, which Neovim sends as language ids."""
UNKNOWN_TO_VSCODE = {
    "pyproject.toml": "toml",
    "src/App.vue": "vue",
    "Main.kt": "kotlin",
    "lib/shop.ex": "elixir",
    "shop.proto": "proto",
    ".editorconfig": "ini",
    "letter.txt": "plaintext",
    "README": "plaintext",
}
"""Files that it calls `plaintext` unless an extension adds their language."""


@pytest.mark.parametrize("table", [ALIASES, NAMES, SUFFIXES], ids=["ids", "names", "suffixes"])
def test_all_that_names_a_language_names_one_of_the_table(table):
    assert set(table.values()) <= set(LANGUAGES)
    assert not set(ALIASES) & set(LANGUAGES)
    assert set(LANGUAGES) <= KNOWN_IDS  # what is no id of an editor is compared with these


@pytest.mark.parametrize("file_type", NEOVIM)
def test_a_file_type_of_neovim_is_a_language(file_type: str):
    assert language_of(file_type).id == NEOVIM[file_type]


@pytest.mark.parametrize("path", UNKNOWN_TO_VSCODE)
def test_where_the_editor_knows_no_language_the_file_name_tells_it(path: str):
    for language_id in ("plaintext", ""):
        expected = "" if (language_id, path) == ("", "README") else UNKNOWN_TO_VSCODE[path]
        assert language_of(language_id, path).id == expected


def test_a_language_that_the_user_chose_overrides_the_file_name():
    assert language_of("markdown", "notes.py").id == "markdown"
    assert language_of("helm", "deployment.yaml").id == ""  # templates are no YAML
