"""The commands `aide models ...`: what models there are, and getting, converting and removing them.

In: arguments. Out: text on stdout (what was asked for) and stderr (how it goes). It does not know how
anything is done: `catalog.store` does.
"""

from typing import TYPE_CHECKING, Any

import click

from aide_lsp.cli.errors import json_text
from aide_lsp.cli.options import ModelType, RecipeType, json_option
from aide_lsp.cli.terminal import say
from aide_lsp.text_table import text_table

if TYPE_CHECKING:
    from aide_lsp.catalog.cards import Card, Catalog
    from aide_lsp.catalog.store import DiskState

model_argument = click.argument("model_id", metavar="[ID]", required=False, type=ModelType())
recipe_option = click.option(
    "--recipe",
    type=RecipeType(),
    help="exact or fast (CPU), fp16 (CUDA). Without it: what suits this machine.",
)


@click.group()
def models() -> None:
    """List, fetch, convert and remove models.

    A model is fetched and converted automatically when it is first used; these commands do it beforehand.
    """


@models.command("list")
@json_option("all that is known")
def list_models(as_json: bool) -> None:
    """Show all models; the default one is marked with *.

    FILE is the size of the download. DISK is what the model takes on this machine now, MEMORY what loading it
    needs, SPEED the median of its last completions here; - where nothing is known yet.

    Your own model: write a card, a file such as mine.toml, into the folder that is named last.
    """
    from aide_lsp.catalog import cards, store

    catalog = cards.load_catalog()
    states = [(card, store.state_of(card)) for card in catalog.cards.values()]
    for error in catalog.errors:
        say(str(error), err=True)
    speeds = _speeds()
    facts = [_facts(card, state, catalog, speeds) for card, state in states]
    if as_json:
        say(json_text(facts))
        return
    rows: list[tuple[str, ...]] = [("", "ID", "NAME", "LICENCE", "FILE", "DISK", "MEMORY", "SPEED", "STATE")]
    rows += [_row(card, state, found) for (card, state), found in zip(states, facts, strict=True)]
    for line in text_table(rows):
        say(line)
    say(f"\nModels are in {store.data_folder() / 'models'}, cards of your own in {cards.user_folder()}")


@models.command()
@model_argument
@recipe_option
@click.option(
    "--no-convert", is_flag=True, help="Only fetch the file; it is converted when it is first used."
)
@json_option("where it is")
def fetch(model_id: str | None, recipe: str | None, no_convert: bool, as_json: bool) -> None:
    """Fetch and convert a model (the default one without an ID), unless it is here already."""
    from aide_lsp.catalog import store
    from aide_lsp.cli.progress import terminal_progress

    card = _card(model_id)
    with terminal_progress() as progress:
        if no_convert:
            file = store.fetch(card, progress)
            told = f"{card.name} is here: {file}"
        else:
            file = store.ensure(card, _recipe(recipe, card), progress)
            told = f"{card.name} is ready: {file}"
    _say({"model": card.id, "path": str(file)}, told, as_json)


@models.command()
@model_argument
@recipe_option
@json_option("where it is")
def convert(model_id: str | None, recipe: str | None, as_json: bool) -> None:
    """Convert a model to ONNX (the default one without an ID); it is fetched first if need be.

    A conversion that is here is checked byte for byte, and made again if it is damaged.
    """
    from aide_lsp.catalog import store
    from aide_lsp.cli.progress import terminal_progress

    card = _card(model_id)
    recipe = _recipe(recipe, card)
    with terminal_progress() as progress:
        if store.remove_damaged(card, recipe, progress):
            say(f"The conversion of {card.name} is damaged; it is made again.", err=True)
        folder = store.ensure(card, recipe, progress)
    _say({"model": card.id, "path": str(folder)}, f"{card.name} is ready: {folder}", as_json)


@models.command()
@click.argument("model_id", metavar="ID", type=ModelType())
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option("what was freed")
def remove(model_id: str, yes: bool, as_json: bool) -> None:
    """Remove a model's file and its conversions. A model of your own stays where it is."""
    from aide_lsp.catalog import store
    from aide_lsp.cli.progress import terminal_progress
    from aide_lsp.disk import megabytes

    card = _card(model_id)
    size = store.state_of(card).size
    if not size:
        _say({"model": card.id, "freed": 0}, f"Nothing of {card.name} is here.", as_json)
        return
    if not yes:
        click.confirm(f"Remove {card.name} ({megabytes(size)}) from {store.folder_of(card)}?", abort=True)
    with terminal_progress() as progress:
        freed = store.remove(card, progress)
    told = f"{card.name} is removed; {megabytes(freed)} are free again."
    _say({"model": card.id, "freed": freed}, told, as_json)


