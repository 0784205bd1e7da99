"""The engines that run for a user, as processes."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from tests.patience import PATIENCE


def engines(folder: Path) -> list[psutil.Process]:
    """The engines that listen in a folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            command = process.cmdline()
            if "serve" in command and any(str(folder) in part for part in command):
                found.append(process)
    return found


@contextmanager
def engine_folder() -> Iterator[Path]:
    """A folder for engines, with a short path, for XDG_RUNTIME_DIR; in the end they are killed."""
    folder = Path(tempfile.mkdtemp(prefix="aide-test-"))
    try:
        yield folder
    finally:
        for engine in engines(folder):
            engine.kill()
            engine.wait(PATIENCE)
        shutil.rmtree(folder)
