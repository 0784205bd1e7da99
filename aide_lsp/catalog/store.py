"""Models on this machine: where they lie, whether they are there, how to get and how to remove them.

In: a model card and the name of a recipe. Out: the folder of a converted model, ready to be opened.

    DATA/models/CARD-ID/
        lock                            held by whoever changes anything here
        NAME.gguf                       the fetched file (NAME.gguf.partial while it is fetched)
        RECIPE-SOURCE-fFORMAT/          a conversion; SOURCE: beginning of the sha256 of what was converted

A conversion of another file, or by a converter of another format, has another name and is never used.
It does not know how a file is fetched (`download`), converted (`convert`) or taken over (`imported`).
"""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from attrs import frozen

from aide_lsp.catalog.cards import Card
from aide_lsp.catalog.download import download, locked
from aide_lsp.catalog.partial import writing_to
from aide_lsp.disk import bytes_in, sha256_of
from aide_lsp.errors import ModelFilesError
from aide_lsp.plain_file import open_plain
from aide_lsp.progress import Progress

IMPORTED = "imported"
"""Recipe of a model that somebody else exported: it is taken as it is."""


@frozen
class DiskState:
    """What of a model is on the disk."""

    fetched: bool
    """The whole file is here."""
    begun: int
    """Bytes of a file that is not here as a whole."""
    recipes: tuple[str, ...]
    """Recipes it is converted to."""
    size: int
    """Bytes it takes on the disk in all."""


def data_folder() -> Path:
    """Give the folder of Aide's data: `AIDE_DATA_DIR`, or the system's place for such."""
    if given := os.environ.get("AIDE_DATA_DIR"):
        return Path(given).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("aide", appauthor=False)


def folder_of(card: Card) -> Path:
    """Give the folder of one model; it need not exist."""
    return data_folder() / "models" / card.id


def model_file(card: Card) -> Path | None:
    """Give the model file if it is here as a whole (its size is looked at, not its bytes)."""
    if card.path is not None:
        return card.path if card.path.exists() else None
    file = folder_of(card) / card.file
    return file if file.is_file() and file.stat().st_size == card.size else None


def fetch(card: Card, progress: Progress) -> Path:
    """Give the verified model file; it is fetched unless it is here.

    Raises:
        DownloadError: no source gave it, or it cannot be written.
        ModelFilesError: the user's own model is not at its path.
    """
    if card.path is not None:
        return _own_model(card)
    with locked(_made(folder_of(card)), progress):
        return download(card, folder_of(card), progress)


def converted_folder(card: Card, recipe: str) -> Path:
    """Give the folder of a conversion, whether it exists or not."""
    from aide_lsp.inference.onnx.model_folder import FORMAT

    return folder_of(card) / f"{_recipe(card, recipe)}-{_source_key(card)}-f{FORMAT}"


def ensure(card: Card, recipe: str, progress: Progress) -> Path:
    """Give the folder of the converted model; fetch and convert whatever is missing.

    Raises:
        DownloadError: the model file cannot be had.
        ConversionError: it cannot be converted.
        ModelFilesError: the user's own model is not at its path.
    """
    from aide_lsp.inference.onnx.model_folder import read_model_folder

    folder = converted_folder(card, recipe)
    if is_converted(folder):
        return folder
    with locked(_made(folder_of(card)), progress):
        # Another process may have done it while this one waited.
        if not is_converted(folder):
            source = _own_model(card) if card.path is not None else download(card, folder_of(card), progress)
            _convert(card, source, folder, _recipe(card, recipe), progress)
            # Said now: a conversion that cannot be read would be made again at every start.
            read_model_folder(folder)
            _remove_stale(folder)
    return folder


def remove_damaged(card: Card, recipe: str, progress: Progress) -> bool:
    """Remove a conversion that is not what its manifest says, byte for byte; say whether there was one."""
    from aide_lsp.inference.onnx.model_folder import verify_files

    folder = converted_folder(card, recipe)
    if not folder.is_dir():
        return False
    with locked(folder.parent, progress), writing_to(folder):
        try:
            damaged = bool(verify_files(folder))
        except ModelFilesError:
            damaged = True
        if damaged:
            shutil.rmtree(folder)
    return damaged


