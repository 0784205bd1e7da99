"""What `aide models add` says before it starts: what was found, and what it will cost."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aide_lsp.catalog.adding.cost import Cost
    from aide_lsp.catalog.adding.plan import NewModel

MOST_TOKENS = 6
"""End tokens that are named."""


def found_lines(plan: "NewModel") -> Iterator[str]:
    """Yield lines that describe a model."""
    from aide_lsp.disk import megabytes

    facts, card = plan.facts, plan.card
    if plan.others:
        yield f"Chosen: {plan.file}. Also there: {', '.join(plan.others)}"
    yield f"\n{card.name}"
    stored = f", mostly {facts.quantization}" if facts.quantization else ""
    yield _row("File", f"{plan.file}, {megabytes(plan.size)}{stored}")
    yield _row("License", card.license if card.license != "unknown" else "not stated")
    yield _row("Architecture", facts.architecture or "not stated")
    yield _row("Tokenizer", facts.vocabulary)
    yield _row("Context", f"{facts.context_length:,} tokens")
    markers = f" (it has {' '.join(facts.fim_tokens)})" if facts.fim_tokens else ""
    yield _row("Format", f"{facts.fim}{markers}" if facts.fim else "none")
    yield _row("End tokens", _some(facts.end_tokens) or "none")
    for note in plan.notes:
        yield _row("Note", note)
    yield _row("Card", f"{card.origin}{' (new)' if plan.text else ' (it is there already)'}")


def cost_lines(plan: "NewModel", cost: "Cost", recipe: str) -> Iterator[str]:
    """Yield lines that say what adding it will take."""
    from aide_lsp.catalog import store
    from aide_lsp.catalog.adding.cost import duration
    from aide_lsp.disk import megabytes

    yield "\nThis will take about"
    yield _row("Download", megabytes(cost.download) if cost.download else "nothing: the file is here")
    what = "a copy" if plan.is_export else f"the conversion, recipe {recipe}"
    with_file = f"{megabytes(cost.download)} for the file and " if cost.download else ""
    if cost.conversion:
        yield _row("Disk", f"{with_file}{megabytes(cost.conversion)} for {what}, in {store.data_folder()}")
    else:
        yield _row("Disk", "nothing more: it is converted already")
    reclaimed = "" if plan.is_export else ", most of which the system can reclaim"
    yield _row("Memory", f"{megabytes(cost.memory)} while it is used{reclaimed}")
    if cost.seconds:
        yield _row("Time", f"{duration(cost.seconds)} to convert it, {cost.basis} (estimated from its size)")


def _some(tokens: tuple[str, ...]) -> str:
    shown = " ".join(tokens[:MOST_TOKENS])
    return f"{shown} and {len(tokens) - MOST_TOKENS} more" if len(tokens) > MOST_TOKENS else shown


def _row(name: str, text: str) -> str:
    return f"  {name:<13} {text}"
