"""What was measured of a model on this machine when it was added: a small file next to its conversions."""

import json
import math
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from aide_lsp.catalog.cards import Card
from aide_lsp.catalog.store import data_folder, folder_of
from aide_lsp.errors import ModelFilesError
from aide_lsp.plain_file import read_json

FILE = "measured.json"
MOST_START_UP = 100_000_000
"""Weights of a model whose conversion says little about others."""


@frozen
class Measured:
    """Figures of one model and recipe."""

    recipe: str
    parameters: int = 0
    """Number of weights; 0 if unknown."""
    conversion_seconds: float = 0.0
    """How long the conversion took; 0: it was here already."""
    prefill: float = 0.0
    """Tokens of a prompt per second; 0: not measured."""
    generation: float = 0.0
    """Generated tokens per second; 0: not measured."""
    hole: str = ""
    """How the self-test's hole was filled."""


def read_measured(card: Card) -> Measured | None:
    """Return what was measured of a model; None: nothing, or the file cannot be used."""
    return _read(folder_of(card) / FILE)


def write_measured(card: Card, measured: Measured) -> None:
    """Keep what was measured. Nothing depends on it, so a file that cannot be written is no error."""
    file = folder_of(card) / FILE
    unfinished = file.with_suffix(".partial")
    with suppress(OSError):
        unfinished.write_text(json.dumps(asdict(measured)) + "\n", encoding="utf-8")
        unfinished.replace(file)


def conversion_rate(recipe: str) -> float:
    """Return the weights per second of the latest conversion by a recipe on this machine; 0 if unknown."""
    files = sorted((data_folder() / "models").glob(f"*/{FILE}"), key=_time, reverse=True)
    found = (one for one in map(_read, files) if one is not None and one.recipe == recipe)
    return next((one.parameters / one.conversion_seconds for one in found if _says_rate(one)), 0.0)


def _says_rate(one: Measured) -> bool:
    # Conversions of small models are mostly start-up.
    return one.conversion_seconds > 0 and one.parameters > MOST_START_UP


def _read(file: Path) -> Measured | None:
    try:
        found = read_json(file)
    except ModelFilesError:
        return None
    return Measured(
        recipe=str(found.get("recipe", ""))[:40],
        hole=str(found.get("hole", ""))[:200],
        **dict(_numbers(found)),
    )


def _numbers(found: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in ("parameters", "conversion_seconds", "prefill", "generation"):
        value = found.get(name, 0)
        if (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and math.isfinite(value)
            and value >= 0
        ):
            yield name, value


def _time(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
