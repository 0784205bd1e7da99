"""Imports an ONNX decoder that someone else exported, as a model folder of Aide's own.

The folder gets copies of graph, weights and tokenizer.json, and a manifest with what the card says: FIM
format, end tokens, context length. The user's folder may be hostile: nothing outside it is read, and links
and special files are rejected.
"""

import hashlib
import json
import shutil
import textwrap
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath
from typing import Any

import attrs

from aide_lsp import __version__
from aide_lsp.catalog.cards import Card
from aide_lsp.catalog.external_data import external_files
from aide_lsp.catalog.partial import writing_to
from aide_lsp.disk import sync_folder
from aide_lsp.errors import CardError, ModelFilesError
from aide_lsp.inference.onnx.model_folder import (
    FORMAT,
    MANIFEST,
    UNUSABLE,
    ModelFolder,
    read_model_folder,
    seal,
)
from aide_lsp.plain_file import open_plain, read_json

TOKENIZER = "tokenizer.json"
# protobuf's own limit for a message.
GRAPH_BYTES = 1 << 31
"""Size limit of a graph; larger weights are in other files."""
BLOCK = 1 << 20


def import_export(card: Card, source: Path, destination: Path) -> Path:
    """Create the folder `destination` from the user's folder, complete or not at all.

    Raises:
        ModelFilesError: `source` has no graph or no tokenizer, or a file that it needs is a link, a
            special file, too large, or outside of it.
        CardError: the card names an end token that the tokenizer does not have.
    """
    info = read_model_folder(source)
    end_tokens = sorted(info.end_tokens | set(_token_ids(card, source / TOKENIZER)))
    unfinished = destination.with_name(f".{destination.name}.partial")
    shutil.rmtree(unfinished, ignore_errors=True)
    with writing_to(destination.parent):
        try:
            files = {name: _copy(source, name, unfinished) for name in (TOKENIZER, info.graph)}
            for name in sorted(_weights(source, unfinished, info.graph) - files.keys()):
                files[name] = _copy(source, name, unfinished)
            manifest = _manifest(card, info, end_tokens, files)
            (unfinished / MANIFEST).write_text(json.dumps(seal(manifest), indent=2) + "\n", encoding="utf-8")
            # A rename cannot replace a folder that has files.
            shutil.rmtree(destination, ignore_errors=True)
            unfinished.rename(destination)
            sync_folder(destination.parent)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    return destination


def _token_ids(card: Card, tokenizer: Path) -> Iterator[int]:
    """Yield the ids of the card's end tokens."""
    if not card.end_tokens:
        return
    try:
        added = read_json(tokenizer).get("added_tokens") or ()
        known = {token["content"]: int(token["id"]) for token in added}
    except UNUSABLE as error:
        raise ModelFilesError(f"{tokenizer} cannot be read: {error!r}.") from error
    for token in card.end_tokens:
        if token not in known:
            # A hostile tokenizer may have any number of them.
            shown = textwrap.shorten(", ".join(sorted(known)), 500, placeholder=" ...") or "none"
            raise CardError(
                f"{card.origin}: end_tokens: {token!r} is not a special token of {tokenizer}. It has {shown}."
            )
        yield known[token]


def _weights(source: Path, copied: Path, graph: str) -> set[str]:
    """Return the files that the copied graph reads, as paths in the user's folder."""
    try:
        # The copy, because it is what will be loaded; the user's file may change in between.
        with (copied / graph).open("rb") as file:
            locations = external_files(file)
    except ValueError as error:
        raise ModelFilesError(f"{source / graph} cannot be used: {error}.") from error
    return {_inside(source, graph, location) for location in locations}


def _inside(source: Path, graph: str, location: str) -> str:
    """Return the path of a location, unless it is outside the folder or a file that Aide writes."""
    # Its rules include POSIX's and know drives and backslashes, so a location is judged alike on every
    # system.
    windows = PureWindowsPath(location)
    name = (Path(graph).parent / location).as_posix()
    leads_out = windows.drive or windows.root or ".." in windows.parts or not windows.parts
    if leads_out or name == MANIFEST or not location.isprintable():
        raise ModelFilesError(
            f"{source / graph} keeps weights in {location!r}; expected a file in the same folder. "
            "Do not use this model unless you know why it does that."
        )
    return name


def _copy(source: Path, name: str, folder: Path) -> dict[str, Any]:
    """Copy a file of the user's folder; return its sha256 and size."""
    # `open_plain` looks only at the last part of a path.
    for parent in Path(name).parents[:-1]:
        if (source / parent).is_symlink():
            raise ModelFilesError(f"{source / parent} is a link; expected a folder.")
    target, digest, size = folder / name, hashlib.sha256(), 0
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # A copy, not a hard link: a link would follow what the user, or anyone else, later changes in the file.
    with open_plain(source / name) as file, target.open("wb") as copy:
        # Only the bytes that it has now: it might grow forever.
        rest = _size_that_fits(source / name, file.seek(0, 2), folder)
        file.seek(0)
        while block := file.read(min(BLOCK, rest)):
            digest.update(block)
            copy.write(block)
            rest, size = rest - len(block), size + len(block)
    return {"sha256": digest.hexdigest(), "size": size}


def _size_that_fits(file: Path, size: int, folder: Path) -> int:
    most = GRAPH_BYTES if file.suffix == ".onnx" else shutil.disk_usage(folder).free
    if size > most:
        what = "a graph may have at most" if file.suffix == ".onnx" else "the disk has space for"
        raise ModelFilesError(f"{file} has {size:,} bytes; {what} {most:,}.")
    return size


def _manifest(
    card: Card, info: ModelFolder, end_tokens: list[int], files: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    said_by_card = {
        "model": card.id,
        "context_length": card.context_length,
        "fim": card.fim,
        "end_tokens": end_tokens,
        "bos": info.bos,
    }
    return (
        {"format": FORMAT} | attrs.asdict(info) | said_by_card | {"aide_version": __version__, "files": files}
    )
