"""Models on this machine: where they are, whether they are complete, how to get and how to remove them.

    DATA/models/CARD-ID/
        lock                            held by the process that changes anything here
        NAME.gguf                       the downloaded file (NAME.gguf.partial while it is downloaded)
        RECIPE-SOURCE-fFORMAT/          a conversion; SOURCE: the first digits of the source's sha256

A conversion of another file, or in another format, has another name and is never used.
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

CONVERTING = "Converting"
"""How the sentences of the progress begin."""
IMPORTED = "imported"
"""Recipe of a model that someone else exported, which is used as it is."""


@frozen
class DiskState:
    """What is on the disk of a model."""

    fetched: bool
    """The file is complete."""
    begun: int
    """Bytes of an incomplete file."""
    recipes: tuple[str, ...]
    """Recipes it is converted to."""
    size: int
    """Bytes on the disk in all."""


def data_folder() -> Path:
    """Return the folder of Aide's data: `AIDE_DATA_DIR`, or the system's folder for user data."""
    if given := os.environ.get("AIDE_DATA_DIR"):
        # Where no shell sets the variable, as in an editor's settings, `~` is not expanded.
        return Path(given).expanduser().absolute()
    from platformdirs import user_data_path

    return user_data_path("aide", appauthor=False)


def folder_of(card: Card) -> Path:
    """Return the folder of one model, which may not exist."""
    return data_folder() / "models" / card.id


def model_file(card: Card) -> Path | None:
    """Return the model file if it is complete, judged by its size."""
    if card.path is not None:
        return card.path if card.path.exists() else None
    file = folder_of(card) / card.file
    # The hash takes half a second for 500 MB, too long for a list or a start; `download` compares it.
    return file if file.is_file() and file.stat().st_size == card.size else None


def fetch(card: Card, progress: Progress) -> Path:
    """Return the verified model file; download it if needed.

    Raises:
        DownloadError: no source provided it, or it cannot be written.
        ModelFilesError: the user's own model is not at its path.
    """
    if card.path is not None:
        return _own_model(card)
    with locked(_made(folder_of(card)), progress):
        return download(card, folder_of(card), progress)


def converted_folder(card: Card, recipe: str) -> Path:
    """Return the folder of a conversion, which may not exist."""
    from aide_lsp.inference.onnx.model_folder import FORMAT

    return folder_of(card) / f"{_recipe(card, recipe)}-{_source_key(card)}-f{FORMAT}"


def ensure(card: Card, recipe: str, progress: Progress) -> Path:
    """Return the folder of the converted model; download and convert what is missing.

    Raises:
        DownloadError: the model file cannot be downloaded.
        ConversionError: it cannot be converted.
        ModelFilesError: the user's own model is not at its path.
    """
    from aide_lsp.inference.onnx.model_folder import read_model_folder

    folder = converted_folder(card, recipe)
    # Before the lock, which another process may hold for minutes to convert by another recipe.
    if is_converted(folder):
        return folder
    with locked(_made(folder_of(card)), progress):
        # Another process may have converted it while this one waited.
        if not is_converted(folder):
            _remove_unfinished(folder.parent)
            source = _own_model(card) if card.path is not None else download(card, folder_of(card), progress)
            _convert(card, source, folder, _recipe(card, recipe), progress)
            # Fail now: a conversion that cannot be read would be repeated at every start.
            read_model_folder(folder)
            _remove_stale(folder)
    return folder


def remove_damaged(card: Card, recipe: str, progress: Progress) -> bool:
    """Remove a conversion that differs from its manifest; return whether there was one.

    It may be gone by then: another process that found the same damage has removed it.
    """
    from aide_lsp.inference.onnx.model_folder import verify_files

    folder = converted_folder(card, recipe)
    if not folder.is_dir():
        return False
    with locked(folder.parent, progress), writing_to(folder):
        if not folder.is_dir():
            return True
        try:
            # Under the lock, because another process may just be replacing it.
            damaged = bool(verify_files(folder))
        except ModelFilesError:
            damaged = True
        if damaged:
            shutil.rmtree(folder)
    return damaged


def is_converted(folder: Path) -> bool:
    """Return whether there is a conversion whose files have the sizes of its manifest."""
    from aide_lsp.inference.onnx.model_folder import MANIFEST, read_model_folder

    if not (folder / MANIFEST).is_file():
        return False
    try:
        read_model_folder(folder)
    except ModelFilesError:
        return False
    return True


def state_of(card: Card) -> DiskState:
    """Return what is on the disk of a model."""
    own = folder_of(card)
    partial = own / f"{card.file}.partial"
    # A model at `path` has no file name.
    begun = partial.stat().st_size if card.file and partial.is_file() else 0
    recipes = tuple(sorted(name for name, folder in _conversions(card) if is_converted(folder)))
    return DiskState(model_file(card) is not None, begun, recipes, bytes_in(own))


def remove(card: Card, progress: Progress) -> int:
    """Remove everything that Aide keeps of a model; return the bytes freed. The user's own file stays."""
    own = folder_of(card)
    if not own.exists():
        return 0
    freed = bytes_in(own)
    with locked(own, progress), writing_to(own):
        for entry in own.iterdir():
            # `rmtree` refuses links; a link is removed, and what it leads to stays.
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            elif entry.name != "lock":
                entry.unlink()
    # The lock stays: a process that waits for it would otherwise hold a file without a name.
    return freed


