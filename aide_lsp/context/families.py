"""Which files are in the language of a document, or in one that is used with it."""

from aide_lsp.language_ids.table import language_id_of
from aide_lsp.syntax.languages import LANGUAGES

_FAMILIES = (
    {"javascript", "javascriptreact", "typescript", "typescriptreact", "vue", "svelte"},
    {"c", "cpp", "objective-c"},
    {"java", "kotlin", "scala", "groovy"},
    {"css", "scss", "less"},
)
"""Languages whose files use each other's names. Every other language is a family of its own."""
_NOT_CODE = {"json", "jsonc", "yaml", "toml", "ini", "properties", "xml", "makefile", "dockerfile"}
"""Data, and files of which a folder has one. Their neighbors hold other data, often private."""


def is_code(language_id: str) -> bool:
    """Whether other files are read for a document in this language: not for prose, data, or unknown ones."""
    language = LANGUAGES.get(language_id_of(language_id, ""))
    return language is not None and not language.prose and language.id not in _NOT_CODE


def is_related(language_id: str, path: str) -> bool:
    """Whether a file is in the language of a document, or in one that is used with it."""
    own, other = language_id_of(language_id, ""), language_id_of("", path)
    return other != "" and (own == other or any(own in one and other in one for one in _FAMILIES))
