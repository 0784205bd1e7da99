"""From the source that a user names to a card: looks, checks, drafts. Downloads and writes nothing."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attrs import evolve, frozen

from aide_lsp.catalog.adding.cost import conversion_size
from aide_lsp.catalog.adding.draft import card_text, id_from
from aide_lsp.catalog.adding.exported import export_facts, find_model_file
from aide_lsp.catalog.adding.facts import ModelFacts, facts_of
from aide_lsp.catalog.adding.hub_repository import HubFile, look_up, read_header
from aide_lsp.catalog.adding.source import HubAddress, LocalSource
from aide_lsp.catalog.card_rules import CARD
from aide_lsp.catalog.cards import Card, Catalog, parse_card, shipped_folder, user_folder
from aide_lsp.catalog.text import one_line
from aide_lsp.errors import CardError, ConversionError, ModelFilesError
from aide_lsp.plain_file import NotRegularError, open_regular
from aide_lsp.progress import Progress

LOCAL_HEADER_BYTES = 64 << 20
"""Of a file on the disk, this much is looked at: far more than any vocabulary."""
MOST_CHARACTERS = 500
"""Of the sentence that refuses a file."""
_ADVICE: Mapping[str, str] = {
    ".onnx": "Add the folder that holds it, with its tokenizer.json",
    ".safetensors": "Look for the same model as GGUF, or convert it with llama.cpp's convert_hf_to_gguf.py",
    ".bin": "Look for the same model as GGUF",
    ".pt": "Look for the same model as GGUF",
}


@frozen
class NewModel:
    """A model to add, and its card."""

    card: Card
    text: str | None
    """The card's text; None: there is such a card already."""
    facts: ModelFacts
    file: str
    """Name of the model file or folder, as the user knows it."""
    size: int
    """Bytes of the model file, or of the exported files."""
    notes: tuple[str, ...]
    """What the user should know, in sentences."""
    others: tuple[str, ...] = ()
    """Other files of the repository that could have been chosen."""

    @property
    def is_export(self) -> bool:
        """Whether it is a folder with an ONNX model."""
        return self.card.path is not None and self.card.path.is_dir()


def plan_model(
    source: LocalSource | HubAddress,
    catalog: Catalog,
    model_id: str | None,
    fim: str | None,
    progress: Progress = lambda *_: None,
) -> NewModel:
    """Look at a source and draft its card; or find the card that it has.

    Args:
        source: what the user has named.
        catalog: all cards.
        model_id: of the card; None: drafted from the file's name.
        fim: name of the FIM format; None: found out.
        progress: called with what takes time.

    Raises:
        DownloadError: the Hub does not provide the file.
        ConversionError, ModelFilesError: Aide cannot run the model.
        CardError: the id is not valid, or is another card's.
    """
    if isinstance(source, HubAddress):
        progress(None, f"Asking the Hugging Face Hub for {source.repo}.")
        file = look_up(source)
        progress(None, f"Reading the metadata of {file.file}.")
        facts = read_header(file, lambda data: _parsed(data, Path(file.file).name, file.size, fim))
        return _hub_plan(file, facts, catalog, model_id, fim)
    path = find_model_file(source.path)
    if path.is_dir():
        facts, size = export_facts(path, fim)
    else:
        facts, size = _look_at_file(path, fim)
    return _local_plan(path, facts, size, catalog, model_id, fim)


def _parsed(data: bytes, name: str, size: int, fim: str | None) -> ModelFacts | None:
    """Return the facts in the beginning of a file; None: it is too short."""
    from aide_lsp.convert.gguf_file import read_gguf_header

    try:
        header = read_gguf_header(data, name)
        return None if header is None else facts_of(header, size, fim)
    except ConversionError as error:
        # It may quote what the file says, of any length.
        raise ConversionError(one_line(str(error), MOST_CHARACTERS)) from error


def _look_at_file(path: Path, fim: str | None) -> tuple[ModelFacts, int]:
    from aide_lsp.convert.gguf_file import open_gguf

    try:
        # What a link leads to, since the user has named it.
        with open_regular(path.resolve()) as file:
            data, size = file.read(LOCAL_HEADER_BYTES), file.seek(0, 2)
    except NotRegularError as error:
        raise ModelFilesError(f"{path} is not a regular file.") from error
    except (OSError, ValueError) as error:
        raise ModelFilesError(f"{path} cannot be read: {getattr(error, 'strerror', error)}.") from error
    if data[:4] != b"GGUF":
        advice = _ADVICE.get(path.suffix.lower(), "Give the path of a GGUF file")
        raise ConversionError(f"{path.name} is not a GGUF file. {advice}")
    facts = _parsed(data, path.name, size, fim)
    if facts is None:
        raise ConversionError(
            f"{path.name} ends within its metadata: it is damaged or incomplete. Copy it again"
        )
    # All of it is here, so that it can also be seen whether each tensor is.
    open_gguf(path.resolve())
    return facts, size


