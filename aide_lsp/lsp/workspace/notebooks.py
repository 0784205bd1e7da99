"""The open notebooks: which cells each has, in which order, and the text around a cell.

For a completion, the cells of a notebook are one text in the language of the cell with the cursor. It is a
function of the cells' texts and their order.
"""

from collections.abc import Iterable, Sequence

from attrs import frozen

from aide_lsp.lsp.workspace.cell_text import text_for
from aide_lsp.lsp.workspace.documents import Document, DocumentStore
from aide_lsp.lsp.workspace.uris import name_of
from aide_lsp.text_limits import LONGEST_TEXT

MOST_CELLS = 10_000
"""Cells of one notebook whose order is known; those after them are completed separately."""
NEAREST_CELLS = 500
"""Cells read on either side of the cursor's: more than a model can read, and quick to join."""
_BETWEEN = "\n\n"


@frozen
class Around:
    """The text of the other cells, before and after a cell. Empty: the document is not in a notebook."""

    before: str = ""
    after: str = ""


NOTHING = Around()


class Notebooks:
    """The open notebooks by URI. For the event loop's thread."""

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents
        self._cells: dict[str, list[str]] = {}
        """URIs of the cells of each notebook, in order."""
        self._notebooks: dict[str, str] = {}
        """The notebook of each cell, by the name shared by all spellings of the cell's URI."""
        self._last: tuple[object, Around] = (None, NOTHING)

    def open(self, uri: str, cells: Iterable[str]) -> None:
        """Add a notebook with the URIs of its cells."""
        self.close(uri)
        self.splice(uri, 0, 0, cells)

    def splice(self, uri: str, start: int, count: int, cells: Iterable[str]) -> None:
        """Replace `count` cells from `start` on by others."""
        known = self._cells.setdefault(uri, [])
        start = min(max(start, 0), len(known))
        changed = [*known[:start], *cells, *known[start + max(count, 0) :]]
        for cell in known:
            self._notebooks.pop(name_of(cell), None)
        # A cell that is named twice counts once.
        self._cells[uri] = list(dict.fromkeys(changed))[:MOST_CELLS]
        self._notebooks.update((name_of(cell), uri) for cell in self._cells[uri])

    def close(self, uri: str) -> list[str]:
        """Forget a notebook; return the URIs of its cells, which stay open."""
        cells = self._cells.pop(uri, [])
        for cell in cells:
            self._notebooks.pop(name_of(cell), None)
        return cells

    def notebook_of(self, uri: str) -> str:
        """Return the URI of the notebook to which a document belongs; its own if it is in none."""
        return self._notebooks.get(name_of(uri), uri)

    def around(self, document: Document) -> Around | None:
        """Return the text of the cells before and after a document; None: together they are too large."""
        name = name_of(document.uri)
        cells = self._cells.get(self._notebooks.get(name, ""), [])
        index = next((index for index, cell in enumerate(cells) if name_of(cell) == name), None)
        if index is None:
            return NOTHING
        before = self._open(cells[max(0, index - NEAREST_CELLS) : index])
        after = self._open(cells[index + 1 : index + 1 + NEAREST_CELLS])
        if document.size + sum(cell.size for cell in (*before, *after)) > LONGEST_TEXT:
            return None
        # While the user types in a cell, the others do not change.
        key = document.language_id, _state(before), _state(after)
        if self._last[0] != key:
            language = document.language_id
            self._last = (
                key,
                Around(
                    "".join(text + _BETWEEN for text in _texts(language, before)),
                    "".join(_BETWEEN + text for text in _texts(language, after)),
                ),
            )
        return self._last[1]

    def _open(self, uris: Sequence[str]) -> list[Document]:
        found = map(self._documents.get, uris)
        return [document for document in found if document is not None]


def _texts(language_id: str, cells: list[Document]) -> Iterable[str]:
    texts = (text_for(language_id, cell.language_id, cell.text()) for cell in cells)
    return (text for text in texts if text)


def _state(cells: list[Document]) -> tuple[tuple[Document, int], ...]:
    """Documents are compared by identity: one that was closed and opened again counts from the start."""
    return tuple((cell, cell.revision) for cell in cells)
