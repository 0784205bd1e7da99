"""`aide models add`: looks at a model, says what it is and costs, asks, then fetches, converts and tests it.

A card is written when the user agrees, and first of all: an interrupted download can then be seen in the
list, continued and removed. It stays if anything is on the disk that a second run would use.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click
from attrs import asdict, frozen

from aide_lsp.cli.errors import json_text
from aide_lsp.cli.models.chosen import chosen_recipe
from aide_lsp.cli.models.found import cost_lines, found_lines
from aide_lsp.cli.progress import terminal_progress
from aide_lsp.cli.terminal import say
from aide_lsp.errors import AideError
from aide_lsp.server_address import server_address

if TYPE_CHECKING:
    from aide_lsp.bench.acceptance import Acceptance, Check
    from aide_lsp.catalog.adding.cost import Cost
    from aide_lsp.catalog.adding.plan import NewModel
    from aide_lsp.catalog.cards import Card

Tell = Callable[[str], None]


@frozen
class AddOptions:
    """How a model is added."""

    model_id: str | None
    """Of the card; None: from the name of the file."""
    fim: str | None
    """Name of the FIM format; None: found out."""
    yes: bool
    """Nothing is asked."""
    test: bool
    use: bool
    """It becomes the model in the user's settings."""
    as_json: bool


def add_model(words: str, options: AddOptions) -> None:
    """Add the model that a user names.

    Raises:
        AideError: it cannot be added; nothing is left on the disk, or the message says what is.
    """
    from aide_lsp.catalog.adding.plan import plan_model
    from aide_lsp.catalog.adding.source import parse_source
    from aide_lsp.catalog.cards import load_catalog
    from aide_lsp.catalog.store import IMPORTED

    # What a program reads is on stdout alone.
    tell: Tell = lambda text: say(text, err=options.as_json)  # noqa: E731
    try:
        with terminal_progress() as progress:
            plan = plan_model(parse_source(words), load_catalog(), options.model_id, options.fim, progress)
    except AideError as error:
        raise click.ClickException(f"{_sentence(error)} Nothing was added.") from error
    # An export is used as it is.
    recipe = IMPORTED if plan.is_export else chosen_recipe(None, plan.card)
    cost = _cost(plan, recipe)
    for line in (*found_lines(plan), *cost_lines(plan, cost, recipe)):
        tell(line)
    _check_room(plan, cost, recipe)
    _agree(plan, options)
    result = _add(plan, recipe, options, tell)
    if options.use or (result is not None and _wants_to_use(plan, options)):
        tell(use_model(plan.card.id))
    else:
        tell(f"To use it: aide models use {plan.card.id}")
    if options.as_json:
        say(json_text(_facts(plan, recipe, cost, result)))


def _sentence(error: AideError) -> str:
    text = str(error)
    return text if text.endswith((".", "?")) else f"{text}."


def use_model(model_id: str) -> str:
    """Write the model into the user's settings; return a sentence that says so."""
    from aide_lsp.settings.edit import write_user_values
    from aide_lsp.settings.files import user_file
    from aide_lsp.settings.reader import SettingsReader

    write_user_values(user_file(), {"model": model_id})
    written = f'model = "{model_id}" in {user_file()}'
    engine = SettingsReader().resolve().settings.engine
    if server_address(engine):
        return f'Written: {written}. It is used once engine is "local"; now a server runs the model: {engine}'
    return f"Aide uses it from now on: {written}"


def _cost(plan: "NewModel", recipe: str) -> "Cost":
    from aide_lsp.catalog import measured, store
    from aide_lsp.catalog.adding import cost

    state = store.state_of(plan.card)
    is_converted = store.is_converted(store.converted_folder(plan.card, recipe))
    left = 0 if plan.card.path or state.fetched else plan.card.size - state.begun
    if plan.is_export:
        return cost.cost_of_import(plan.size, is_converted=is_converted)
    return cost.cost_of(
        plan.facts.parameters,
        plan.facts.quantization,
        recipe,
        left,
        is_converted=is_converted,
        measured=measured.conversion_rate(recipe),
    )


def _check_room(plan: "NewModel", cost: "Cost", recipe: str) -> None:
    """Refuse what does not fit on the disk or into memory."""
    from aide_lsp.catalog import store
    from aide_lsp.catalog.adding.cost import disk_shortage
    from aide_lsp.inference.memory import shortage
    from aide_lsp.inference.onnx.runtime import thread_count
    from aide_lsp.settings.reader import SettingsReader

    if (sentence := disk_shortage(cost, store.data_folder(), plan.card.name)) is not None:
        raise click.ClickException(f"{sentence} Nothing was added.")
    # A GPU has its own memory.
    if recipe.endswith("fp16"):
        return
    threads = thread_count(SettingsReader().resolve().settings.threads)
    if (sentence := shortage(cost.files, not plan.is_export, threads)) is not None:
        raise click.ClickException(f"{sentence} Nothing was added.")


def _agree(plan: "NewModel", options: AddOptions) -> None:
    if options.yes:
        return
    if not sys.stdin.isatty():
        raise click.ClickException(
            "Nothing was added: there is no terminal to ask for your consent. Add --yes to the command to "
            "give it."
        )
    click.confirm(f"\nAdd it as {plan.card.id}?", default=True, abort=True, err=options.as_json)


