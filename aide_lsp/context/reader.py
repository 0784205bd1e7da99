"""Selects lines of other files for the place of a cursor: a function of texts, line, and settings.

What was read is kept and used again, but only where a look at the disk shows that it is still the same. So
the result never depends on what was asked before, and an editor and a command get the same.
"""

from collections.abc import Callable, Hashable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from aide_lsp.context.candidates import AllowedFiles, CandidateFiles, Off
from aide_lsp.context.excerpt import Excerpt, Selection
from aide_lsp.context.families import is_code
from aide_lsp.context.file_words import FileWords, words_of
from aide_lsp.context.imports.find import imports_in
from aide_lsp.context.imports.statement import Import
from aide_lsp.context.known_names import KnownNames
from aide_lsp.context.looks import Opened
from aide_lsp.context.module_names import known_names
from aide_lsp.context.names.module import Cursor, Wanted
from aide_lsp.context.names.table import wanted_at
from aide_lsp.context.project_view import Known, Look, ProjectView
from aide_lsp.context.ranking import ranked
from aide_lsp.context.surrounding_text import SurroundingText
from aide_lsp.context.types.table import receiver_at, types_in
from aide_lsp.line_ends import with_line_feeds
from aide_lsp.syntax.languages import language_id_of

if TYPE_CHECKING:
    from aide_lsp.context.types.facts import FileTypes, Receiver

LONGEST_IMPORTING = 100_000
"""Characters of a document in which imports are looked for."""
_MOST_KEPT, _MOST_KEPT_CHARACTERS = 6, 3_000_000
"""Selections whose files are kept, and characters of these: those of the last one always are."""

_MOST_KEPT_NAMES = 4
"""Modules and types whose names are kept, with the texts of their files."""


def _never_off(path: Path) -> str | None:
    return None


@frozen
class ContextPlace:
    """The place of a cursor: with the files on the disk, all that a selection depends on."""

    document: Path
    "Absolute."
    root: Path
    "Of the project, absolute: nothing outside is read. See `context_root`."
    text: str = field(repr=False)
    "All of the document; of a notebook, its cells as one text."
    offset: int
    "The cursor, in code points."
    language_id: str
    "LSP language id; empty: judge by the path."
    open_texts: Opened = field(factory=dict, repr=False)
    "The text of other documents that are open, saved or not, by absolute path: it replaces that of the file."
    off: Off = field(default=_never_off, repr=False)
    "Which files must not be read. Equal ones must give equal answers."


@frozen
class _Files:
    """The files that are read for a document, as long as what was looked at stays the same."""

    key: tuple[object, ...]
    "What they depend on besides the disk and the open documents."
    looks: tuple[Look, ...]
    paths: tuple[str, ...]
    "Sorted: of two chunks that match equally well, the first is chosen."
    words: tuple[FileWords, ...]
    "Of each."
    characters: int
    "Of all texts."
    selection: Selection
    "Without excerpts."

    def are_current(self, key: tuple[object, ...], opened: Opened) -> bool:
        """Whether the same files with the same texts would be found now."""
        return self.key == key and all(look.is_current(opened) for look in self.looks)


@frozen
class _Kept:
    """The latest selection for a document."""

    surrounding: SurroundingText
    imports: tuple[Import, ...]
    query: frozenset[str]
    limit: int
    files: _Files
    selection: Selection


@frozen
class _KeptNames:
    """The names of a module or type, as long as what was looked at stays the same."""

    looks: tuple[Look, ...]
    own: "FileTypes | None"
    "What the document says, if they depend on that."
    names: KnownNames | None

    def are_current(self, opened: Opened, own: "FileTypes | None") -> bool:
        """Whether the same names would be found now."""
        return self.own == own and all(look.is_current(opened) for look in self.looks)