def is_converted(folder: Path) -> bool:
    """Is there a conversion with a manifest and all its files in their sizes?"""
    from aide_lsp.inference.onnx.model_folder import MANIFEST, read_model_folder

    if not (folder / MANIFEST).is_file():
        return False
    try:
        read_model_folder(folder)
    except ModelFilesError:
        return False
    return True


def state_of(card: Card) -> DiskState:
    """Look at what is on the disk."""
    own = folder_of(card)
    partial = own / f"{card.file}.partial"
    begun = partial.stat().st_size if card.file and partial.is_file() else 0
    recipes = tuple(sorted(name for name, folder in _conversions(card) if is_converted(folder)))
    return DiskState(model_file(card) is not None, begun, recipes, bytes_in(own))


def remove(card: Card, progress: Progress) -> int:
    """Remove all that Aide keeps of a model; gives the bytes freed. The user's own model stays."""
    own = folder_of(card)
    if not own.exists():
        return 0
    freed = bytes_in(own)
    with locked(own, progress), writing_to(own):
        for entry in own.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != "lock":
                entry.unlink()
    # The lock stays: whoever waits for it would otherwise hold a file that has no name any more.
    return freed


def _convert(card: Card, source: Path, folder: Path, recipe: str, progress: Progress) -> None:
    if recipe == IMPORTED:
        from aide_lsp.catalog.imported import import_export

        progress(None, f"Taking over {card.name} from {source}.")
        import_export(card, source, folder)
        return
    from aide_lsp.convert.convert import convert

    sentence = f"Converting {card.name} to ONNX, recipe {recipe}"
    progress(0.0, sentence)
    facts = {
        "id": card.id,
        "fim": card.fim,
        "end_tokens": list(card.end_tokens),
        "source_sha256": card.sha256 or sha256_of(source),
    }
    convert(source, folder, facts, recipe, lambda share, step: progress(share, sentence))


def _own_model(card: Card) -> Path:
    assert card.path is not None
    if not card.path.exists():
        raise ModelFilesError(f"{card.path} does not exist. Its path is in the model card {card.origin}.")
    if not card.path.is_dir():
        open_plain(card.path).close()
    return card.path


def _recipe(card: Card, recipe: str) -> str:
    return IMPORTED if card.path is not None and card.path.is_dir() else recipe


def _source_key(card: Card) -> str:
    """Name the bytes that are converted: by what the card pins, or by the user's files, sizes and times."""
    if card.path is None:
        return card.sha256[:12]
    files = sorted(card.path.iterdir()) if card.path.is_dir() else [card.path]
    facts = [(str(file), *_size_and_time(file)) for file in files]
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:12]


def _size_and_time(file: Path) -> tuple[int, int]:
    try:
        status = file.stat()
    except OSError:
        return 0, 0
    return status.st_size, status.st_mtime_ns


def _conversions(card: Card) -> Iterator[tuple[str, Path]]:
    """Give recipe and folder of the conversions that may be used."""
    own = folder_of(card)
    for folder in sorted(own.iterdir()) if own.is_dir() else ():
        recipe = folder.name.partition("-")[0]
        if folder.is_dir() and folder == converted_folder(card, recipe):
            yield recipe, folder


def _remove_stale(kept: Path) -> None:
    """Remove conversions by the same recipe that `kept` takes the place of."""
    recipe = kept.name.partition("-")[0]
    for folder in kept.parent.glob(f"{recipe}-*-f*"):
        if folder != kept and folder.is_dir():
            shutil.rmtree(folder, ignore_errors=True)


def _made(folder: Path) -> Path:
    """Make the folder of a model; what Aide makes, nobody else may look into."""
    with writing_to(folder):
        data_folder().parent.mkdir(parents=True, exist_ok=True)
        for level in (data_folder(), folder.parent, folder):
            level.mkdir(mode=0o700, exist_ok=True)
    return folder
