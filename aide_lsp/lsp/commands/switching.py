"""Commands that turn completions off: setOff for a file or language, snooze for some time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pygls.exceptions import JsonRpcInvalidParams

from aide_lsp.application.switching import off_scope, set_file_off, set_language_off
from aide_lsp.errors import SettingsError
from aide_lsp.lsp.commands.arguments import is_count
from aide_lsp.lsp.commands.project import failed
from aide_lsp.lsp.commands.state import pause
from aide_lsp.lsp.workspace.uris import file_of

if TYPE_CHECKING:
    from pathlib import Path

    from aide_lsp.lsp.commands.arguments import Arguments
    from aide_lsp.lsp.server import Server

MOST_MINUTES = 24 * 60


def set_off(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Turn completions off or on for a file or its language, in the user's own settings file."""
    uri, scope, off = arguments.uri(), arguments.values.get("scope"), arguments.values.get("off")
    if off is False and scope is None:
        scope = _scope_of(ls, uri)
    if scope not in ("file", "language") or not isinstance(off, bool):
        raise JsonRpcInvalidParams(
            'aide.setOff takes one object: {"uri": ..., "scope": "file" or "language", "off": true or false}.'
            " To turn completions on, the scope may be left out."
        )
    language = ls.documents.language_of(uri)
    try:
        written = _set_file(ls, uri, off) if scope == "file" else _set_language(language, off)
    except SettingsError as error:
        raise failed(str(error)) from error
    if off:
        ls.requests.supersede(uri)
    ls.refresh_settings()
    ls.notifier.changed()
    rule = ls.configuration.resolve(uri).off
    what = "for this file" if scope == "file" else f"in all {language} files"
    if off:
        on = ":Aide on" if scope == "file" else ":Aide on language"
        message = f"Completions are off {what}. Turn them on in Aide's menu, in Neovim with {on}."
    elif rule is None:
        message = f"Completions are on {what}."
    else:
        message = f"Completions stay off here. {rule.sentence()}"
    return {"path": str(written) if written else None, "off": rule is not None, "message": message}


def snooze(ls: Server, arguments: Arguments) -> dict[str, Any]:
    """Pause for some minutes; then completions resume automatically."""
    minutes = arguments.values.get("minutes")
    if not is_count(minutes) or not 1 <= minutes <= MOST_MINUTES:
        raise JsonRpcInvalidParams(
            f'aide.snooze takes one object: {{"minutes": a whole number from 1 to {MOST_MINUTES}}}.'
        )
    answer = pause(ls, arguments)
    ls.snooze.start(60 * minutes)
    ls.notifier.changed()
    return {**answer, "message": ls.snooze.sentence}


def _scope_of(ls: Server, uri: str) -> str:
    """Return which of the two turned completions off here: what a client knows may be outdated."""
    rule = ls.configuration.resolve(uri).off
    is_language = rule is not None and off_scope(rule, file_of(ls.notebooks.notebook_of(uri))) == "language"
    return "language" if is_language else "file"


def _set_file(ls: Server, uri: str, off: bool) -> Path | None:
    path = file_of(ls.notebooks.notebook_of(uri))
    if path is None:
        raise failed("The document is not a file, so it cannot be named in the settings. Save it first.")
    return set_file_off(path, off)


def _set_language(language: str, off: bool) -> Path | None:
    if not language:
        raise failed("The language of this document is unknown.")
    return set_language_off(language, off)
