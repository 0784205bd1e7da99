"""Determines which folders belong to a document's project, and which files in them can be trusted."""

import os
import stat
from functools import lru_cache
from pathlib import Path
from shlex import quote

from attrs import frozen

PROJECT_FILE, PYPROJECT = ".aide.toml", "pyproject.toml"
"""Files that hold settings of a project. If one folder has both, the first one is used."""
REPOSITORY = ".git"


def project_folders(document: Path | None, folder: Path | None) -> tuple[Path, ...]:
    """Return the folders whose project files are used, from the inside out.

    They end at the workspace folder or, without one, at the repository's root. Without either, they are the
    user's own folders: up to the home folder, a folder that others can write to, or the root of the disk.
    """
    if document is None:
        return (folder,) if folder and folder != folder.parent else ()
    places = _with_parents(document.parent)
    outer = folder if folder in places else _repository(places)
    return places[: places.index(outer) + 1] if outer is not None else _users(places)


def project_root(document: Path, folder: Path | None) -> Path | None:
    """Return the outermost folder of a document's project; None if it belongs to none.

    Without a workspace folder or a repository, it is the folder of the nearest `.aide.toml`. The root of the
    disk is never a project.
    """
    places = project_folders(document, folder)
    # A document at the root of the disk.
    if places[-1] == places[-1].parent:
        return None
    if places[-1] == folder or _is_there(places[-1], REPOSITORY):
        return places[-1]
    return next((place for place in places if _is_there(place, PROJECT_FILE)), None)


def globs_root(document: Path | None, folder: Path | None, places: tuple[Path, ...]) -> Path | None:
    """Return the folder that the user's globs are relative to: the project, or the root of the disk.

    `places`: the document's `project_folders`.
    """
    if document is None or places[-1] == folder or _is_there(places[-1], REPOSITORY):
        return places[-1] if places else None
    home = home_folder()
    return home if home in document.parents else Path(document.anchor)


@frozen
class Owner:
    """Owner and permissions of a file or folder."""

    user: int
    mode: int

    @staticmethod
    def of(found: os.stat_result) -> "Owner":
        """Take them from the result of `stat`."""
        return Owner(found.st_uid, stat.S_IMODE(found.st_mode))


def distrust(path: Path, file: Owner | None, folder: Owner) -> str | None:
    """Describe why a file must not be used, and what to do; None if only the user or root can write it.

    Otherwise, others could set parameters for whoever works there. Windows keeps permissions elsewhere, so
    all files are used.
    """
    if not hasattr(os, "geteuid"):
        return None
    places = ((path, "file", file), (path.parent, "folder", folder))
    for place, noun, owner in places:
        if owner is None:
            continue
        # Root can write any file anyway.
        if owner.user not in (os.geteuid(), 0):
            return f"the {noun} {place} belongs to another user. If you trust it, take ownership with chown"
        # A folder like /tmp is meant to be writable, so chmod would be the wrong advice.
        if owner.mode & stat.S_IWOTH and owner.mode & stat.S_ISVTX:
            return f"the folder {place} is writable by everyone. Keep your work in a folder of your own"
        if owner.mode & stat.S_IWOTH:
            command = f"chmod o-w {quote(str(place))}"
            return f"the {noun} {place} is writable by everyone. If it is yours, run: {command}"
    return None


@lru_cache(maxsize=4096)
def _with_parents(place: Path) -> tuple[Path, ...]:
    """Return a folder and its parents, without the root of the disk."""
    return (place, *place.parents)[:-1] or (place,)


def _repository(places: tuple[Path, ...]) -> Path | None:
    """Return the root of the innermost repository."""
    return next((place for place in places if _is_there(place, REPOSITORY)), None)


def _users(places: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return the folders up to the first that is not the user's own; its file is reported as untrusted."""
    home = home_folder()
    for number, place in enumerate(places):
        if place == home or not _is_users(place):
            return places[: number + 1]
    return places


def _is_users(place: Path) -> bool:
    try:
        return distrust(place, None, Owner.of(place.stat())) is None
    except FileNotFoundError:
        return True  # it does not exist, so no one wrote there
    except (OSError, ValueError):
        return False


def home_folder() -> Path | None:
    """Return the user's home folder; None: the account has none, as in some containers."""
    try:
        return Path.home()
    except RuntimeError:
        return None


def _is_there(place: Path, name: str) -> bool:
    # Of any kind: in a worktree, `.git` is a file.
    return os.path.lexists(_joined(place, name))


@lru_cache(maxsize=16384)
def _joined(place: Path, name: str) -> str:
    """Join a path; cached, since each keystroke does it for many folders."""
    return str(place / name)
