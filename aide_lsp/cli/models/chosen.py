"""Which model and recipe a subcommand is about, and what it prints about the result."""

from typing import TYPE_CHECKING, Any

import click

from aide_lsp.cli.errors import json_text
from aide_lsp.cli.options import MODEL, RECIPE
from aide_lsp.cli.terminal import say

if TYPE_CHECKING:
    from aide_lsp.catalog.cards import Card

model_argument = click.argument("model_id", metavar="[ID]", required=False, type=MODEL)
recipe_option = click.option(
    "--recipe",
    type=RECIPE,
    help="exact, int4 or fast (CPU), int4 or fp16 (CUDA).  [default: the best one for this machine]",
)


def chosen_card(model_id: str | None) -> "Card":
    """Return the card with this id; without one, that of the model in the settings."""
    from aide_lsp.catalog.cards import load_catalog
    from aide_lsp.loading import card_of
    from aide_lsp.settings.reader import SettingsReader

    return load_catalog().find(model_id) if model_id else card_of(SettingsReader().resolve().settings)


def chosen_recipe(name: str | None, card: "Card") -> str:
    """Return the recipe that was named, or the best one for this machine."""
    from attrs import evolve

    from aide_lsp.loading import choose_recipe
    from aide_lsp.settings.reader import SettingsReader

    settings = SettingsReader().resolve().settings
    return choose_recipe(evolve(settings, recipe=name) if name else settings, card)


def answer(facts: dict[str, Any], sentence: str, as_json: bool) -> None:
    """Print a result: facts for a program, or a sentence."""
    say(json_text(facts) if as_json else sentence)
