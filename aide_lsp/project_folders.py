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

OWN, SHARED = ".aide.toml", "pyproject.toml"
"""The files that set something for a project; of two in one folder the first counts."""
REPOSITORY = ".git"


def project_folders(document: Path | None, folder: Path | None) -> tuple[Path, ...]:
    """Return the folders in which project files count, from the inside out.

    They end at the workspace folder or, without one, at the repository's root. A document that belongs to
    neither has its own folder only: what is above may be anybody's.
    """
    if document is None:
        return (folder,) if folder else ()
    places = _with_parents(document.parent)
    outer = folder if folder in places else _repository(places)
    return places[: places.index(outer) + 1] if outer is not None else places[:1]


def project_root(document: Path, folder: Path | None) -> Path | None:
    """Return the outermost folder of a document's project; None: it belongs to none.

    Without a workspace folder or a repository a project file next to the document makes one.
    """
    outermost = project_folders(document, folder)[-1]
    if outermost == folder or _is_there(outermost, REPOSITORY) or _is_there(outermost, OWN):
        return outermost
    return None


def working_folder(document: Path) -> Path | None:
    """Return the current folder, if it is the project of a document that no editor opened a folder for."""
    here, places = Path.cwd(), _with_parents(document.parent)
    marked = here in places and (_is_there(here, OWN) or _is_there(here, SHARED))
    return here if marked and _repository(places) is None else None


def globs_root(document: Path | None, folder: Path | None) -> Path | None:
    """Return the folder that the globs of the user are relative to: the project, or where the disk begins."""
    places = project_folders(document, folder)
    if document is None or places[-1] == folder or _is_there(places[-1], REPOSITORY):
        return places[-1] if places else None
    home = Path.home()
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
    return (place, *place.parents)


def _repository(places: tuple[Path, ...]) -> Path | None:
    """Return the innermost root of a repository."""
    return next((place for place in places if _is_there(place, REPOSITORY)), None)


def _is_there(place: Path, name: str) -> bool:
    return os.path.lexists(_joined(place, name))


@lru_cache(maxsize=16384)
def _joined(place: Path, name: str) -> str:
    """Join a path; kept, since it is done for many folders at each key."""
    return str(place / name)
