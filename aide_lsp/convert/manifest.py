"""Writes `manifest.json`: what a model folder contains, with the sha256 of every file.

`inference` reads it before it opens anything.
"""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

import aide_lsp
from aide_lsp.convert.architecture import Architecture
from aide_lsp.disk import sha256_of, sync_folder
from aide_lsp.inference.onnx.model_folder import FORMAT, MANIFEST, is_intact, seal


@frozen
class CardFacts:
    """What a conversion needs from a model card."""

    id: str
    fim: str | None
    """Name of the FIM format; None if the model has none."""
    end_tokens: Sequence[str]
    """Special tokens that end a completion."""
    source_sha256: str
    """Of the file to convert."""


@frozen
class ConvertedModel:
    """What a conversion produced."""

    recipe: str
    """Recipe the weights are stored by."""
    architecture: Architecture
    kv_dtype: str
    """Element type of the KV cache."""
    candidate_count: int
    """Candidates that leave the graph for each position."""
    end_tokens: Sequence[int]
    """Ids of the card's end tokens."""
    bos: int | None = None
    """Id of the token that every prompt begins with, if the model was trained with one."""


def write_manifest(folder: Path, card: CardFacts, model: ConvertedModel) -> None:
    """Hash the files of `folder` and write their manifest."""
    a = model.architecture
    content = {
        "format": FORMAT,
        "model": card.id,
        "recipe": model.recipe,
        "layout": "aide",
        "source_sha256": card.source_sha256,
        "aide_version": aide_lsp.__version__,
        "architecture": a.name,
        "context_length": a.context_length,
        "vocab_size": a.vocab_size,
        "hidden_size": a.hidden_size,
        "layer_count": a.layer_count,
        "kv_head_count": a.kv_head_count,
        "head_dim": a.head_dim,
        "kv_dtype": model.kv_dtype,
        "candidate_count": model.candidate_count,
        "fim": card.fim,
        "end_tokens": list(model.end_tokens),
        "bos": model.bos,
        "files": {
            # Sorted, so that a conversion can be repeated to the byte.
            path.name: _file_record(path)
            for path in sorted(folder.iterdir())
            if path.name != MANIFEST
        },
    }
    (folder / MANIFEST).write_text(json.dumps(seal(content), indent=2) + "\n", encoding="utf-8")


def _file_record(path: Path) -> dict[str, Any]:
    """Return size and sha256 of `path`."""
    return {"sha256": sha256_of(path), "size": path.stat().st_size}


def holds(folder: Path, card: CardFacts, recipe: str) -> bool:
    """Return whether `folder` is a complete conversion of this card by this recipe, every byte intact."""
    try:
        content = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        wanted = {"format": FORMAT, "model": card.id, "recipe": recipe, "source_sha256": card.source_sha256}
        if not is_intact(content) or any(content.get(key) != value for key, value in wanted.items()):
            return False
        return all(_file_record(folder / name) == record for name, record in content["files"].items())
    # Whatever is wrong with it, converting again corrects it.
    except (OSError, ValueError, KeyError, AttributeError):
        return False


def sync_files(folder: Path) -> None:
    """Make the files of `folder` and their names durable."""
    for path in folder.iterdir():
        # Windows syncs only files that are open for writing.
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    sync_folder(folder)