def _add(plan: "NewModel", recipe: str, options: AddOptions, tell: Tell) -> "Acceptance | None":
    """Write the card, fetch, convert and test; return the results of the tests."""
    from aide_lsp.catalog.adding.draft import write_card

    card = plan.card if plan.text is None else write_card(plan.text, plan.card.id)
    with _kept_if_useful(card, is_new=plan.text is not None):
        folder, seconds = _prepare(card, recipe)
    if not options.test:
        tell(f"\n{card.name} is ready, and not tested.")
        return None
    tell("\nSelf-test")
    try:
        result = _test(folder, lambda check: tell(_line(check)))
    # It could not be tested.
    except AideError as error:
        raise click.ClickException(f"{_sentence(error)} {_what_is_left(card, kept=True)}") from error
    if not result.passed:
        raise click.ClickException(_removed(card) if plan.text is not None else _failed(card))
    _keep(plan, recipe, seconds, result)
    assert result.speed is not None
    tell(
        f"        Speed        {result.speed.prefill:.0f} tokens/s prefilled, {result.speed.generation:.0f} "
        f"tokens/s generated ({result.device})"
    )
    tell(f"\n{card.name} is ready.")
    return result


@contextmanager
def _kept_if_useful(card: "Card", *, is_new: bool) -> Iterator[None]:
    """After a failure or an interruption, keep a new card only if something is on the disk for it."""
    try:
        yield
    except BaseException as error:
        kept = not is_new or _has_something(card)
        if not kept:
            card.origin.unlink(missing_ok=True)
        if isinstance(error, AideError):
            raise click.ClickException(f"{_sentence(error)} {_what_is_left(card, kept=kept)}") from error
        raise


def _has_something(card: "Card") -> bool:
    from aide_lsp.catalog import store

    state = store.state_of(card)
    return bool(state.recipes or state.begun or (card.path is None and state.fetched))


def _what_is_left(card: "Card", *, kept: bool) -> str:
    if not kept:
        return "Nothing was added."
    return (
        f"Its card stays ({card.origin}): the same command continues, and `aide models remove {card.id} "
        "--card` removes what is there."
    )


def _prepare(card: "Card", recipe: str) -> tuple[Path, float]:
    """Fetch and convert a model; return the folder, and the seconds that the conversion took; 0: none."""
    from aide_lsp.catalog import store

    with terminal_progress() as progress:
        if store.is_converted(store.converted_folder(card, recipe)):
            return store.ensure(card, recipe, progress), 0.0
        if card.path is None:
            progress(None, "You can interrupt this at any time: the same command continues where it stopped.")
        store.fetch(card, progress)
        started = perf_counter()
        return store.ensure(card, recipe, progress), perf_counter() - started


def _test(folder: Path, report: "Callable[[Check], None]") -> "Acceptance":
    from aide_lsp.bench.acceptance import accept
    from aide_lsp.settings.reader import SettingsReader

    return accept(folder, SettingsReader().resolve().settings, report)


def _line(check: "Check") -> str:
    return f"  {check.level:<4}  {check.what:<11}  {check.detail}"


def _removed(card: "Card") -> str:
    """Remove a model that cannot be used, and say so."""
    from aide_lsp.catalog import store

    with terminal_progress() as progress:
        store.remove(card, progress)
    card.origin.unlink(missing_ok=True)
    own = f" Your own file stays: {card.path}" if card.path else " The download is removed, too."
    return f"{card.name} cannot be used, so its card and its conversion are removed.{own}"


def _failed(card: "Card") -> str:
    """Say that a model cannot be used which was not added now: its card may be the user's own work."""
    return (
        f"{card.name} cannot be used. Its card was there before, so everything stays. Correct {card.origin}, "
        f"or run `aide models remove {card.id} --card`."
    )


def _keep(plan: "NewModel", recipe: str, seconds: float, result: "Acceptance") -> None:
    from aide_lsp.catalog.measured import Measured, read_measured, write_measured

    speed, earlier = result.speed, read_measured(plan.card)
    if not seconds and earlier is not None and earlier.recipe == recipe:
        seconds = earlier.conversion_seconds
    figures = Measured(
        recipe=recipe,
        parameters=plan.facts.parameters,
        conversion_seconds=seconds,
        prefill=speed.prefill if speed else 0.0,
        generation=speed.generation if speed else 0.0,
        hole=result.hole,
    )
    write_measured(plan.card, figures)


def _wants_to_use(plan: "NewModel", options: AddOptions) -> bool:
    """Ask whether it becomes the model in the user's settings, where someone can answer."""
    from aide_lsp.settings.reader import SettingsReader

    if options.yes or not sys.stdin.isatty():
        return False
    if SettingsReader().resolve().settings.model == plan.card.id:
        return True
    return click.confirm("Use it from now on?", default=True, err=options.as_json)


def _facts(plan: "NewModel", recipe: str, cost: "Cost", result: "Acceptance | None") -> dict[str, Any]:
    return {
        "id": plan.card.id,
        "card": str(plan.card.origin),
        "found": asdict(plan.facts) | {"file": plan.file, "size": plan.size, "license": plan.card.license},
        "recipe": recipe,
        "cost": {**asdict(cost), "disk": cost.disk},
        "test": asdict(result) if result else None,
    }
