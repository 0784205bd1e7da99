"""The table of languages whose types can be known: to add one, add an entry."""

import re
from importlib import import_module
from typing import TYPE_CHECKING, cast

from aide_lsp.context.names.module import LONGEST_LINE, Cursor
from aide_lsp.context.names.table import LONGEST_TEXT
from aide_lsp.syntax.languages import language_of

if TYPE_CHECKING:
    from aide_lsp.context.types.document import Receiver
    from aide_lsp.context.types.rules import TypeRules

LANGUAGES = {
    "go": "go",
    "java": "java",
    "javascript": "ecmascript.javascript",
    "javascriptreact": "ecmascript.javascript",
    "python": "python",
    "rust": "rust",
    "typescript": "ecmascript.typescript",
    "typescriptreact": "ecmascript.typescript",
}
"""The module of each, by LSP language id. It is loaded when it is needed."""
_AFTER_DOT = re.compile(r"(?:[\w)][?!]?\.|\w::)\Z")


def rules_of(language_id: str) -> "TypeRules":
    """Return how one of the languages writes types."""
    module = import_module(f"aide_lsp.context.types.{LANGUAGES[language_id]}")
    return cast("TypeRules", module.RULES)


def receiver_at(cursor: Cursor, language_id: str) -> "Receiver | None":
    """Return what is before a cursor and a dot, if its type is certain; None: anything may come."""
    if language_id not in LANGUAGES or not _AFTER_DOT.search(cursor.before):
        return None
    if len(cursor.before) > LONGEST_LINE or len(cursor.above) + len(cursor.below) > LONGEST_TEXT:
        return None
    from aide_lsp.context.types.document import receiver  # loaded only where it is needed

    return receiver(cursor, language_of(language_id, "").grammar, rules_of(language_id))
