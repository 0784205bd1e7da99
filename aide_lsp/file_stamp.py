"""Shows whether a file or folder has changed, without reading it."""

import os

YOUNG_NS = 3_000_000_000
"""What is written within one tick of the file system's clock, with the same size, shows no difference. FAT
counts steps of 2 seconds; others are finer."""
Stamp = tuple[int, ...]


def stamp_of(found: os.stat_result) -> Stamp:
    """Return what differs once something was written."""
    # A program can set the time of a modification back, but not that of the last change.
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_mode, found.st_dev, found.st_ino


def is_settled(stamp: Stamp, read_ns: int) -> bool:
    """Whether a stamp was old when the content was read, at a time of `time.time_ns`: else it proves nothing.

    Git calls content with a younger one "racily clean".
    """
    return max(stamp[:2]) + YOUNG_NS < read_ns
