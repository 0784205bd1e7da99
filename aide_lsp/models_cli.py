"""The commands `aide models ...`: what models there are, and getting, converting and removing them.

In: arguments. Out: text on stdout (what was asked for) and stderr (how it goes). It does not know how
anything is done: `catalog.store` does.
"""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from aide_lsp.catalog.cards import Card, Shelf
    from aide_lsp.catalog.store import State

RECIPE_HELP = "exact or fast (CPU), fp16 (CUDA). Without it: what suits this machine."


@click.group()
def models() -> None:
    """List, fetch, convert and remove models.

    Fetching and converting happen by themselves when a model is first used; these commands do it beforehand.
    """


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print all that is known as JSON.")
def list_models(as_json: bool) -> None:
    """Show all models; the default one is marked with *.

    Your own model: write a card, a file such as mine.toml, into the folder that is named last.
    """
    from aide_lsp.catalog import cards, store

    shelf = cards.load_shelf()
    states = [(card, store.state_of(card)) for card in shelf.cards.values()]
    for error in shelf.errors:
        click.echo(str(error), err=True)
    if as_json:
        click.echo(json.dumps([_facts(card, state, shelf) for card, state in states], indent=2))
        return
    rows: list[tuple[str, ...]] = [("", "ID", "NAME", "LICENCE", "SIZE", "STATE")]
    rows += [_row(card, state, shelf) for card, state in states]
    for line in _columns(rows):
        click.echo(line)
    click.echo(
        f"\nModels lie in {store.data_folder() / 'models'}, cards of your own in {cards.user_folder()}"
    )


@models.command()
@click.argument("model_id", metavar="[ID]", required=False)
def fetch(model_id: str | None) -> None:
    """Fetch a model's file (the default model's without an ID), unless it is here already."""
    from aide_lsp.catalog import store
    from aide_lsp.progress import terminal_progress

    card = _card(model_id)
    with terminal_progress() as progress:
        file = store.fetch(card, progress)
    click.echo(f"{card.name} is here: {file}")


@models.command()
@click.argument("model_id", metavar="[ID]", required=False)
@click.option("--recipe", default="", help=RECIPE_HELP)
def convert(model_id: str | None, recipe: str) -> None:
    """Convert a model to ONNX (the default one without an ID); it is fetched first if need be."""
    from aide_lsp.catalog import store
    from aide_lsp.progress import terminal_progress

    card = _card(model_id)
    recipe = _recipe(recipe, card)
    with terminal_progress() as progress:
        folder = store.ensure(card, recipe, progress)
    click.echo(f"{card.name} is ready: {folder}")


@models.command()
@click.argument("model_id", metavar="ID")
@click.option("--yes", is_flag=True, help="Do not ask.")
def remove(model_id: str, yes: bool) -> None:
    """Remove a model's file and its conversions. A model of your own stays where it is."""
    from aide_lsp.catalog import store
    from aide_lsp.catalog.download import megabytes
    from aide_lsp.progress import terminal_progress

    card = _card(model_id)
    size = store.state_of(card).size
    if not size:
        click.echo(f"Nothing of {card.name} is here.")
        return
    if not yes:
        click.confirm(f"Remove {card.name} ({megabytes(size)}) from {store.folder_of(card)}?", abort=True)
    with terminal_progress() as progress:
        freed = store.remove(card, progress)
    click.echo(f"{card.name} is removed; {megabytes(freed)} are free again.")


@models.command()
@click.argument("model_id", metavar="[ID]", required=False)
@click.option("--recipe", default="", help=RECIPE_HELP)
@click.option("--file", "as_file", is_flag=True, help="The fetched file instead of the conversion.")
def path(model_id: str | None, recipe: str, as_file: bool) -> None:
    """Print the folder of a converted model (of the default one without an ID)."""
    from aide_lsp.catalog import store

    card = _card(model_id)
    found = store.model_file(card) if as_file else store.converted_folder(card, _recipe(recipe, card))
    if found is None:
        raise click.ClickException(f"{card.name} is not fetched yet: aide models fetch {card.id}")
    if not as_file and not store.is_converted(found):
        raise click.ClickException(f"{card.name} is not converted yet: aide models convert {card.id}")
    click.echo(str(found))


def _card(model_id: str | None) -> "Card":
    from aide_lsp.catalog.cards import load_shelf
    from aide_lsp.settings_layers import SettingsReader
    from aide_lsp.startup import card_of

    return load_shelf().find(model_id) if model_id else card_of(SettingsReader().resolve().settings)


def _recipe(name: str, card: "Card") -> str:
    from aide_lsp.catalog.recipes import RECIPES
    from aide_lsp.settings_layers import SettingsReader
    from aide_lsp.startup import choose_recipe

    if not name:
        return choose_recipe(SettingsReader().resolve().settings, card)
    if name not in RECIPES:
        raise click.BadParameter(f"{name!r} is none of {', '.join(RECIPES)}.", param_hint="--recipe")
    return name


def _facts(card: "Card", state: "State", shelf: "Shelf") -> dict[str, Any]:
    return {
        "id": card.id,
        "name": card.name,
        "licence": card.licence,
        "description": card.description,
        "default": card == shelf.default(),
        "size": card.size,
        "fetched": state.fetched,
        "recipes": list(state.recipes),
        "bytes_on_disk": state.size,
        "card": str(card.origin),
    }


def _row(card: "Card", state: "State", shelf: "Shelf") -> tuple[str, ...]:
    from aide_lsp.catalog.download import megabytes

    mark = "*" if card == shelf.default() else ""
    size = megabytes(card.size) if card.size else "own file"
    return mark, card.id, card.name, card.licence, size, _state_words(card, state)


def _state_words(card: "Card", state: "State") -> str:
    if state.recipes:
        return f"converted: {', '.join(state.recipes)}"
    if state.fetched:
        return "fetched"
    if card.path is not None:
        return f"missing: {card.path}"
    return f"{100 * state.begun // card.size} % fetched" if state.begun else "not fetched"


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
