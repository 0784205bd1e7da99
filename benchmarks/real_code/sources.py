"""All holes of one half of the projects."""

from pathlib import Path

from attrs import evolve

from benchmarks.real_code.formats import FORMATS
from benchmarks.real_code.holes import FILES, Hole, cut, rank, sample
from benchmarks.real_code.packages import CACHE, Archive, Part, in_dev_half, read_manifest
from benchmarks.real_code.walk import files_by_part, projects, read_manifests

FOLDER = Path(__file__).parent
MANIFESTS = FOLDER / "packages.toml", FOLDER / "markup.toml", FOLDER.parent / "context" / "packages.toml"
"""Of archives in which files are that are no program code."""


def all_holes(dev: bool, cache: Path = CACHE) -> list[Hole]:
    """Fetch the archives of a half, and cut its holes."""
    found = projects(read_manifest(), dev, cache, rank, FILES)
    return sample([hole for _, part, files in found for hole in _cut(part, files)])


def markup_holes(dev: bool, cache: Path = CACHE) -> list[Hole]:
    """Fetch all archives, and cut the holes of a half in their files that are no program code."""
    archives: list[Archive] = []
    found: dict[Part, list[Hole]] = {}
    for archive in read_manifests(*MANIFESTS):
        parts = [Part(archive.name, language, files) for language, files in FORMATS.items()]
        by_part = files_by_part(archive, parts, cache, rank, FILES)
        own = {part: holes for part, files in by_part.items() if (holes := _cut(part, files))}
        archives.append(evolve(archive, parts=tuple(own)))
        found |= own
    return sample([hole for part, own in found.items() if in_dev_half(part, archives) == dev for hole in own])


def _cut(part: Part, files: dict[str, str]) -> list[Hole]:
    return [hole for path, text in files.items() for hole in cut(part, path, text)]
