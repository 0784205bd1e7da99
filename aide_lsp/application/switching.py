"""Turns completions off and on for a file or a language, in the user's own settings file."""

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

from aide_lsp.errors import SettingsError
from aide_lsp.settings.edit import change_user_file
from aide_lsp.settings.files import user_file
from aide_lsp.settings.globs import EVERYWHERE, glob_error, glob_of
from aide_lsp.settings.resolved import OffRule
from aide_lsp.settings.tables import LANGUAGES_KEY

_Table = MutableMapping[str, Any]


def off_scope(rule: OffRule, document: Path | None) -> str:
    """Return what can turn completions on again where a rule turned them off.

    `file` or `language`: the functions of this module can. Else whose rule it is: `user`, `project` or
    `editor`; `secret`: the file commonly holds secrets; `engine`: it does, and its text would be sent to a
    server.
    """
    is_own = rule.kind == "user"
    if is_own and not rule.table and document is not None and rule.glob == glob_of(document):
        return "file"
    if is_own and rule.table.startswith(f"[{LANGUAGES_KEY}.") and rule.glob == EVERYWHERE:
        return "language"
    return rule.kind or ("engine" if rule.host else "secret")


def set_file_off(document: Path, off: bool) -> Path | None:
    """Turn completions off for a file, or remove what did that.

    Returns:
        The user's settings file; None if it says so already.

    Raises:
        SettingsError: the file cannot be written; the message says why and what to do.
    """
    glob = glob_of(document)
    if off and (error := glob_error(glob)) is not None:
        raise SettingsError(f"This file cannot be named in the settings: {error}.")
    return change_user_file(user_file(), lambda settings: _set(settings, glob, off))


def set_language_off(language: str, off: bool) -> Path | None:
    """Turn completions off for a language, or remove what did that. Returns and raises as `set_file_off`."""

    def change(settings: _Table) -> None:
        languages = settings.get(LANGUAGES_KEY)
        if languages is None:
            if not off:
                return
            languages = _added(settings, LANGUAGES_KEY)
        # People write `Rust`, editors send `rust`.
        name = next((name for name in languages if name.lower() == language.lower()), language)
        if name not in languages:
            if not off:
                return
            _added(languages, name)
        _set(languages[name], EVERYWHERE, off)
        if not languages[name]:
            del languages[name]
        if not languages:
            del settings[LANGUAGES_KEY]

    return change_user_file(user_file(), change)


def _added(table: _Table, name: str) -> _Table:
    table[name] = {}
    added: _Table = table[name]
    return added


def _set(table: _Table, glob: str, off: bool) -> None:
    """Add a glob to a table's list of files, or remove it; a list that is empty then is removed."""
    globs = table.get("off", [])
    if not isinstance(globs, list):
        raise SettingsError(f"off in {user_file()} is not a list. Correct it there first.")
    if off == (glob in globs):
        return
    if off:
        table["off"] = [*globs, glob]
    elif len(globs) > 1:
        table["off"] = [one for one in globs if one != glob]
    else:
        del table["off"]
