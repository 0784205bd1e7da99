"""The table of languages whose imports are found: to add one, add an entry."""

from aide_lsp.context.imports import javascript, python
from aide_lsp.context.imports.statement import ImportRules

_JAVASCRIPT = ImportRules(
    javascript.named,
    javascript.files,
    entries=frozenset({"index", "main", "mod", "public-api", "public_api"}),
)

LANGUAGES: dict[str, ImportRules] = {
    "python": ImportRules(python.named, python.files, entries=frozenset({"__init__"})),
    "javascript": _JAVASCRIPT,
    "javascriptreact": _JAVASCRIPT,
    "typescript": _JAVASCRIPT,
    "typescriptreact": _JAVASCRIPT,
    "vue": _JAVASCRIPT,
    "svelte": _JAVASCRIPT,
}
"""By LSP language id."""
