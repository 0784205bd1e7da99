"""All holes of one half of the projects."""

from collections import defaultdict
from pathlib import Path

from attrs import evolve

from benchmarks.real_code.formats import FORMATS
from benchmarks.real_code.holes import FILES, Hole, cut, rank, sample
from benchmarks.real_code.packages import (
    CACHE,
    Archive,
    Part,
    fetch,
    in_dev_half,
    read_files,
    read_manifest,
)

FOLDER = Path(__file__).parent
MANIFESTS = FOLDER / "packages.toml", FOLDER / "markup.toml", FOLDER.parent / "context" / "packages.toml"
"""Of archives in which files are that are no program code."""


def all_holes(dev: bool, cache: Path = CACHE) -> list[Hole]:
    """Fetch the archives of a half, and cut its holes."""
    archives = read_manifest()
    holes: list[Hole] = []
    for archive in archives:
        parts = [part for part in archive.parts if in_dev_half(part, archives) == dev]
        for found in _by_part(archive, parts, cache).values() if parts else ():
            holes.extend(found)
    return sample(holes)


def markup_holes(dev: bool, cache: Path = CACHE) -> list[Hole]:
    """Fetch all archives, and cut the holes of a half in their files that are no program code."""
    archives: list[Archive] = []
    found: dict[Part, list[Hole]] = {}
    for archive in {one.file: one for path in MANIFESTS for one in read_manifest(path)}.values():
        parts = [Part(archive.name, language, files) for language, files in FORMATS.items()]
        own = {part: holes for part, holes in _by_part(archive, parts, cache).items() if holes}
        archives.append(evolve(archive, parts=tuple(own)))
        found |= own
    return sample([hole for part, own in found.items() if in_dev_half(part, archives) == dev for hole in own])


def _by_part(archive: Archive, parts: list[Part], cache: Path) -> dict[Part, list[Hole]]:
    files: dict[Part, list[tuple[str, str]]] = defaultdict(list)
    for part, path, text in sorted(read_files(fetch(archive, cache), parts), key=lambda file: rank(file[1])):
        files[part].append((path, text))
    return {
        part: [hole for path, text in files[part][:FILES] for hole in cut(part, path, text)] for part in parts
    }
