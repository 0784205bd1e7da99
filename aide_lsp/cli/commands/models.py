"""`aide models`: lists, fetches, converts and removes models."""

from typing import TYPE_CHECKING, Any

import click

from aide_lsp.cli.errors import json_text
from aide_lsp.cli.options import ModelType, RecipeType, json_option
from aide_lsp.cli.progress import terminal_progress
from aide_lsp.cli.terminal import say
from aide_lsp.text_table import text_table

if TYPE_CHECKING:
    from aide_lsp.catalog.cards import Card, Catalog
    from aide_lsp.catalog.store import DiskState

model_argument = click.argument("model_id", metavar="[ID]", required=False, type=ModelType())
recipe_option = click.option(
    "--recipe",
    type=RecipeType(),
    help="exact, int4 or fast (CPU), int4 or fp16 (CUDA).  [default: the best one for this machine]",
)


@click.group()
def models() -> None:
    """List, fetch, convert and remove models.

    A model is fetched and converted automatically when it is first used; these commands do it ahead of time.
    """


@models.command("list")
@json_option("everything about the models")
def list_models(as_json: bool) -> None:
    """List all models; * marks the default one.

    FILE is the size of the download, DISK the space used on this machine now, MEMORY the memory needed to
    load the model, and SPEED the median of its latest completions here. - means not known yet.

    To add your own model, put a card, such as mine.toml, in the folder that is printed last.
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
    rows: list[tuple[str, ...]] = [("", "ID", "NAME", "LICENSE", "FILE", "DISK", "MEMORY", "SPEED", "STATE")]
    rows += [_row(card, state, found) for (card, state), found in zip(states, facts, strict=True)]
    for line in text_table(rows):
        say(line)
    say(f"\nModels are in {store.data_folder() / 'models'}, your own cards in {cards.user_folder()}")


@models.command()
@model_argument
@recipe_option
@click.option(
    "--no-convert", is_flag=True, help="Only fetch the file. It is converted when it is first used."
)
@json_option("the path")
def fetch(model_id: str | None, recipe: str | None, no_convert: bool, as_json: bool) -> None:
    """Fetch and convert a model.

    Without ID, this is the default model. A model that is ready stays as it is.
    """
    from aide_lsp.catalog import store

    card = _card(model_id)
    with terminal_progress() as progress:
        if no_convert:
            file = store.fetch(card, progress)
            message = f"{card.name} is fetched: {file}"
        else:
            file = store.ensure(card, _recipe(recipe, card), progress)
            message = f"{card.name} is ready: {file}"
    _say({"model": card.id, "path": str(file)}, message, as_json)


@models.command()
@model_argument
@recipe_option
@json_option("the path")
def convert(model_id: str | None, recipe: str | None, as_json: bool) -> None:
    """Convert a model to ONNX.

    Without ID, this is the default model. It is fetched first if necessary. An existing conversion is
    verified byte by byte, and replaced if it is damaged.
    """
    from aide_lsp.catalog import store

    card = _card(model_id)
    recipe = _recipe(recipe, card)
    with terminal_progress() as progress:
        if store.remove_damaged(card, recipe, progress):
            say(f"The conversion of {card.name} is damaged. Converting it again.", err=True)
        folder = store.ensure(card, recipe, progress)
    _say({"model": card.id, "path": str(folder)}, f"{card.name} is ready: {folder}", as_json)


@models.command()
@click.argument("model_id", metavar="ID", type=ModelType())
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option("the number of bytes freed")
def remove(model_id: str, yes: bool, as_json: bool) -> None:
    """Remove a model's file and its conversions.

    Your own model files are never removed.
    """
    from aide_lsp.catalog import store
    from aide_lsp.disk import megabytes

    card = _card(model_id)
    size = store.state_of(card).size
    if not size:
        _say({"model": card.id, "freed": 0}, f"{card.name} is not on this machine.", as_json)
        return
    if not yes:
        click.confirm(f"Remove {card.name} ({megabytes(size)}) from {store.folder_of(card)}?", abort=True)
    with terminal_progress() as progress:
        freed = store.remove(card, progress)
    message = f"{card.name} is removed: {megabytes(freed)} freed."
    _say({"model": card.id, "freed": freed}, message, as_json)


@models.command()
@model_argument
@recipe_option
@click.option("--file", "as_file", is_flag=True, help="Print the path of the fetched file instead.")
@json_option("the path")
def path(model_id: str | None, recipe: str | None, as_file: bool, as_json: bool) -> None:
    """Print the folder of a converted model.

    Without ID, this is the default model.
    """
    from aide_lsp.catalog import store

    card = _card(model_id)
    chosen = "" if as_file else _recipe(recipe, card)
    found = store.model_file(card) if as_file else store.converted_folder(card, chosen)
    if found is None:
        raise click.ClickException(f"{card.name} is not fetched yet: aide models fetch {card.id}")
    if not as_file and not store.is_converted(found):
        raise click.ClickException(
            f"{card.name} is not converted with the recipe {chosen} yet: "
            f"aide models convert {card.id} --recipe {chosen}"
        )
    _say({"model": card.id, "path": str(found)}, str(found), as_json)


def _say(facts: dict[str, Any], sentence: str, as_json: bool) -> None:
    say(json_text(facts) if as_json else sentence)


def _card(model_id: str | None) -> "Card":
    from aide_lsp.catalog.cards import load_catalog
    from aide_lsp.loading import card_of
    from aide_lsp.settings.reader import SettingsReader

    return load_catalog().find(model_id) if model_id else card_of(SettingsReader().resolve().settings)


def _recipe(name: str | None, card: "Card") -> str:
    """Return the recipe that was named, or the best one for this machine."""
    from attrs import evolve

    from aide_lsp.loading import choose_recipe
    from aide_lsp.settings.reader import SettingsReader

    settings = SettingsReader().resolve().settings
    return choose_recipe(evolve(settings, recipe=name) if name else settings, card)


def _speeds() -> dict[str, float]:
    """Return the median tokens per second of each model's latest completions, as far as they are recorded."""
    from statistics import median

    from aide_lsp.application.ledger import newest
    from aide_lsp.errors import LedgerError

    try:
        entries = newest()
    except LedgerError:  # a list without speeds is better than none
        return {}
    rates: dict[str, list[float]] = {}
    for entry in entries:
        # Without the first token, whose time is mostly that of the prompt.
        seconds = (entry.total_ms - entry.first_token_ms) / 1e3
        if entry.generated_tokens > 1 and seconds > 0:
            rates.setdefault(entry.model, []).append((entry.generated_tokens - 1) / seconds)
    return {model: median(found) for model, found in rates.items()}


def _memory(card: "Card", state: "DiskState") -> int | None:
    """Return the bytes of memory that the largest conversion needs; None: there is no conversion."""
    from aide_lsp.catalog import store
    from aide_lsp.cli.checks import memory_needed

    return max(
        (memory_needed(store.converted_folder(card, recipe)) for recipe in state.recipes), default=None
    )


def _facts(card: "Card", state: "DiskState", catalog: "Catalog", speeds: dict[str, float]) -> dict[str, Any]:
    return {
        "id": card.id,
        "name": card.name,
        "license": card.license,
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
    return mark, card.id, card.name, card.license, size, disk, memory, speed, _state_words(card, state)


def _state_words(card: "Card", state: "DiskState") -> str:
    if state.recipes:
        return f"converted: {', '.join(state.recipes)}"
    if state.fetched:
        return "fetched"
    if card.path is not None:
        return f"missing: {card.path}"
    return f"{100 * state.begun // card.size} % fetched" if state.begun else "not fetched"
