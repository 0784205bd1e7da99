"""Determines the root of a document's project. No file outside is read for it."""

import os
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
    above = [folder for folder in document.parents if folder != folder.parent]
    if workspace in above:
        above = above[: above.index(workspace) + 1]
    for name in (REPOSITORY, PROJECT_FILE):
        for folder in above:
            if os.path.lexists(f"{folder}/{name}"):
                return folder
    return next((folder for folder in (workspace, fallback) if folder in above), None)
