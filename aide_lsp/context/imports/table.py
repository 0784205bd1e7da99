"""The table of languages whose imports are found: to add one, add an entry."""

from aide_lsp.context.imports import python
from aide_lsp.context.imports.statement import ImportRules

LANGUAGES: dict[str, ImportRules] = {
    "python": ImportRules(python.named, python.files, entries=frozenset({"__init__"})),
}
"""By LSP language id."""
