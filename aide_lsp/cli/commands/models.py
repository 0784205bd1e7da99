"""`aide models`: adds, lists, fetches, converts and removes models."""

from typing import Any

import click

from aide_lsp.cli.errors import json_text
from aide_lsp.cli.models.chosen import answer, chosen_card, chosen_recipe, model_argument, recipe_option
from aide_lsp.cli.options import FORMAT, MODEL, FileType, json_option
from aide_lsp.cli.progress import terminal_progress
from aide_lsp.cli.terminal import say


@click.group()
def models() -> None:
    """Add, list, fetch, convert and remove models.

    A model is fetched and converted automatically when it is first used; these commands do it ahead of time.
    """


@models.command("list")
@json_option("everything about the models")
def list_models(as_json: bool) -> None:
    """List all models; * marks the one in your settings.

    FORMAT is how a model is asked to fill in the middle; without one, it only continues the text before the
    cursor. FILE is the size of the download, DISK the space used on this machine now, MEMORY the memory
    that the model takes in use, and SPEED the median of its latest completions here. - means not known yet.

    To add a model of your own, see aide models add.
    """
    from aide_lsp.catalog import cards, store
    from aide_lsp.cli.models.listing import HEAD, all_facts, row_of
    from aide_lsp.text_table import text_table

    facts, errors = all_facts()
    for error in errors:
        say(error, err=True)
    if as_json:
        say(json_text(facts))
        return
    for line in text_table([HEAD, *map(row_of, facts)]):
        say(line)
    say(f"\nModels are in {store.data_folder() / 'models'}, your own cards in {cards.user_folder()}")
    if host := _server_host():
        say(f"The server {host} completes for you (setting engine): none of these models runs.")


@models.command()
@model_argument
@json_option("the facts")
def show(model_id: str | None, as_json: bool) -> None:
    """Show all about one model: its card, what is on the disk, and what was measured.

    Without ID, this is the default model.
    """
    from aide_lsp.catalog.cards import load_catalog
    from aide_lsp.cli.models.listing import facts_of_card, page_of

    facts = facts_of_card(chosen_card(model_id), load_catalog())
    answer(facts, "\n".join(page_of(facts)), as_json)


@models.command()
@click.argument("source", type=FileType())
@click.option("--id", "model_id", metavar="ID", help="Id of the model.  [default: from the file's name]")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--format",
    "fim",
    type=FORMAT,
    help="How it is asked to fill in the middle.  [default: by the tokens of its vocabulary]",
)
@click.option("--no-test", is_flag=True, help="Do not load and test it.")
@click.option("--use", is_flag=True, help="Make it the model in your settings.")
@json_option("what was found and measured")
def add(source: str, as_json: bool, no_test: bool, **options: Any) -> None:
    """Add a model: a GGUF file, a folder with an ONNX export, or a file of the Hugging Face Hub.

    \b
    aide models add model.gguf
    aide models add hf:OWNER/REPO/FILE.gguf
    aide models add hf:OWNER/REPO

    Aide reads the model's own metadata, says what it found and what it will cost, and asks. Then it writes a
    model card, downloads the file if necessary, converts it, and tests it. What Aide cannot run is refused
    before anything is downloaded. Interrupted, the same command continues.
    """
    from aide_lsp.cli.models.add import AddOptions, add_model

    add_model(source, AddOptions(test=not no_test, as_json=as_json, **options))


@models.command()
@click.argument("model_id", metavar="ID", type=MODEL)
@json_option("the settings file")
def use(model_id: str, as_json: bool) -> None:
    """Make a model the one in your settings."""
    from aide_lsp.cli.models.add import use_model
    from aide_lsp.settings.files import user_file

    card = chosen_card(model_id)
    answer({"model": card.id, "settings": str(user_file())}, use_model(card.id), as_json)


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

    card = chosen_card(model_id)
    with terminal_progress() as progress:
        if no_convert:
            file = store.fetch(card, progress)
            message = f"{card.name} is fetched: {file}"
        else:
            file = store.ensure(card, chosen_recipe(recipe, card), progress)
            message = f"{card.name} is ready: {file}"
    answer({"model": card.id, "path": str(file)}, message, as_json)


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

    card = chosen_card(model_id)
    recipe = chosen_recipe(recipe, card)
    with terminal_progress() as progress:
        if store.remove_damaged(card, recipe, progress):
            say(f"The conversion of {card.name} is damaged. Converting it again.", err=True)
        folder = store.ensure(card, recipe, progress)
    answer({"model": card.id, "path": str(folder)}, f"{card.name} is ready: {folder}", as_json)


@models.command()
@click.argument("model_id", metavar="ID", type=MODEL)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--card", "with_card", is_flag=True, help="Remove your card of it, too.")
@json_option("the number of bytes freed")
def remove(model_id: str, yes: bool, with_card: bool, as_json: bool) -> None:
    """Remove a model's file and its conversions.

    Your own model files are never removed. The card of a model that you added stays, so that it can be
    fetched again, unless you add --card.
    """
    from aide_lsp.cli.models.remove import remove_model

    remove_model(chosen_card(model_id), yes=yes, with_card=with_card, as_json=as_json)


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

    card = chosen_card(model_id)
    chosen = "" if as_file else chosen_recipe(recipe, card)
    found = store.model_file(card) if as_file else store.converted_folder(card, chosen)
    if found is None:
        raise click.ClickException(f"{card.name} is not fetched yet: aide models fetch {card.id}")
    if not as_file and not store.is_converted(found):
        raise click.ClickException(
            f"{card.name} is not converted with the recipe {chosen} yet: "
            f"aide models convert {card.id} --recipe {chosen}"
        )
    answer({"model": card.id, "path": str(found)}, str(found), as_json)


def _server_host() -> str:
    """Name the server that runs the model instead; empty: none does."""
    from aide_lsp.server_address import server_address
    from aide_lsp.settings.reader import SettingsReader

    address = server_address(SettingsReader().resolve().settings.engine)
    return address.host if address is not None else ""
