"""Finds the files that are read for a document: those that its imports name, then those of its folder.

Whether a file is read is decided by a fixed rule, and before it is opened as far as possible.
"""

from collections.abc import Callable, Collection, Iterator
from itertools import islice
from pathlib import Path

from aide_lsp.context.excerpt import LeftOut
from aide_lsp.context.families import is_related
from aide_lsp.context.hand_written import problem_of
from aide_lsp.context.ignored import IgnoreRules
from aide_lsp.context.imports.find import imported_files
from aide_lsp.context.imports.statement import Import
from aide_lsp.context.looks import FileLook, Kind
from aide_lsp.context.project_view import ProjectView
from aide_lsp.settings.secret_files import secret_glob

MOST_FILES, MOST_CHARACTERS = 100, 2_000_000
"""After this many files, or characters in them, no other file is read."""
MOST_OPENED, MOST_OPENED_CHARACTERS = 200, 4_000_000
"""The same for those that are opened, but may turn out to be generated or no text."""
MOST_LEFT_OUT = 200
"""Files that are listed as not read."""
_REPOSITORY = ".git"
Off = Callable[[Path], str | None]
"""Says why a file must not be read, in words; None: it may."""


class AllowedFiles:
    """The files of the project that may be read, for what finds imports: the others have no text."""

    def __init__(self, root: Path, off: Off, view: ProjectView) -> None:
        self._root, self._off, self.view = root, off, view
        self._ignored = IgnoreRules(view)
        self._reasons: dict[str, str] = {}

    def files(self, folder: str) -> Collection[str]:
        """Return the names of the regular files in a folder."""
        return self.view.files(folder)

    def folders(self, folder: str) -> Collection[str]:
        """Return the names of the folders in a folder; links are none."""
        return self.view.folders(folder)

    def text(self, path: str) -> str:
        """Return the text of a file; empty if it has none that may be read."""
        return "" if self.reason(path) else self.view.text(path)

    def reason(self, path: str) -> str:
        """Say why a file must not be opened; empty: it may be."""
        if path not in self._reasons:
            self._reasons[path] = self._reason(path)
        return self._reasons[path]

    def _reason(self, path: str) -> str:
        if _REPOSITORY in path.lower().split("/"):
            return "it is part of the repository's own data"
        if not path.isprintable():
            return "its name has characters that cannot be printed"
        place = self._root / path
        if glob := secret_glob(place):
            return f"it commonly holds secrets ({glob})"
        return self._off(place) or self._ignored.reason(path)


class CandidateFiles:
    """The files that are read for one document, and those that were found and are not."""

    def __init__(self, path: str, language_id: str, allowed: AllowedFiles) -> None:
        """Find none yet.

        Args:
            path: of the document, in the project.
            language_id: of the document.
            allowed: the files of the project.
        """
        self._path, self._language_id, self._allowed = path, language_id, allowed
        self._view = allowed.view
        self.files: dict[str, FileLook] = {}
        """Those that are read, nearest first."""
        self.characters = 0
        """Of their texts."""
        self._opened = self._opened_characters = 0
        self._left_out: dict[str, str] = {}

    def add_all(self, imports: tuple[Import, ...]) -> None:
        """Find the files for a text of the document with these imports."""
        # An import may also name a file in another language, such as a style sheet.
        for path in imported_files(imports, self._path, self._language_id, self._allowed):
            if path != self._path and is_related(self._language_id, path):
                self._add(path)
        for path in self._neighbors():
            self._add(path)
            if len(self._left_out) >= MOST_LEFT_OUT and self._is_full():
                return

    def left_out(self) -> tuple[LeftOut, ...]:
        """Return the files that are not read, and why; of very many the first."""
        first = islice(self._left_out.items(), MOST_LEFT_OUT)
        return tuple(LeftOut(_printable(path), reason) for path, reason in first)

    def _neighbors(self) -> Iterator[str]:
        """Yield the other files in the document's folder, those with a similar name first."""
        folder, _, own = self._path.rpartition("/")
        inside = folder + "/" if folder else ""
        if self._view.is_crowded(folder):
            self._left_out[folder or "."] = "it has too many files to look at all of them"
        for name in self._related(folder, Kind.OTHER):
            self._left_out[inside + name] = "it is a link, or not a regular file"
        names = self._related(folder, Kind.FILE)
        names.sort(key=lambda name: (-_shared(name, own), name))
        yield from (inside + name for name in names if name != own)

    def _related(self, folder: str, kind: Kind) -> list[str]:
        return [name for name in self._view.names(folder, kind) if is_related(self._language_id, name)]

    def _add(self, path: str) -> None:
        if path in self.files or path in self._left_out:
            return
        if self._is_full():
            reason = "enough other files are read"
        else:
            reason = self._allowed.reason(path) or self._read(path)
        if reason:
            self._left_out[path] = reason

    def _is_full(self) -> bool:
        return (
            len(self.files) >= MOST_FILES
            or self.characters >= MOST_CHARACTERS
            or self._opened >= MOST_OPENED
            or self._opened_characters >= MOST_OPENED_CHARACTERS
        )

    def _read(self, path: str) -> str:
        """Read a file; say why its text is not used."""
        look = self._view.read(path)
        if look is None:
            return "there are too many files to look at"
        self._opened += 1
        self._opened_characters += len(look.text or "")
        if look.text is None:
            return look.problem
        if problem := look.derived(problem_of):
            return problem
        self.characters += len(look.text)
        self.files[path] = look
        return ""


def _printable(path: str) -> str:
    """Escape what a terminal or a client cannot show, such as bytes that are not UTF-8."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in path)


def _shared(name: str, other: str) -> int:
    """Count the characters that two names begin with."""
    pairs = enumerate(zip(name, other, strict=False))
    return next((number for number, (one, two) in pairs if one != two), min(len(name), len(other)))
