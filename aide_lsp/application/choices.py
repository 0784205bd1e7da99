"""Writes what the user chooses to the project file or to their own settings file.

A written value does not always take effect: a narrower rule or the editor's settings can override it. So the
result says which values are in effect instead.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from attrs import frozen

from aide_lsp.loading import card_of
from aide_lsp.settings.edit import write_user_values, write_values
from aide_lsp.settings.fields import Settings, value_of
from aide_lsp.settings.files import user_file

Effective = Callable[[], Settings]
"""Resolves the settings again, after the file was written."""


@frozen
class WriteResult:
    """The outcome of writing values."""

    path: Path | None
    "The file that was written; None: it had these values already."
    overridden: Mapping[str, Any]
    "Keys whose new value is not in effect, each with the value that is."


def write_to_project(
    document: Path,
    folder: Path | None,
    values: Mapping[str, Any],
    effective: Effective,
    create: bool = False,
) -> WriteResult:
    """Set values in the project file of a document; None removes a key.

    Args:
        document: its path.
        folder: its workspace folder; None: its repository.
        values: by key.
        effective: the settings for the document.
        create: whether the document's folder becomes a project if the document belongs to none.

    Raises:
        NoProjectError: the document belongs to no project, and `create` is not set.
        SettingsError: the file cannot be written; the message says why and what to do.
    """
    return _written(write_values(document, folder, values, create), values, effective)


def choose_model(model: str | None, effective: Effective) -> WriteResult:
    """Write a model's id to the user's own settings file; None removes it, which chooses the default model.

    Raises:
        ModelError: there is no such model.
        SettingsError: the file cannot be written; the message says why and what to do.
    """
    # Raises before anything is written.
    card_of(Settings(model=model))
    values = {"model": model}
    return _written(write_user_values(user_file(), values), values, effective)


def model_choices(current: str | None) -> list[dict[str, Any]]:
    """List the models to choose from, as JSON; `current`: the id in the settings, None: the default one."""
    from aide_lsp.catalog import cards, store
    from aide_lsp.disk import megabytes

    catalog = cards.load_catalog()
    chosen, found = current or catalog.default().id, []
    for card in catalog.cards.values():
        state = store.state_of(card)
        size = megabytes(card.size) if card.size else "your own file"
        status = "ready" if state.recipes else "fetched" if state.fetched else "fetched when you select it"
        found.append(
            {
                "id": card.id,
                "detail": f"{card.name}, {size}, {card.license}; {status}",
                "current": card.id == chosen,
                "installed": bool(state.recipes or state.fetched),
            }
        )
    return found


def _written(path: Path | None, values: Mapping[str, Any], effective: Effective) -> WriteResult:
    settings = effective()
    found = {key: value_of(settings, key) for key in values}
    return WriteResult(path, {key: value for key, value in found.items() if value != values[key]})
