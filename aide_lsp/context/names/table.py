"""The table of languages whose modules have names that can be known: to add one, add an entry."""

from functools import partial

from attrs import evolve

from aide_lsp.context.names import go, javascript, python, rust
from aide_lsp.context.names.module import LONGEST_LINE, Cursor, NameRules, Wanted

_JAVASCRIPT = NameRules(javascript.wanted, javascript.files, javascript.names)
_TYPESCRIPT = evolve(_JAVASCRIPT, wanted=partial(javascript.wanted, has_types=True))
LANGUAGES = {
    "python": NameRules(python.wanted, python.files, python.names, python.inside, python.around),
    "go": NameRules(go.wanted, go.files, go.names, outline=go.outline),
    "javascript": _JAVASCRIPT,
    "javascriptreact": _JAVASCRIPT,
    "typescript": _TYPESCRIPT,
    "typescriptreact": _TYPESCRIPT,
    "rust": NameRules(
        rust.wanted,
        rust.files,
        rust.names,
        is_inside=rust.is_inside,
        beyond=rust.crate_of_root,
        given=rust.exported,
    ),
}
"""By LSP language id."""
LONGEST_TEXT = 200_000
"""Characters of a document in which names are understood."""


def wanted_at(cursor: Cursor, language_id: str) -> Wanted | None:
    """Return the module one of whose names comes at a cursor; None: anything may."""
    rules = LANGUAGES.get(language_id)
    if rules is None or len(cursor.before) > LONGEST_LINE or len(cursor.others) > LONGEST_TEXT:
        return None
    return rules.wanted(cursor)
