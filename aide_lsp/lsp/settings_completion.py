"""Completes keys and values in settings files that are open in the editor, and explains keys under the mouse.

Clients without inline completion get these in their list like everything else. For the others, the list is
registered for settings files only, so that it holds nothing in any other file.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from aide_lsp.lsp.settings_documents import kind_of, range_of
from aide_lsp.lsp.workspace.documents import Place
from aide_lsp.lsp.workspace.uris import file_of
from aide_lsp.settings.project_folders import PYPROJECT

if TYPE_CHECKING:
    from aide_lsp.lsp.server import Server
    from aide_lsp.settings.editing.suggestions import Names, Suggestion


async def completions(ls: Server, uri: str, position: types.Position) -> list[types.CompletionItem]:
    """List what can be written at a place of a settings file; nothing in other files."""
    from aide_lsp.settings.editing.suggestions import suggestions

    path, document = file_of(uri), ls.documents.get(uri)
    kind = kind_of(path) if path is not None else None
    if path is None or document is None or kind is None:
        return []
    offset = document.offset(Place(position.line, position.character))
    before = document.text()[:offset]
    root = "tool.aide" if path.name == PYPROJECT else ""
    # Cards are read from the disk, which would block the event loop.
    names = await asyncio.to_thread(_names, ls.configuration.resolve(uri).presets)
    encoding = ls.documents.encoding
    return [
        _item(one, range_of(before, (offset - len(one.replaces), offset), encoding), number)
        for number, one in enumerate(suggestions(before, kind, root, names))
    ]


def hover(ls: Server, params: types.HoverParams) -> types.Hover | None:
    """Explain the setting that a line of a settings file sets."""
    from aide_lsp.settings.editing.suggestions import describe, key_at

    path, document = file_of(params.text_document.uri), ls.documents.get(params.text_document.uri)
    if path is None or document is None or kind_of(path) is None:
        return None
    lines = document.text().split("\n")
    line = lines[params.position.line] if params.position.line < len(lines) else ""
    key = key_at(line)
    if key is None:
        return None
    return types.Hover(types.MarkupContent(types.MarkupKind.Markdown, describe(key)))


def _names(presets: Any) -> Names:
    from aide_lsp.application.choices import model_choices
    from aide_lsp.settings.editing.suggestions import Names
    from aide_lsp.settings.presets import DESCRIPTIONS
    from aide_lsp.syntax.languages import LANGUAGES

    models = tuple(str(model["id"]) for model in model_choices(None))
    described = {name: DESCRIPTIONS.get(name, "A preset of your own.") for name in presets}
    return Names(models, described, tuple(LANGUAGES))


def _item(one: Suggestion, span: types.Range, number: int) -> types.CompletionItem:
    kinds = types.CompletionItemKind
    return types.CompletionItem(
        label=one.label,
        kind=kinds.Property if one.is_key else kinds.Value,
        detail=one.detail or None,
        documentation=types.MarkupContent(types.MarkupKind.Markdown, one.text) if one.text else None,
        # In the order of the settings table.
        sort_text=f"{number:03}",
        filter_text=one.label,
        text_edit=types.TextEdit(span, one.insert),
    )
