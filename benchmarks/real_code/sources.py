"""All holes of one half of the projects."""

from pathlib import Path

from benchmarks.real_code.holes import FILES, Hole, cut, rank, sample
from benchmarks.real_code.packages import CACHE, fetch, in_dev_half, read_files, read_manifest


def all_holes(dev: bool, cache: Path = CACHE) -> list[Hole]:
    """Fetch the archives of a half, and cut its holes."""
    archives = read_manifest()
    holes: list[Hole] = []
    for archive in archives:
        parts = [part for part in archive.parts if in_dev_half(part, archives) == dev]
        if parts:
            files = sorted(read_files(fetch(archive, cache), parts), key=lambda file: rank(file[1]))
            for part in parts:
                own = [(path, text) for one, path, text in files if one == part]
                holes.extend(hole for path, text in own[:FILES] for hole in cut(part, path, text))
    return sample(holes)
