"""The table of languages whose types can be known: to add one, add an entry."""

from functools import lru_cache

from aide_lsp.context.names import go as go_modules
from aide_lsp.context.names import javascript
from aide_lsp.context.names.module import LONGEST_LINE, Cursor
from aide_lsp.context.names.table import LONGEST_TEXT
from aide_lsp.context.types import go, python, typescript
from aide_lsp.context.types.facts import FileTypes, Receiver, TypeRules

_TYPESCRIPT = TypeRules(
    typescript.receiver,
    typescript.MARKS,
    typescript.read,
    javascript.files,
    known=typescript.known,
    of_every_type=typescript.OF_EVERY_TYPE,
    of_every_class=typescript.OF_EVERY_CLASS,
)
LANGUAGES = {
    "python": TypeRules(
        python.receiver,
        python.MARKS,
        python.read,
        python.files,
        known=python.known,
        of_every_type=python.OF_EVERY_TYPE,
        of_every_class=python.OF_EVERY_CLASS,
    ),
    "go": TypeRules(
        go.receiver, go.MARKS, go.read, go_modules.files, go.package, go.known, is_seen=go.is_seen
    ),
    "typescript": _TYPESCRIPT,
    "typescriptreact": _TYPESCRIPT,
}
"""By LSP language id."""


@lru_cache(4)
def types_in(code: str, language_id: str) -> FileTypes:
    """Return what the code of a document says of types: while a line is typed, that is the same."""
    return LANGUAGES[language_id].read(code)


def receiver_at(cursor: Cursor, language_id: str) -> Receiver | None:
    """Return the name before a cursor and a dot, if its type is certain; None: anything may come."""
    rules = LANGUAGES.get(language_id)
    if rules is None or len(cursor.before) > LONGEST_LINE or len(cursor.others) > LONGEST_TEXT:
        return None
    return rules.receiver(cursor)
