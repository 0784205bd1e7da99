"""The packages that holes are cut into: fetched by the user's own pip and npm, verified, never unpacked.

`packages.toml` pins each archive's version and sha256. Files are read from the archive in memory, so nothing
of a package is written to a folder, run, or part of this repository.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

import platformdirs
from attrs import frozen

from aide_lsp.disk import sha256_of
from aide_lsp.errors import AideError

MANIFEST = Path(__file__).with_name("packages.toml")
CACHE = platformdirs.user_cache_path("aide") / "benchmarks"
SMALLEST, LARGEST = 800, 40_000
"""Bytes of a file."""
MOST_FILES = 20_000
"""Members of an archive that are looked at."""
LIMIT_S = 600


@frozen
class Part:
    """Files of one project in an archive."""

    name: str
    language: str
    "LSP language id."
    files: str
    "Glob of their paths in the archive, without its first folder; `*` also matches `/`."


@frozen
class Archive:
    """One version of a package."""

    registry: str
    "`pypi` or `npm`."
    name: str
    version: str
    sha256: str
    parts: tuple[Part, ...]

    @property
    def file(self) -> str:
        """Name of its file in the cache."""
        return f"{self.registry}-{self.name.strip('@').replace('/', '-')}-{self.version}.tar.gz"


def read_manifest(path: Path = MANIFEST) -> list[Archive]:
    """Read which archives there are."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["archive"]
    return [_archive(entry) for entry in entries]


def _archive(entry: dict[str, Any]) -> Archive:
    parts = tuple(Part(**part) for part in entry.get("part", ()))
    return Archive(entry["registry"], entry["name"], entry["version"], entry["sha256"], parts)


def fetch(archive: Archive, cache: Path = CACHE) -> Path:
    """Return the archive's verified file, after downloading it if the cache does not have it.

    Raises:
        AideError: it cannot be had, or is another file than the manifest says.
    """
    cache.mkdir(parents=True, exist_ok=True)
    kept = cache / archive.file
    if not kept.exists():
        print(f"{archive.name} {archive.version}", file=sys.stderr)
        with tempfile.TemporaryDirectory(dir=cache) as folder:
            DOWNLOADS[archive.registry](archive, Path(folder))
            files = list(Path(folder).glob("*.t*gz"))
            if len(files) != 1:
                raise AideError(f"{archive.name} {archive.version} was not downloaded.")
            shutil.move(files[0], kept)
    found = sha256_of(kept)
    if found != archive.sha256:
        kept.unlink()
        raise AideError(f"{archive.file} has the sha256 {found}, the manifest has {archive.sha256!r}.")
    return kept


def _pypi(archive: Archive, folder: Path) -> None:
    # Not `pip download`: it runs the build code of a source distribution.
    _run(
        [sys.executable, "-P", str(Path(__file__).with_name("pip_sdist.py")), archive.name, archive.version],
        folder,
    )


def _npm(archive: Archive, folder: Path) -> None:
    # `npm pack` of a published package runs none of its scripts; the option says so again.
    _run(["npm", "pack", f"{archive.name}@{archive.version}", "--ignore-scripts", "--silent"], folder)


DOWNLOADS = {"pypi": _pypi, "npm": _npm}


def _run(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, timeout=LIMIT_S, stdout=subprocess.DEVNULL)
    except (OSError, subprocess.SubprocessError) as error:
        raise AideError(f"A package could not be downloaded: {error}") from error


def members(path: Path, largest: int) -> Iterator[tuple[tarfile.TarFile, tarfile.TarInfo, str]]:
    """Yield the regular files of an archive up to a size, with their paths without its first folder."""
    with tarfile.open(path, "r:gz") as archive:
        for _ in range(MOST_FILES):
            member = archive.next()
            if member is None:
                return
            parts = PurePosixPath(member.name).parts[1:]
            if parts and member.isreg() and member.size <= largest:
                yield archive, member, str(PurePosixPath(*parts))


def content_of(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """Read a file of an archive in memory."""
    stream = archive.extractfile(member)
    return stream.read() if stream else b""


def read_files(path: Path, parts: Sequence[Part]) -> Iterator[tuple[Part, str, str]]:
    """Yield part, path and text of each file, with lines ended by a line feed."""
    for archive, member, name in members(path, LARGEST):
        part = next((one for one in parts if fnmatchcase(name, one.files)), None)
        if part and member.size >= SMALLEST and (text := _text(content_of(archive, member))):
            yield part, name, text


def _text(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return ""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def in_dev_half(part: Part, archives: Sequence[Archive]) -> bool:
    """Whether a project is in the half that choices may be made on; the other half is held out.

    Projects of a language are ordered by hash, and the first half of them is it: each language is in both.
    """
    same = [one.name for archive in archives for one in archive.parts if one.language == part.language]
    same.sort(key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    return same.index(part.name) < len(same) // 2