def _convert(card: Card, source: Path, folder: Path, recipe: str, progress: Progress) -> None:
    if recipe == IMPORTED:
        from aide_lsp.catalog.imported import import_export

        progress(None, f"Importing {card.name} from {source}.")
        import_export(card, source, folder)
        return
    from aide_lsp.convert.convert import convert

    sentence = f"{CONVERTING} {card.name} to ONNX, recipe {recipe}"
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
        raise ModelFilesError(
            f"{card.path} does not exist; the model card {card.origin} names it. Correct the path there."
        )
    if not card.path.is_dir():
        open_plain(card.path).close()
    return card.path


def _recipe(card: Card, recipe: str) -> str:
    # An export is used as it is, whatever recipe is set.
    return IMPORTED if card.path is not None and card.path.is_dir() else recipe


def _source_key(card: Card) -> str:
    """Return a key for the source: its pinned hash, or that of the user's files, sizes and times."""
    if card.path is None:
        return card.sha256[:12]
    # Not the hash of the contents: reading them at every start would take seconds.
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
    """Yield recipe and folder of the conversions that may be used."""
    own = folder_of(card)
    for folder in sorted(own.iterdir()) if own.is_dir() else ():
        recipe = folder.name.partition("-")[0]
        # Conversions of another file, or in another format, are not used.
        if folder.is_dir() and folder == converted_folder(card, recipe):
            yield recipe, folder


def _remove_unfinished(own: Path) -> None:
    """Remove what killed conversions left, by whatever recipe; under the lock, none is running."""
    for folder in own.glob(".*.partial*"):
        shutil.rmtree(folder, ignore_errors=True)


def _remove_stale(kept: Path) -> None:
    """Remove conversions by the same recipe that `kept` replaces."""
    recipe = kept.name.partition("-")[0]
    for folder in kept.parent.glob(f"{recipe}-*-f*"):
        if folder != kept and folder.is_dir():
            # A folder that cannot be removed takes space, and nothing else.
            shutil.rmtree(folder, ignore_errors=True)


def _made(folder: Path) -> Path:
    """Create the folder of a model, which only the user may read."""
    with writing_to(folder):
        data_folder().parent.mkdir(parents=True, exist_ok=True)
        # One by one: `mkdir(parents=True)` would not give the mode to the folders above.
        for level in (data_folder(), folder.parent, folder):
            level.mkdir(mode=0o700, exist_ok=True)
    return folder
