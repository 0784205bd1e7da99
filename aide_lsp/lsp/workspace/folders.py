"""The workspace folders, and which of them contains a document.

Folders are compared as paths, and then by identity on disk, so that links and the case of letters do not
matter.
"""

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from attrs import evolve

from aide_lsp.lsp.workspace.uris import Location, location_of

Held = tuple[str | None, Path | None]
"""A folder's URI, and its path as spelled in the document's URI; None: no folder."""
_Identity = tuple[int, int]
_MOST_KEPT = 4096
"""Documents whose folder is remembered; a client could name any number of them."""


class WorkspaceFolders:
    """A fixed set of folders."""

    def __init__(self, uris: Iterable[str]) -> None:
        self._by_place: dict[tuple[str, Path | None], str] = {}
        for uri in uris:
            location = location_of(uri)
            self._by_place.setdefault((location.host, location.path), uri)
        self._found: dict[str, Held] = {}

    @property
    def uris(self) -> list[str]:
        """The folders' URIs as the client spells them, each folder once."""
        return list(self._by_place.values())

    def first(self) -> Held:
        """Return the first folder, with its path if it is on this machine."""
        uri = next(iter(self._by_place.values()), None)
        return uri, location_of(uri).on_disk if uri else None

    def location(self, uri: str) -> Location:
        """Return what a URI names. A relative path belongs to the only folder, if there is just one."""
        location = location_of(uri)
        place = self.first()[1] if len(self._by_place) == 1 and not location.host else None
        if place is None or location.path is None or location.path.is_absolute():
            return location
        return evolve(location, path=place / location.path)

    def holding(self, uri: str) -> Held:
        """Return the innermost folder that contains a document."""
        found = self._found.get(uri)
        if found is None:
            if len(self._found) >= _MOST_KEPT:
                self._found.clear()
            location = self.location(uri)
            # By name first: identities take a system call for each parent folder.
            found = self._found[uri] = self._by_name(location) or self._by_identity(location) or (None, None)
        return found

    def _by_name(self, location: Location) -> Held | None:
        for place in location.path.parents if location.path else ():
            uri = self._by_place.get((location.host, place))
            if uri is not None:
                return uri, place
        return None

    def _by_identity(self, location: Location) -> Held | None:
        for place in location.on_disk.parents if location.on_disk and self._by_place else ():
            uri = self._identities.get(_identity(place))
            if uri is not None:
                return uri, place
        return None

    @cached_property
    def _identities(self) -> dict[_Identity | None, str]:
        """The folders on this machine's disk."""
        places = [(location_of(uri).on_disk, uri) for uri in self._by_place.values()]
        found = {_identity(place): uri for place, uri in places if place}
        found.pop(None, None)  # folders that do not exist
        return found


def _identity(place: Path) -> _Identity | None:
    try:
        found = place.stat()
    except (OSError, ValueError):  # ValueError: the file system cannot encode the name
        return None
    return found.st_dev, found.st_ino
