"""The texts of the open files, saved or not: what completions in other documents may read of them."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from aide_lsp.lsp.workspace.documents import Document, DocumentStore

_Texts = Mapping[Path, str]
_State = tuple[tuple[Document, int], ...]
"""Documents with their revisions. They are compared by identity: one that is opened again starts over."""


class OpenTexts:
    """Takes the texts. For the event loop's thread; what it returns is a value."""

    def __init__(self, documents: DocumentStore) -> None:
        self._documents = documents
        self._last: tuple[_State, _Texts] = ((), MappingProxyType({}))

    def besides(self, document: Document) -> _Texts:
        """Return the text of each open file but one, by path; the same object until one of them changes."""
        others = [one for one in self._documents if one.file is not None and one is not document]
        state = tuple((one, one.revision) for one in others)
        # While the user types in a document, the others do not change: nothing is copied.
        if state != self._last[0]:
            # Of two spellings of a file, the one that was opened last counts.
            texts = {one.file: one.text() for one in others if one.file is not None}
            self._last = (state, MappingProxyType(texts))
        return self._last[1]
