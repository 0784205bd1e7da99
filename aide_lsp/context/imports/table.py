"""The table of languages whose imports are found: to add one, add an entry."""

from aide_lsp.context.imports import go, javascript, python, rust
from aide_lsp.context.imports.statement import ImportRules, entries

_JAVASCRIPT = ImportRules(
    javascript.named,
    javascript.files,
    entries("index", "main", "mod", "public-api", "public_api"),
)

LANGUAGES: dict[str, ImportRules] = {
    "python": ImportRules(python.named, python.files, entries("__init__")),
    "javascript": _JAVASCRIPT,
    "javascriptreact": _JAVASCRIPT,
    "typescript": _JAVASCRIPT,
    "typescriptreact": _JAVASCRIPT,
    "go": ImportRules(go.named, go.files),
    "rust": ImportRules(rust.named, rust.files, rust.passes_on),
    "vue": _JAVASCRIPT,
    "svelte": _JAVASCRIPT,
}
"""By LSP language id."""
