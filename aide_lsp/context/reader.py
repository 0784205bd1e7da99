"""Selects lines of other files for the place of a cursor: a function of texts, line, and settings.

What was read is kept and used again, but only where a look at the disk shows that it is still the same. So
the result never depends on what was asked before, and an editor and a command get the same.
"""

from collections.abc import Mapping
from pathlib import Path

from attrs import field, frozen

from aide_lsp.context.candidates import AllowedFiles, CandidateFiles, Off
from aide_lsp.context.excerpt import Excerpt, Selection
from aide_lsp.context.families import is_code
from aide_lsp.context.file_words import FileWords, words_of
from aide_lsp.context.looks import FileLook
from aide_lsp.context.project_view import Known, Look, ProjectView
from aide_lsp.context.ranking import ranked
from aide_lsp.context.surrounding_text import SurroundingText
from aide_lsp.syntax.languages import language_id_of

LONGEST_IMPORTING = 100_000
"""Characters of a document in which imports are looked for."""
_MOST_KEPT = 4
"""Documents whose files are kept: those that were completed last."""


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
    open_texts: Mapping[Path, str] = field(factory=dict, repr=False)
    "The text of other documents that are open, saved or not, by absolute path: it replaces that of the file."
    off: Off = field(default=_never_off, repr=False)
    "Which files must not be read. Equal ones must give equal answers."


@frozen
class _Key:
    """What a selection depends on besides the disk and the open documents."""

    root: Path
    language_id: str
    surrounding: SurroundingText
    off: Off
    limit: int


@frozen
class _Kept:
    """A selection, and what shows whether it would be the same now."""

    key: _Key
    looks: tuple[Look, ...]
    selection: Selection


class ContextReader:
    """Selects excerpts. Used by one thread."""

    def __init__(self) -> None:
        self._kept: dict[Path, _Kept] = {}
        self._known = Known()

    def select(self, place: ContextPlace, limit: int) -> Selection:
        """Return at most `limit` excerpts that match the lines around the cursor, best first."""
        language_id = language_id_of(place.language_id, str(place.document))
        if place.root not in place.document.parents or not is_code(language_id):
            return Selection()
        surrounding = SurroundingText.of(place.text, place.offset)
        key = _Key(place.root, language_id, surrounding, place.off, limit)
        kept = self._kept.pop(place.document, None)
        if kept is None or kept.key != key or not _is_current(kept, place.open_texts):
            # The old one is held on to until now: what it has seen is known to the new one.
            kept = self._select(place, key)
        self._kept[place.document] = kept
        if len(self._kept) > _MOST_KEPT:
            del self._kept[next(iter(self._kept))]
        return kept.selection

    def _select(self, place: ContextPlace, key: _Key) -> _Kept:
        view = ProjectView(str(place.root), place.open_texts, self._known)
        path = place.document.relative_to(place.root).as_posix()
        candidates = CandidateFiles(path, key.language_id, AllowedFiles(place.root, place.off, view))
        candidates.add_all(key.surrounding.text(LONGEST_IMPORTING))
        # By path: of two chunks that match equally well, the first is chosen.
        paths = sorted(candidates.files)
        words = [_words_in(candidates.files[path]) for path in paths]
        query = {word for line in key.surrounding.lines() for word in words_of(line)}
        excerpts = [
            Excerpt(paths[one.file], *words[one.file].lines_of(one.chunk), one.score)
            for one in ranked(query, words, key.limit)
        ]
        selection = Selection(tuple(excerpts), candidates.left_out(), tuple(candidates.files))
        return _Kept(key, view.looks(), selection)


def _is_current(kept: _Kept, opened: Mapping[Path, str]) -> bool:
    return all(look.is_current(opened) for look in kept.looks)


def _words_in(look: FileLook) -> FileWords:
    if look.words is None:
        look.words = FileWords(look.text or "")
    return look.words
