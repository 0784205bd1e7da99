"""Which folders belong to a document's project, and whose files may be trusted in them.

In: a document's path and its workspace folder. Out: the folders in which project files count, and why a file
in one of them does not. It does not know what is in such a file.
"""

import os
import stat
from functools import lru_cache
from pathlib import Path
from shlex import quote

from attrs import frozen

PROJECT_FILE, PYPROJECT = ".aide.toml", "pyproject.toml"
"""The files that set something for a project; of two in one folder the first counts."""
REPOSITORY = ".git"


def project_folders(document: Path | None, folder: Path | None) -> tuple[Path, ...]:
    """Return the folders in which project files count, from the inside out.

    They end at the workspace folder or, without one, at the repository's root. Where there is neither, they
    are those of the user: up to the home folder, to one that others can write to, or to the end of the disk.
    """
    if document is None:
        return (folder,) if folder and folder != folder.parent else ()
    places = _with_parents(document.parent)
    outer = folder if folder in places else _repository(places)
    return places[: places.index(outer) + 1] if outer is not None else _users(places)


def project_root(document: Path, folder: Path | None) -> Path | None:
    """Return the outermost folder of a document's project; None: it belongs to none.

    Without a workspace folder or a repository the nearest `.aide.toml` makes one. The whole disk is none.
    """
    places = project_folders(document, folder)
    if places[-1] == places[-1].parent:
        return None
    if places[-1] == folder or _is_there(places[-1], REPOSITORY):
        return places[-1]
    return next((place for place in places if _is_there(place, PROJECT_FILE)), None)


def globs_root(document: Path | None, folder: Path | None, places: tuple[Path, ...]) -> Path | None:
    """Return the folder that the globs of the user are relative to: the project, or where the disk begins.

    `places`: the document's `project_folders`.
    """
    if document is None or places[-1] == folder or _is_there(places[-1], REPOSITORY):
        return places[-1] if places else None
    home = _home()
    return home if home in document.parents else Path(document.anchor)


@frozen
class Owner:
    """Whose a file or folder is, as far as it matters."""

    user: int
    """Its owner's number."""
    mode: int
    """Its permissions."""

    @staticmethod
    def of(found: os.stat_result) -> "Owner":
        """Take it from what the system says."""
        return Owner(found.st_uid, stat.S_IMODE(found.st_mode))


def distrust(path: Path, file: Owner | None, folder: Owner) -> str | None:
    """Say why a file must not count, and what to do; None: only its user (or the system's) can write it.

    Others could set parameters for whoever works there. Windows keeps its permissions elsewhere: all count.
    """
    if not hasattr(os, "geteuid"):
        return None
    places = ((path, "file", file), (path.parent, "folder", folder))
    for place, noun, owner in places:
        if owner is None:
            continue
        if owner.user not in (os.geteuid(), 0):
            return f"the {noun} {place} belongs to another user. If you trust it, make it yours with chown"
        if owner.mode & stat.S_IWOTH and owner.mode & stat.S_ISVTX:
            return f"everyone may write to the folder {place}. Keep your work in a folder of your own"
        if owner.mode & stat.S_IWOTH:
            command = f"chmod o-w {quote(str(place))}"
            return f"everyone may write to the {noun} {place}. If it is yours, run: {command}"
    return None


@lru_cache(maxsize=4096)
def _with_parents(place: Path) -> tuple[Path, ...]:
    """Return a folder and those around it, without that of the whole disk."""
    return (place, *place.parents)[:-1] or (place,)


def _repository(places: tuple[Path, ...]) -> Path | None:
    """Return the innermost root of a repository."""
    return next((place for place in places if _is_there(place, REPOSITORY)), None)


def _users(places: tuple[Path, ...]) -> tuple[Path, ...]:
    """Return the folders up to the first that ends what is the user's own; that one may say why."""
    home = _home()
    for number, place in enumerate(places):
        if place == home or not _is_users(place):
            return places[: number + 1]
    return places


def _is_users(place: Path) -> bool:
    try:
        return distrust(place, None, Owner.of(place.stat())) is None
    except FileNotFoundError:
        return True  # nobody wrote anything there
    except (OSError, ValueError):
        return False


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:  # an account without one
        return None


def _is_there(place: Path, name: str) -> bool:
    return os.path.lexists(_joined(place, name))


@lru_cache(maxsize=16384)
def _joined(place: Path, name: str) -> str:
    """Join a path; kept, since it is done for many folders at each key."""
    return str(place / name)