@models.command()
@model_argument
@recipe_option
@click.option("--file", "as_file", is_flag=True, help="The fetched file instead of the conversion.")
@json_option("the path")
def path(model_id: str | None, recipe: str | None, as_file: bool, as_json: bool) -> None:
    """Print the folder of a converted model (of the default one without an ID)."""
    from aide_lsp.catalog import store

    card = _card(model_id)
    chosen = "" if as_file else _recipe(recipe, card)
    found = store.model_file(card) if as_file else store.converted_folder(card, chosen)
    if found is None:
        raise click.ClickException(f"{card.name} is not fetched yet: aide models fetch {card.id}")
    if not as_file and not store.is_converted(found):
        raise click.ClickException(
            f"{card.name} is not converted to the recipe {chosen} yet: "
            f"aide models convert {card.id} --recipe {chosen}"
        )
    _say({"model": card.id, "path": str(found)}, str(found), as_json)


def _say(facts: dict[str, Any], sentence: str, as_json: bool) -> None:
    say(json_text(facts) if as_json else sentence)


def _card(model_id: str | None) -> "Card":
    from aide_lsp.catalog.cards import load_catalog
    from aide_lsp.loading import card_of
    from aide_lsp.settings.merge import SettingsReader

    return load_catalog().find(model_id) if model_id else card_of(SettingsReader().resolve().settings)


def _recipe(name: str | None, card: "Card") -> str:
    """Return the recipe that was named, or the one that suits this machine."""
    from aide_lsp.loading import choose_recipe
    from aide_lsp.settings.merge import SettingsReader

    return name or choose_recipe(SettingsReader().resolve().settings, card)


def _speeds() -> dict[str, float]:
    """Median tokens per second of each model's last completions on this machine; empty: none are known."""
    from statistics import median

    from aide_lsp.cli.ledger import ledger_path, newest
    from aide_lsp.errors import LedgerError

    try:
        entries = newest(ledger_path(), None)
    except LedgerError:
        return {}
    rates: dict[str, list[float]] = {}
    for entry in entries:
        seconds = (entry.total_ms - entry.first_token_ms) / 1e3
        if entry.generated_tokens > 1 and seconds > 0:
            rates.setdefault(entry.model, []).append((entry.generated_tokens - 1) / seconds)
    return {model: median(found) for model, found in rates.items()}


def _memory(card: "Card", state: "DiskState") -> int | None:
    """Bytes that loading the largest conversion here needs; None: it is not converted."""
    from aide_lsp.catalog import store
    from aide_lsp.cli.doctor import memory_needed

    return max(
        (memory_needed(store.converted_folder(card, recipe)) for recipe in state.recipes), default=None
    )


def _facts(card: "Card", state: "DiskState", catalog: "Catalog", speeds: dict[str, float]) -> dict[str, Any]:
    return {
        "id": card.id,
        "name": card.name,
        "licence": card.licence,
        "description": card.description,
        "default": card == catalog.default(),
        "size": card.size,
        "fetched": state.fetched,
        "recipes": list(state.recipes),
        "bytes_on_disk": state.size,
        "memory_needed": _memory(card, state),
        "tokens_per_second": speeds.get(card.id),
        "card": str(card.origin),
    }


def _row(card: "Card", state: "DiskState", facts: dict[str, Any]) -> tuple[str, ...]:
    from aide_lsp.disk import megabytes

    mark = "*" if facts["default"] else ""
    size = megabytes(card.size) if card.size else "own file"
    disk, memory = (
        megabytes(facts[key]) if facts[key] else "-" for key in ("bytes_on_disk", "memory_needed")
    )
    rate = facts["tokens_per_second"]
    speed = f"{rate:.0f} tokens/s" if rate else "-"
    return mark, card.id, card.name, card.licence, size, disk, memory, speed, _state_words(card, state)


def _state_words(card: "Card", state: "DiskState") -> str:
    if state.recipes:
        return f"converted: {', '.join(state.recipes)}"
    if state.fetched:
        return "fetched"
    if card.path is not None:
        return f"missing: {card.path}"
    return f"{100 * state.begun // card.size} % fetched" if state.begun else "not fetched"
