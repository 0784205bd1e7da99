"""Takes over an ONNX decoder that somebody else exported, as a model folder of its own.

In: the user's folder (graph, weights, tokenizer.json), the model card that names it. Out: a folder with the
same files and a manifest that adds what the card says: FIM format, end tokens, context length. Files are
linked where the disk allows it, so that nothing is kept twice; the user's folder is only read.
It does not look into the graph: `inference` reads inputs and outputs from it when it is opened.
"""

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from aide_lsp import __version__
from aide_lsp.catalog.cards import Card
from aide_lsp.catalog.partial import sha256_of, sync_folder, writing_to
from aide_lsp.errors import CardError, ModelFilesError
from aide_lsp.inference.model_folder import FORMAT, MANIFEST, ModelInfo, read_model_folder, seal

TOKENIZER = "tokenizer.json"


def import_export(card: Card, source: Path, destination: Path) -> Path:
    """Make the folder `destination` from the user's folder; it appears as a whole or not at all.

    Raises:
        ModelFilesError: there is no graph or no tokenizer in `source`.
        CardError: the card names an end token that the tokenizer does not know.
    """
    info = read_model_folder(source)
    end_tokens = sorted(info.end_tokens | set(_token_ids(card, source / TOKENIZER)))
    unfinished = destination.with_name(f".{destination.name}.partial")
    shutil.rmtree(unfinished, ignore_errors=True)
    with writing_to(destination.parent):
        try:
            names = list(_needed_files(source, info))
            for name in names:
                _link_or_copy(source / name, unfinished / name)
            manifest = _manifest(card, info, end_tokens, unfinished, names)
            (unfinished / MANIFEST).write_text(json.dumps(seal(manifest), indent=2) + "\n", encoding="utf-8")
            shutil.rmtree(destination, ignore_errors=True)
            unfinished.rename(destination)
            sync_folder(destination.parent)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return destination


def _token_ids(card: Card, tokenizer: Path) -> Iterator[int]:
    """Give the ids of the card's end tokens."""
    if not card.end_tokens:
        return
    try:
        content = json.loads(tokenizer.read_text(encoding="utf-8"))
        known = {token["content"]: int(token["id"]) for token in content.get("added_tokens", ())}
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelFilesError(f"{tokenizer} cannot be read: {error!r}.") from error
    for token in card.end_tokens:
        if token not in known:
            raise CardError(
                f"{card.origin}: end_tokens: {token!r} is no special token of {tokenizer}. "
                f"It has {', '.join(sorted(known)) or 'none'}."
            )
        yield known[token]


def _needed_files(source: Path, info: ModelInfo) -> Iterator[str]:
    """Name the tokenizer, the graph, and all beside the graph that may hold its weights."""
    yield TOKENIZER
    yield info.graph
    beside = (source / info.graph).parent
    for file in sorted(beside.iterdir()):
        name = file.relative_to(source).as_posix()
        if file.is_file() and file.suffix not in {".onnx", ".json"} and not name.startswith("."):
            yield name


def _link_or_copy(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:
        shutil.copyfile(source, target)


def _manifest(
    card: Card, info: ModelInfo, end_tokens: list[int], folder: Path, names: list[str]
) -> dict[str, Any]:
    files = {
        name: {"sha256": sha256_of(folder / name), "size": (folder / name).stat().st_size} for name in names
    }
    said_by_card = {
        "model": card.id,
        "context_length": card.context_length,
        "fim": card.fim,
        "end_tokens": end_tokens,
    }
    return (
        {"format": FORMAT} | attrs.asdict(info) | said_by_card | {"aide_version": __version__, "files": files}
    )