class ContextReader:
    """Selects excerpts. Used by one thread."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Path, bool], _Kept] = {}
        self._kept_names: dict[tuple[object, ...], _KeptNames] = {}
        self._known = Known()

    def select(self, place: ContextPlace, limit: int, *, aside: bool = False) -> Selection:
        """Return at most `limit` excerpts that match the lines around the cursor, best first.

        `aside`: the next key most likely asks for what the last one did.
        """
        language_id = language_id_of(place.language_id, str(place.document))
        if place.root not in place.document.parents or not is_code(language_id):
            return Selection()
        # What the old one has seen is known to the new one, since it is held on to until then.
        key = (place.document, aside)
        kept = self._kept.pop(key, None) or self._kept.get((place.document, not aside))
        self._kept[key] = found = self._select(place, language_id, limit, kept)
        self._forget()
        return found.selection

    def names(self, place: ContextPlace) -> KnownNames | None:
        """Return the names of which one must come at the cursor; None: anything may."""
        language_id = language_id_of(place.language_id, str(place.document))
        if place.root not in place.document.parents:
            return None
        cursor = cursor_at(place.text, place.offset)
        if (module := wanted_at(cursor, language_id)) is not None:
            owner: Hashable = (module.module, module.is_attribute)
            names = self._names(place, language_id, owner, None, module, partial(known_names, module))
            if names is not None:
                return names
        if (receiver := receiver_at(cursor, language_id)) is not None:
            from aide_lsp.context.members import members_of  # where there is none, nothing is loaded

            own = types_in(receiver.code, language_id)
            return self._names(
                place,
                language_id,
                receiver.expression,
                own,
                receiver,
                partial(members_of, receiver.expression, own),
            )
        return None

    def _names(
        self,
        place: ContextPlace,
        language_id: str,
        owner: Hashable,
        own: "FileTypes | None",
        at: "Wanted | Receiver",
        read: Callable[[str, str, AllowedFiles], KnownNames | None],
    ) -> KnownNames | None:
        """Return the names of a module or type, at a cursor.

        `own`: what they depend on in the document.
        """
        key = (place.document, place.root, language_id, place.off, owner)
        kept = self._kept_names.pop(key, None)
        if kept is None or not kept.are_current(place.open_texts, own):
            view = ProjectView(str(place.root), place.open_texts, self._known)
            path = place.document.relative_to(place.root).as_posix()
            found = read(path, language_id, AllowedFiles(place.root, place.off, view))
            kept = _KeptNames(view.looks(), own, found)
        self._kept_names[key] = kept
        if len(self._kept_names) > _MOST_KEPT_NAMES:
            self._kept_names.pop(next(iter(self._kept_names)))
        names = kept.names and kept.names.at_cursor(at.begun, at.used)
        return names if names and names.names else None

    def _forget(self) -> None:
        """Forget what was not used for longest. Only the time of a later selection depends on it."""
        while len(self._kept) > 1 and (
            len(self._kept) > _MOST_KEPT or self._characters > _MOST_KEPT_CHARACTERS
        ):
            self._kept.pop(next(iter(self._kept)))

    @property
    def _characters(self) -> int:
        files = {id(kept.files): kept.files for kept in self._kept.values()}
        return sum(one.characters for one in files.values())

    def _select(self, place: ContextPlace, language_id: str, limit: int, kept: _Kept | None) -> _Kept:
        surrounding = SurroundingText.of(place.text, place.offset)
        if kept is not None and kept.files.key[1] == language_id and kept.surrounding == surrounding:
            imports, query = kept.imports, kept.query
        else:
            imports = imports_in(surrounding.text(LONGEST_IMPORTING), language_id)
            query = frozenset(word for line in surrounding.lines() for word in words_of(line))
        key = (place.root, language_id, place.off, imports)
        files = kept.files if kept is not None else None
        if files is None or not files.are_current(key, place.open_texts):
            files = self._find(place, language_id, imports, key)
        elif kept is not None and kept.query == query and kept.limit == limit:
            return evolve(kept, surrounding=surrounding)
        excerpts = tuple(
            Excerpt(files.paths[one.file], *files.words[one.file].lines_of(one.chunk), one.score)
            for one in ranked(query, files.words, limit)
        )
        return _Kept(surrounding, imports, query, limit, files, evolve(files.selection, excerpts=excerpts))

    def _find(
        self, place: ContextPlace, language_id: str, imports: tuple[Import, ...], key: tuple[object, ...]
    ) -> _Files:
        view = ProjectView(str(place.root), place.open_texts, self._known)
        path = place.document.relative_to(place.root).as_posix()
        candidates = CandidateFiles(path, language_id, AllowedFiles(place.root, place.off, view))
        candidates.add_all(imports)
        paths = tuple(sorted(candidates.files))
        words = tuple(candidates.files[path].derived(FileWords) for path in paths)
        selection = Selection(left_out=candidates.left_out(), files=tuple(candidates.files))
        return _Files(key, view.looks(), paths, words, candidates.characters, selection)


def cursor_at(text: str, offset: int) -> Cursor:
    """Return the place of a cursor, in code points, in a text with any line ends."""
    surrounding = SurroundingText.of(text, offset)
    start, end = len(surrounding.above), len(text) - len(surrounding.below)
    above, below = with_line_feeds(surrounding.above), with_line_feeds(surrounding.below)
    return Cursor(text[start:offset], text[offset:end], above, below)
