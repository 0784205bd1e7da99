"""The open documents, kept in sync with the editor by incremental changes.

Lines end at CR LF, LF and CR only, as the protocol says. An edit costs as much as the lines it touches.
"""

import re
from collections.abc import Iterator

from attrs import frozen

from aide_lsp.lsp.workspace.positions import Encoding, join_surrogates, to_offset
from aide_lsp.lsp.workspace.uris import file_of, name_of
from aide_lsp.text_limits import LONGEST_TEXT, has_too_many_lines

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+\Z")
_MOST_MISSED = 1000
"""Documents to remember without their texts. A client could name any number of them."""
_SURROGATE = re.compile("[\ud800-\udfff]")


@frozen
class Place:
    """A position in the client's units."""

    line: int
    "Line, from 0; past the last line: the document's end."
    character: int
    "Column; past the line's end: the line's end."


class Document:
    """One open document. For the event loop's thread; other threads get `text()`, a value."""

    def __init__(self, uri: str, language_id: str, version: int, text: str, encoding: Encoding) -> None:
        self.uri, self.language_id, self.version = uri, language_id, version
        self.file = file_of(uri)
        """Its path, if it is a file on this machine."""
        self.revision = 0
        """Counts changes: the same revision means the same text."""
        self._encoding = encoding
        self._lines: list[str] = []
        self.size = 0
        """Length in code points."""
        self._text: str | None = None
        self.replace_all(text)

    def text(self) -> str:
        """Return the whole text. Lone surrogates are replaced one by one, so that offsets stay valid.

        The tokenizer refuses lone surrogates.
        """
        if self._text is None:
            text = "".join(self._lines)
            self._text = _SURROGATE.sub("\ufffd", text) if _has_surrogates(text) else text
        return self._text

    def line(self, number: int) -> str:
        """Return a line without its end; past the last line: the last one."""
        return _without_end(self._lines[min(number, len(self._lines) - 1)])

    def offset(self, place: Place) -> int:
        """Count the code points before a position."""
        number, offset = self._locate(place)
        return sum(map(len, self._lines[:number])) + offset

    def replace_all(self, text: str) -> None:
        """Replace the whole text."""
        self._lines = split_lines(_joined(text))
        self.size = sum(map(len, self._lines))
        self._changed()

    def replace(self, start: Place, end: Place, text: str) -> None:
        """Replace the text between two positions."""
        # As vscode-languageserver-textdocument does with ranges given backwards.
        if (end.line, end.character) < (start.line, start.character):
            start, end = end, start
        first, left = self._locate(start)
        # A range covers each character that it touches, and an insertion splits none.
        last, right = self._locate(end, round_up=start != end)
        merged = self._lines[first][:left] + text + self._lines[last][right:]
        if first and self._lines[first - 1].endswith("\r") and merged.startswith("\n"):
            first -= 1  # a CR and an LF that an edit brought together are one line end
            merged = self._lines[first] + merged
        old = self._lines[first : last + 1]
        new = split_lines(_joined(merged))
        if last + 1 < len(self._lines):
            new.pop()  # the empty rest after the last line end: the next line continues there
        self._lines[first : last + 1] = new
        self.size += sum(map(len, new)) - sum(map(len, old))
        self._changed()

    def _locate(self, place: Place, round_up: bool = False) -> tuple[int, int]:
        """Return the line's number and the offset into it."""
        if place.line >= len(self._lines):
            return len(self._lines) - 1, len(self._lines[-1])
        line = _without_end(self._lines[place.line])
        return place.line, to_offset(line, place.character, self._encoding, round_up)

    def _changed(self) -> None:
        self.revision += 1
        self._text = None


@frozen
class _Lost:
    """A document that is open, but its text is unknown."""

    language_id: str
    too_large: bool


class DocumentStore:
    """The open documents by URI."""

    def __init__(self) -> None:
        self.encoding: Encoding = "utf-16"
        """The units of the client's columns, agreed on in `initialize`."""
        self._documents: dict[str, Document] = {}
        self._uris: dict[str, str] = {}
        """The URI of each open document, by the name shared by all its spellings."""
        self._missed: set[str] = set()
        self._lost: dict[str, _Lost] = {}

    def __iter__(self) -> Iterator[Document]:
        return iter(self._documents.values())

    def open(self, uri: str, language_id: str, version: int, text: str) -> Document:
        """Add a document."""
        self.close(uri)  # it may be open under another spelling
        document = Document(uri, language_id, version, text, self.encoding)
        self._documents[uri] = document
        self._uris[name_of(uri)] = uri
        self._missed.discard(uri)
        self._lost.pop(uri, None)
        return document

    def lose(self, uri: str, language_id: str, *, too_large: bool) -> None:
        """Note that a document is open, but its text is unknown."""
        self.close(uri)
        if len(self._lost) < _MOST_MISSED:
            self._lost[uri] = _Lost(language_id, too_large)

    def is_too_large(self, uri: str) -> bool:
        """Return whether a document's text was dropped because it is too large."""
        return uri in self._lost and self._lost[uri].too_large

    def recover(self, uri: str) -> Document | None:
        """Reopen a lost document for a change that brings its whole text; None: it was not lost."""
        lost = self._lost.get(uri)
        return self.open(uri, lost.language_id, 0, "") if lost is not None else None

    def miss(self, uri: str) -> bool:
        """Note a change to a document that is not open; return False if one was noted before."""
        if uri in self._missed or len(self._missed) >= _MOST_MISSED:
            return False
        self._missed.add(uri)
        return True

    def get(self, uri: str) -> Document | None:
        """Find a document, however its URI is spelled; None: it is not open, or its text is unknown."""
        return self._documents.get(uri) or self._documents.get(self._uris.get(name_of(uri), uri))

    def language_of(self, uri: str) -> str:
        """Return the language id of a document; empty: it is not open."""
        document = self.get(uri)
        return document.language_id if document else ""

    def close(self, uri: str) -> None:
        """Forget a document."""
        self._documents.pop(self._uris.pop(name_of(uri), uri), None)
        self._lost.pop(uri, None)


def is_too_large(text: str) -> bool:
    """Return whether a text is too large to be completed: then it is not kept either."""
    return len(text) > LONGEST_TEXT or has_too_many_lines(text)


def split_lines(text: str) -> list[str]:
    """Split after CR LF, LF and CR. The last line has no end and may be empty."""
    # Never `str.splitlines`: it also splits at form feeds, U+2028 and others, where the protocol does not.
    if text.count("\r") == text.count("\r\n"):
        lines = [line + "\n" for line in text.split("\n")]
        lines[-1] = lines[-1][:-1]
        return lines
    lines = _LINE.findall(text)
    if not lines or lines[-1].endswith(("\r", "\n")):
        lines.append("")
    return lines


def _without_end(line: str) -> str:
    if line.endswith("\n"):
        return line[:-2] if line.endswith("\r\n") else line[:-1]
    return line[:-1] if line.endswith("\r") else line


def _joined(text: str) -> str:
    return join_surrogates(text) if _has_surrogates(text) else text


def _has_surrogates(text: str) -> bool:
    """Ask the encoder: it is many times faster than a search."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
