"""`aide models list` and `aide models show`: what there is, what it needs, and what was measured here."""

from typing import TYPE_CHECKING, Any

from attrs import asdict

if TYPE_CHECKING:
    from aide_lsp.catalog.cards import Card, Catalog
    from aide_lsp.catalog.store import DiskState

HEAD = ("", "ID", "FORMAT", "CONTEXT", "FILE", "DISK", "MEMORY", "SPEED", "STATE")


def all_facts() -> tuple[list[dict[str, Any]], list[str]]:
    """Return what is known of each model, and what is wrong with cards that cannot be used."""
    from aide_lsp.catalog.cards import load_catalog

    catalog = load_catalog()
    speeds, used = _speeds(), _used(catalog)
    found = [_facts(card, catalog, used, speeds) for card in catalog.cards.values()]
    return found, [str(error) for error in catalog.errors]


def facts_of_card(card: "Card", catalog: "Catalog") -> dict[str, Any]:
    """Return what is known of one model, for a program."""
    return _facts(card, catalog, _used(catalog), _speeds())


def _facts(card: "Card", catalog: "Catalog", used: "Card | None", speeds: dict[str, float]) -> dict[str, Any]:
    from aide_lsp.catalog import store
    from aide_lsp.catalog.cards import shipped_folder
    from aide_lsp.catalog.measured import read_measured

    state, measured = store.state_of(card), read_measured(card)
    return {
        "id": card.id,
        "name": card.name,
        "license": card.license,
        "description": card.description,
        "default": card == catalog.default(),
        "used": card == used,
        "added": not card.origin.is_relative_to(shipped_folder()),
        "format": card.fim,
        "context_length": card.context_length,
        "end_tokens": list(card.end_tokens),
        "context_share": card.context_share,
        "default_recipes": dict(card.recipes),
        "size": card.size,
        "path": str(card.path) if card.path else None,
        "fetched": state.fetched,
        "recipes": list(state.recipes),
        "bytes_on_disk": state.size,
        "memory_needed": _memory(card, state),
        "tokens_per_second": speeds.get(card.id) or (measured.generation if measured else 0.0) or None,
        "measured": asdict(measured) if measured else None,
        "state": _state_words(card, state),
        "card": str(card.origin),
    }


def row_of(facts: dict[str, Any]) -> tuple[str, ...]:
    """Return a model's row in the list."""
    from aide_lsp.disk import megabytes

    disk, memory = (
        megabytes(facts[key]) if facts[key] else "-" for key in ("bytes_on_disk", "memory_needed")
    )
    rate = facts["tokens_per_second"]
    return (
        "*" if facts["used"] else "",
        facts["id"],
        facts["format"] or "-",
        f"{facts['context_length']:,}",
        megabytes(facts["size"]) if facts["size"] else "own file",
        disk,
        memory,
        f"{rate:.0f} tokens/s" if rate else "-",
        facts["state"],
    )


def page_of(facts: dict[str, Any]) -> list[str]:
    """Return everything about one model as lines."""
    from aide_lsp.disk import megabytes

    measured = facts["measured"] or {}
    recipes = ", ".join(f"{recipe} on {device}" for device, recipe in facts["default_recipes"].items())
    speed = (
        f"{measured['prefill']:.0f} tokens/s prefilled, {measured['generation']:.0f} tokens/s generated with "
        f"the recipe {measured['recipe']}, when it was added"
        if measured.get("generation")
        else ""
    )
    latest = (
        f"{facts['tokens_per_second']:.0f} tokens/s lately"
        if facts["tokens_per_second"] and not speed
        else ""
    )
    rows = {
        "Name": facts["name"],
        "About": facts["description"],
        "License": facts["license"] if facts["license"] != "unknown" else "not stated",
        "Card": facts["card"],
        "File": facts["path"] or megabytes(facts["size"]),
        "Format": facts["format"] or "none: it continues the text before the cursor",
        "Context": f"{facts['context_length']:,} tokens",
        "End tokens": " ".join(facts["end_tokens"]) or "none",
        "Other files": f"{facts['context_share']:g} of Num Context, unless you set context_share",
        "Recipes": "" if facts["recipes"] == ["imported"] else recipes,
        "State": facts["state"],
        "Disk": megabytes(facts["bytes_on_disk"]) if facts["bytes_on_disk"] else "",
        "Memory": megabytes(facts["memory_needed"]) if facts["memory_needed"] else "",
        "Speed": speed or latest,
        "Test": f"filled in {measured['hole']}" if measured.get("hole") else "",
    }
    return [facts["id"], *(f"  {name:<11} {text}" for name, text in rows.items() if text)]


def _used(catalog: "Catalog") -> "Card | None":
    """Return the card of the model in the settings; None: there is none."""
    from aide_lsp.errors import CardError
    from aide_lsp.settings.reader import SettingsReader

    model = SettingsReader().resolve().settings.model
    try:
        return catalog.default() if model is None else catalog.find(model)
    except CardError:
        return None


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
        figures = entry.figures
        seconds = (figures.total_ms - figures.first_token_ms) / 1e3
        if figures.generated_tokens > 1 and seconds > 0:
            rates.setdefault(entry.provenance.model, []).append((figures.generated_tokens - 1) / seconds)
    return {model: median(found) for model, found in rates.items()}


def _memory(card: "Card", state: "DiskState") -> int | None:
    """Return the bytes of memory that the largest conversion needs; None: there is no conversion."""
    from aide_lsp.catalog import store
    from aide_lsp.cli.checks import memory_needed

    return max(
        (memory_needed(store.converted_folder(card, recipe)) for recipe in state.recipes), default=None
    )


def _state_words(card: "Card", state: "DiskState") -> str:
    if state.recipes:
        return f"converted: {', '.join(state.recipes)}"
    if card.path is not None:
        return "not converted" if state.fetched else f"missing: {card.path}"
    if state.fetched:
        return "fetched"
    return f"{100 * state.begun // card.size} % fetched" if state.begun else "not fetched"
