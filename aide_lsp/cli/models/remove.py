"""`aide models remove`: a model's files, and the user's own card of it."""

from typing import TYPE_CHECKING

import click

from aide_lsp.cli.models.chosen import answer
from aide_lsp.cli.progress import terminal_progress

if TYPE_CHECKING:
    from aide_lsp.catalog.cards import Card


def remove_model(card: "Card", *, yes: bool, with_card: bool, as_json: bool) -> None:
    """Remove what Aide keeps of a model, and its card if it is the user's own and they want that."""
    from aide_lsp.catalog import store
    from aide_lsp.catalog.cards import shipped_folder
    from aide_lsp.disk import megabytes

    is_own = not card.origin.is_relative_to(shipped_folder())
    if with_card and not is_own:
        raise click.ClickException(
            f"The card of {card.name} comes with Aide and stays. Without --card, the model's files are "
            "removed."
        )
    size = store.state_of(card).size
    if not size and not (is_own and with_card):
        card_stays = f" To remove its card: aide models remove {card.id} --card" if is_own else ""
        answer({"model": card.id, "freed": 0}, f"{card.name} is not on this machine.{card_stays}", as_json)
        return
    if not yes:
        what = (
            f"{card.name} ({megabytes(size)}) from {store.folder_of(card)}"
            if size
            else f"the card {card.origin}"
        )
        click.confirm(
            f"Remove {what}{' and its card' if size and with_card else ''}?", abort=True, err=as_json
        )
        # A card that is left is offered once more: without it, the model is gone from every list.
        if is_own and not with_card:
            with_card = click.confirm(f"Remove its card, too ({card.origin})?", default=False, err=as_json)
    with terminal_progress() as progress:
        freed = store.remove(card, progress)
    if with_card:
        card.origin.unlink(missing_ok=True)
    own = f" Your own file stays: {card.path}" if card.path else ""
    message = f"{card.name} is removed{' with its card' if with_card else ''}: {megabytes(freed)} freed.{own}"
    answer({"model": card.id, "freed": freed, "card_removed": with_card}, message, as_json)
