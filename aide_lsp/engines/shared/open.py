"""Opens the engine that a user's editors share: which one it is, and how it is started."""

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from attrs import evolve, frozen

from aide_lsp import __version__
from aide_lsp.engines.shared.join import Joined, join_or_start
from aide_lsp.engines.shared.model import SharedModel
from aide_lsp.engines.shared.place import find_place, name_of
from aide_lsp.progress import Progress
from aide_lsp.settings.fields import LOADING_KEYS, Settings

IDLE_MINUTES = 10
"""So long after its last client an engine ends."""


@frozen
class SharedChoice:
    """Which engine is shared."""

    model: str
    "Id of its card."
    version: str
    "Of the card: changes with its file and its format."
    settings: Settings
    "How the model is loaded."
    data_folder: Path
    "Of Aide."


def open_shared(choice: SharedChoice, progress: Progress) -> SharedModel:
    """Join an engine, or start it.

    Raises:
        SharingError: neither is possible.
    """
    joined = join_shared(choice, progress)
    sharing = "started" if joined.was_started else "joined"
    info = evolve(joined.facts.info, host="", folder=None, sharing=sharing, sharing_note="")
    return SharedModel(joined.client, info, presence=joined.presence)


def join_shared(choice: SharedChoice, progress: Progress) -> Joined:
    """Do the same; return the client.

    Raises:
        SharingError: see `open_shared`.
    """
    values = {key: getattr(choice.settings, key) for key in LOADING_KEYS} | {"model": choice.model}
    # Another version of Aide needs another engine, and so does another installation of it.
    name = name_of([__version__, sys.prefix, choice.version, *values.values()])
    place = find_place(_folders(choice.data_folder), name, uses_socket=sys.platform != "win32")
    command = [sys.executable, "-P", "-m", "aide_lsp", "serve", "--yes", "--idle", str(IDLE_MINUTES)]
    for key, value in values.items():
        # All of them: the user's file, which the engine reads too, may say something else.
        command += [f"--{key.replace('_', '-')}", str(value)]
    return join_or_start(place, command, progress)


def _folders(data_folder: Path) -> Iterator[Path]:
    """Yield where engines may be found, in this order."""
    if runtime := os.environ.get("XDG_RUNTIME_DIR"):
        yield Path(runtime).absolute() / "aide"
    yield data_folder / "run"
    if os.name != "nt":
        # The paths of sockets are short, and those of homes sometimes long.
        yield Path(tempfile.gettempdir()).absolute() / f"aide-{os.geteuid()}"
