"""Goes through packages: their archives, the projects of a half, and the files of a project in order of hash.

Every benchmark that reads packages goes through them here. Which files are taken is decided by hashes of
paths, never by a random generator: the same archives give the same files, and a smaller sample is part of
every larger one.
"""

import argparse
import hashlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from attrs import evolve

from benchmarks.real_code.packages import (
    CACHE,
    MANIFEST,
    Archive,
    Part,
    fetch,
    in_dev_half,
    read_files,
    read_manifest,
)

Rank = Callable[[str], str]


def rank_by(salt: str) -> Rank:
    """Return a function that hashes a text: changing the salt changes the sample, and the figures."""
    return lambda text: hashlib.sha256(f"{salt}{text}".encode()).hexdigest()


def read_manifests(*paths: Path) -> list[Archive]:
    """Read several manifests. An archive that is in more than one comes once, with the parts of all."""
    found: dict[str, Archive] = {}
    for archive in (one for path in paths or (MANIFEST,) for one in read_manifest(path)):
        parts = found[archive.file].parts if archive.file in found else ()
        found[archive.file] = evolve(archive, parts=(*parts, *archive.parts))
    return list(found.values())


def parts_of(archive: Archive, archives: Sequence[Archive], dev: bool) -> list[Part]:
    """Return the parts of an archive that are in one half of the projects of a manifest."""
    own = [part for one in archives if one.file == archive.file for part in one.parts]
    return [part for part in own if in_dev_half(part, archives) == dev]


def projects(
    archives: Sequence[Archive], dev: bool, cache: Path, rank: Rank, most: int
) -> Iterator[tuple[Archive, Part, dict[str, str]]]:
    """Yield the projects of one half of a manifest, with their files: see `files_by_part`."""
    for archive in archives:
        if parts := parts_of(archive, archives, dev):
            # Of all parts, so that a file belongs to the first one whose glob matches it.
            files = files_by_part(archive, archive.parts, cache, rank, most)
            yield from ((archive, part, files[part]) for part in parts)


def files_by_part(
    archive: Archive, parts: Sequence[Part], cache: Path, rank: Rank, most: int
) -> dict[Part, dict[str, str]]:
    """Return the texts of the files of each part, by path: at most `most`, those with the lowest hashes."""
    files: dict[Part, dict[str, str]] = {part: {} for part in parts}
    found = sorted(read_files(fetch(archive, cache), parts), key=lambda file: rank(file[1]))
    for part, path, text in found:
        if len(files[part]) < most:
            files[part][path] = text
    return files


def add_cache_option(parser: argparse.ArgumentParser) -> None:
    """Add the option that says where archives are."""
    parser.add_argument("--cache", type=Path, default=CACHE, help=f"folder of the archives [{CACHE}]")
