"""Adds excerpts and names of other files to a request: the same in the language server and for commands."""

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen

from aide_lsp.application.file_rules import FileRulesReader, FolderSettings, OneFolder
from aide_lsp.completion.request import CompletionRequest
from aide_lsp.context.excerpt import Excerpt, Selection
from aide_lsp.context.project_view import LOOK_AGAIN_S
from aide_lsp.errors import where

if TYPE_CHECKING:
    from aide_lsp.completion.model import ModelInfo
    from aide_lsp.context.reader import ContextPlace, ContextReader

log = logging.getLogger("aide.context")
NOTHING = Selection()
MOST_EXCERPTS = 64
"""Excerpts that are chosen for a place, whatever the parameters. Those that fit in Num Context are read."""


@frozen
class Readable:
    """What may be read for completions in one document, besides its own text."""

    document: Path
    "The document, absolute."
    workspace: Path | None = None
    "The folder that is open in the editor, or named on the command line."
    fallback: Path | None = None
    "The project of a document that belongs to no other, if it is in it: the current folder of a command."
    folders: FolderSettings = field(factory=OneFolder)
    "What the editor sets for the other files."
    open_texts: Mapping[Path, str] = field(default=MappingProxyType({}), repr=False)
    "The texts of open files at the time of the request."


@frozen
class Prepared:
    """A request as it is completed, and how its excerpts were chosen."""

    request: CompletionRequest
    selection: Selection = NOTHING
    root: Path | None = None
    "Of the project; None: the document belongs to none."


class RequestPreparer:
    """Adds excerpts and names. Used by one thread: it looks at the disk, and keeps what it has read."""

    def __init__(self, look_again_s: float = LOOK_AGAIN_S) -> None:
        """Have read nothing; `look_again_s`: see `LOOK_AGAIN_S`."""
        self._look_again_s = look_again_s
        self._reader: ContextReader | None = None
        self._rules = FileRulesReader()

    def prepare(
        self,
        request: CompletionRequest,
        files: Readable | None,
        info: "ModelInfo",
        *,
        next_line: bool = False,
    ) -> Prepared:
        """Return a request with excerpts and their share, and with the names of which one must come.

        Args:
            request: without excerpts.
            files: None: nothing but its own text may be read.
            info: of the model that completes it.
            next_line: if the cursor is at the end of a line, take the excerpts of the line that Enter begins.
        """
        share = info.context_share_of(request.options)
        request = request.with_options(context_share=share, most_card_share=0.0)
        # Names decide which tokens come, which no server is told.
        reads_files, keeps_names = bool(share) and info.reads_files, not info.host
        if files is None or not (reads_files or keeps_names):
            return Prepared(request)
        try:
            return self._prepared(request, files, reads_files, keeps_names, next_line)
        except MemoryError:
            raise
        except Exception as error:  # a completion without other files is better than none
            log.error("Reading other files failed: %s", where(error))
            return Prepared(request)

    def read_ahead(
        self,
        request: CompletionRequest,
        files: Readable | None,
        info: "ModelInfo",
        check: Callable[[], None],
    ) -> None:
        """Read what the last names after dots above the cursor need: the next one most likely needs the same.

        `check` is called before each file, and raises if that is no longer wanted.
        """
        place = self._place(request, files) if files is not None and not info.host else None
        if place is not None and self._reader is not None:
            self._reader.read_ahead(evolve(place, check=check))

    def _prepared(
        self,
        request: CompletionRequest,
        files: Readable,
        reads_files: bool,
        keeps_names: bool,
        next_line: bool,
    ) -> Prepared:
        place = self._place(request, files, next_line=next_line)
        if place is None or self._reader is None:
            return Prepared(request)
        selection = self._reader.select(place, MOST_EXCERPTS, aside=next_line) if reads_files else NOTHING
        names = self._reader.names(place) if keeps_names and not next_line else None
        return Prepared(evolve(request, excerpts=selection.excerpts, names=names), selection, place.root)

    def _place(
        self, request: CompletionRequest, files: Readable, *, next_line: bool = False
    ) -> "ContextPlace | None":
        """Return the place in a project, for a reader that exists then; None: the document is in none."""
        # Here, since the server starts, and answers first requests, before anything is parsed.
        from aide_lsp.context.reader import ContextPlace, ContextReader
        from aide_lsp.context.root import context_root
        from aide_lsp.context.surrounding_text import after_enter

        root = context_root(files.document, files.workspace, files.fallback)
        if root is None:
            return None
        if self._reader is None:
            self._reader = ContextReader(self._look_again_s)
        text, offset = (
            after_enter(request.text, request.offset) if next_line else (request.text, request.offset)
        )
        return ContextPlace(
            document=files.document,
            root=root,
            text=text,
            offset=offset,
            language_id=request.language_id,
            open_texts=files.open_texts,
            off=self._rules.rules(root, files.folders),
        )


def read_lines(excerpts: Sequence[Excerpt]) -> dict[str, str]:
    """Return which lines of each other file are read, by path: `13-24, 37-48`; `names` if only those are.

    `excerpts`: in the order of path and line, then those of names.
    """
    spans: dict[str, list[tuple[int, int]]] = {}
    # What the document says of its own types has no path.
    for one in filter(lambda one: one.path, excerpts):
        found = spans.setdefault(one.path, [])
        if not one.first_line:
            continue
        first = found.pop()[0] if found and found[-1][1] + 1 == one.first_line else one.first_line
        found.append((first, one.last_line))
    return {
        path: ", ".join(f"{first}-{last}" if first < last else str(first) for first, last in found) or "names"
        for path, found in spans.items()
    }
