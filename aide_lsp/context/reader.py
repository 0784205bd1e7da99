"""Selects lines of other files for the place of a cursor: a function of texts, line, and settings.

What was read is kept and used again, but only where a look at the disk shows that it is still the same. So
the result never depends on what was asked before, and an editor and a command get the same.
"""

import re
from collections.abc import Callable, Hashable
from functools import partial
from pathlib import Path

from attrs import evolve, field, frozen

from aide_lsp.context.candidates import AllowedFiles, CandidateFiles, Off
from aide_lsp.context.excerpt import Excerpt, Selection
from aide_lsp.context.families import is_code
from aide_lsp.context.file_words import FileWords, words_of
from aide_lsp.context.imports.find import imports_in
from aide_lsp.context.imports.statement import Import
from aide_lsp.context.known_names import KnownNames, begun_in
from aide_lsp.context.looks import Opened
from aide_lsp.context.module_names import known_names
from aide_lsp.context.names.module import Cursor
from aide_lsp.context.names.table import wanted_at
from aide_lsp.context.project_view import LOOK_AGAIN_S, Known, Looks, ProjectView
from aide_lsp.context.ranking import ranked
from aide_lsp.context.surrounding_text import SurroundingText
from aide_lsp.context.types.table import receiver_at
from aide_lsp.language_ids.table import language_id_of
from aide_lsp.line_ends import with_line_feeds

LONGEST_IMPORTING = 100_000
"""Characters of a document in which imports are looked for."""
_MOST_KEPT, _MOST_KEPT_CHARACTERS = 6, 3_000_000
"""Selections whose files are kept, and characters of these: those of the last one always are."""

_AFTER_DOT = re.compile(r"\w+(?:\(\))?(?:\.|::)(?=[^\W\d])")
_AHEAD = 4_000
"""Characters above the cursor in which the last names after dots are looked for."""
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
    check: Callable[[], None] = field(default=lambda: None, repr=False, eq=False)
    "Called before each file that names come from is read; raises if they are no longer wanted."


@frozen
class _Files:
    """The files that are read for a document, as long as what was looked at stays the same."""

    key: tuple[object, ...]
    "What they depend on besides the disk and the open documents."
    looks: Looks
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
        return self.key == key and self.looks.are_current(opened)


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

    looks: Looks
    own: object
    "What the document says, if they depend on that."
    names: KnownNames | None


@frozen
class _NamesAt:
    """What may come at a place, while a name is typed there."""

    key: tuple[object, ...]
    "What it depends on besides the disk and the open documents: all of the document but the name."
    found: tuple[_KeptNames, ...]
    names: KnownNames | None
    "None: anything may come."
    once_begun: KnownNames | None
    "The same once a name is begun."

    def are_current(self, key: tuple[object, ...], opened: Opened) -> bool:
        """Whether the same would be found now."""
        return self.key == key and all(one.looks.are_current(opened) for one in self.found)


class ContextReader:
    """Selects excerpts. Used by one thread."""

    def __init__(self, look_again_s: float = LOOK_AGAIN_S) -> None:
        """Have seen nothing; `look_again_s`: see `LOOK_AGAIN_S`."""
        self._look_again_s = look_again_s
        self._kept: dict[tuple[Path, bool], _Kept] = {}
        self._kept_names: dict[tuple[object, ...], _KeptNames] = {}
        self._names_at = _NamesAt((), (), None, None)
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
        cursor, begun = cursor_at(place.text, place.offset)
        key = (place.document, place.root, language_id, place.off, cursor)
        if not self._names_at.are_current(key, place.open_texts):
            self._names_at = self._find_names(place, language_id, cursor, key)
        known = self._names_at.once_begun if begun else self._names_at.names
        names = evolve(known, begun=begun) if known is not None else None
        return names if names is not None and names.names else None

    def read_ahead(self, place: ContextPlace) -> None:
        """Read what the names after the last dots above the cursor need, the nearest last."""
        start = max(place.offset - _AHEAD, 0)
        found = {one.group(): one.end() for one in _AFTER_DOT.finditer(place.text, start, place.offset)}
        for end in sorted(found.values())[-_MOST_KEPT_NAMES:]:
            place.check()
            self.names(evolve(place, offset=end))

    def _find_names(
        self, place: ContextPlace, language_id: str, cursor: Cursor, key: tuple[object, ...]
    ) -> _NamesAt:
        found = list[_KeptNames]()
        if (module := wanted_at(cursor, language_id)) is not None:
            owner = (module.module, module.is_attribute)
            read = partial(known_names, module)
            found.append(self._read_names(place, language_id, owner, None, read))
            if (names := found[0].names) is not None:
                once_begun = names.with_used((*module.used, *module.once_begun))
                names = None if module.must_begin else names.with_used(module.used)
                return _NamesAt(key, tuple(found), names, once_begun)
        names = None
        if (receiver := receiver_at(cursor, language_id)) is not None:
            from aide_lsp.context.members import members_of  # where there is none, nothing is loaded

            expression, own = receiver.expression, receiver.document.types
            read = partial(members_of, expression, own)
            found.append(self._read_names(place, language_id, expression, own, read))
            names = found[-1].names and found[-1].names.with_used(receiver.used)
        return _NamesAt(key, tuple(found), names, names)

    def _read_names(
        self,
        place: ContextPlace,
        language_id: str,
        owner: Hashable,
        own: object,
        read: Callable[[str, str, AllowedFiles], KnownNames | None],
    ) -> _KeptNames:
        """Return the names of a module or type; `own`: what they depend on in the document."""
        key = (place.document, place.root, language_id, place.off, owner)
        kept = self._kept_names.pop(key, None)
        if kept is None or kept.own != own or not kept.looks.are_current(place.open_texts):
            view = ProjectView(str(place.root), place.open_texts, self._known, place.check)
            path = place.document.relative_to(place.root).as_posix()
            found = read(path, language_id, AllowedFiles(place.root, place.off, view))
            kept = _KeptNames(view.looks(self._look_again_s), own, found)
        self._kept_names[key] = kept
        if len(self._kept_names) > _MOST_KEPT_NAMES:
            self._kept_names.pop(next(iter(self._kept_names)))
        return kept

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
        return _Files(key, view.looks(self._look_again_s), paths, words, candidates.characters, selection)


def cursor_at(text: str, offset: int) -> tuple[Cursor, str]:
    """Return the place of a cursor in a text with any line ends, and the name that is begun there."""
    surrounding = SurroundingText.of(text, offset)
    start, end = len(surrounding.above), len(text) - len(surrounding.below)
    before, begun = text[start:offset], begun_in(text[start:offset])
    above, below = with_line_feeds(surrounding.above), with_line_feeds(surrounding.below)
    return Cursor(before[: len(before) - len(begun)], text[offset:end], above, below), begun