def _hub_plan(
    file: HubFile, facts: ModelFacts, catalog: Catalog, model_id: str | None, fim: str | None
) -> NewModel:
    twins = [card for card in catalog.cards.values() if card.sha256 == file.sha256]
    known = _same(twins, model_id)
    keys = {
        "license": one_line(file.license) or facts.license or "unknown",
        "file": _file_name(file.file),
        "size": file.size,
        "sha256": file.sha256,
        "converted_size": conversion_size(facts.parameters, facts.quantization, facts.recipes["cpu"]),
        **_common(facts),
        "sources": [{"kind": "hub", "repo": file.repo, "file": file.file, "revision": file.commit}],
    }
    head = f"https://huggingface.co/{file.repo} ; drafted by `aide models add` from the file's own metadata."
    plan = _plan(head, Path(file.file).name, file.size, keys, facts, catalog, model_id, known, fim)
    shipped = [card.id for card in twins if card.origin.is_relative_to(shipped_folder())]
    note = (
        f"It is the same file as that of the model {shipped[0]}, which Aide has a card for."
        if shipped
        else ""
    )
    return evolve(plan, others=file.others, notes=(*plan.notes, *filter(None, [note])))


def _local_plan(
    path: Path, facts: ModelFacts, size: int, catalog: Catalog, model_id: str | None, fim: str | None
) -> NewModel:
    real = path.resolve()
    known = _same([card for card in catalog.cards.values() if card.path == real], model_id)
    if not str(path).isprintable():
        raise ModelFilesError(f"{path} has characters in its path that no card can hold. Rename or move it.")
    keys = {"license": facts.license or None, "path": str(path), **_common(facts)}
    head = "Drafted by `aide models add` from the file's own metadata."
    return _plan(head, path.name, size, keys, facts, catalog, model_id, known, fim)


def _plan(
    head: str,
    file: str,
    size: int,
    keys: dict[str, Any],
    facts: ModelFacts,
    catalog: Catalog,
    model_id: str | None,
    known: Card | None,
    fim: str | None,
) -> NewModel:
    if known is not None:
        if fim is not None and fim != known.fim:
            raise CardError(
                f"The card {known.origin} is for the same file, with {_format(known.fim)}. To change that, "
                f'write fim = "{fim}" into it, or add the file once more with another --id.'
            )
        return NewModel(known, None, facts, file, size, facts.notes)
    model_id = _checked_id(model_id, catalog) if model_id else id_from(file, catalog.cards)
    named = {"id": model_id, "name": facts.name or file, "description": _description(facts) or None}
    text = card_text(head, named | keys)
    card = parse_card(text.encode("utf-8"), user_folder() / f"{model_id}.toml")
    return NewModel(card, text, facts, file, size, facts.notes)


def _format(fim: str | None) -> str:
    return f"the format {fim}" if fim else "no format"


def _same(cards: list[Card], model_id: str | None) -> Card | None:
    """Return the user's own card for a source, unless another id is wanted."""
    own = [card for card in cards if card.origin.is_relative_to(user_folder())]
    return next((card for card in own if model_id in (None, card.id)), None)


def _checked_id(model_id: str, catalog: Catalog) -> str:
    if not CARD["id"].accepts(model_id):
        raise CardError(
            f"{model_id!r} cannot be an id. Expected {CARD['id'].expected}, with a letter or digit at both "
            "ends."
        )
    if model_id in catalog.cards:
        raise CardError(
            f"The id {model_id!r} is that of another model, in {catalog.cards[model_id].origin}. Choose "
            "another with --id."
        )
    return model_id


def _common(facts: ModelFacts) -> dict[str, Any]:
    return {
        "context_length": facts.context_length,
        "fim": facts.fim,
        "end_tokens": list(facts.end_tokens),
        "recipes": facts.recipes or None,
    }


def _description(facts: ModelFacts) -> str:
    stored = f", mostly {facts.quantization}" if facts.quantization else ""
    return f"{facts.architecture}{stored}" if facts.architecture else ""


def _file_name(file: str) -> str:
    """Return the name that a downloaded file gets, which a card and every file system take."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(file).name).strip("._-")
    return name or "model.gguf"
