"""Determines the root of a document's project. No file outside is read for it."""

import os
from functools import lru_cache
from pathlib import Path

from aide_lsp.settings.project_folders import PROJECT_FILE, REPOSITORY


def context_root(document: Path, workspace: Path | None, fallback: Path | None = None) -> Path | None:
    """Return the root of a document's project; None: it has none, and no other files are read.

    That is the innermost repository, else the folder of the nearest `.aide.toml`, else the workspace folder.

    Args:
        document: absolute, and not resolved: links in it are the user's.
        workspace: the client's folder, or the one that the command line names: the root is in it. None, or
            another than that of the document: there is none.
        fallback: if nothing else is found, and the document is in it: the current folder of a command.
    """
    above = _above(document, workspace)
    for name in (REPOSITORY, PROJECT_FILE):
        for folder, place in above.items():
            if os.path.lexists(f"{place}/{name}"):
                return folder
    return next((folder for folder in (workspace, fallback) if folder in above), None)


@lru_cache(maxsize=64)
def _above(document: Path, workspace: Path | None) -> dict[Path, str]:
    """Return the folders that may be the root, from the inside out; cached, since each key asks."""
    # Not the root of the disk, which is no project.
    folders = list(document.parents)[:-1]
    if workspace in folders:
        folders = folders[: folders.index(workspace) + 1]
    return {folder: str(folder) for folder in folders}
