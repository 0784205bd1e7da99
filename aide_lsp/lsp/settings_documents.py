"""Settings files that are open in the editor: publishes their problems while they are typed."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from attrs import define, field
from lsprotocol import types

from aide_lsp.errors import where
from aide_lsp.invisible import escaped
from aide_lsp.lsp.workspace.positions import to_column
from aide_lsp.lsp.workspace.uris import file_of
from aide_lsp.settings.files import user_file
from aide_lsp.settings.project_folders import PROJECT_FILE, PYPROJECT
from aide_lsp.settings.values import ValueChecker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from aide_lsp.lsp.workspace.client_settings import Configuration
    from aide_lsp.lsp.workspace.documents import Document, DocumentStore
    from aide_lsp.lsp.workspace.positions import Encoding
    from aide_lsp.settings.editing.layout import Span
    from aide_lsp.settings.tables import Kind

log = logging.getLogger("aide.settings")
PAUSE_SECONDS = 0.2
"""After a key, before the text is checked."""
MOST_DIAGNOSTICS = 100


def kind_of(path: Path) -> Kind | None:
    """Return whose settings a file holds; None: it is not a settings file."""
    if path.name in (PROJECT_FILE, PYPROJECT):
        return "project"
    return "user" if path == user_file() else None


@define
class _Open:
    path: Path
    kind: Kind
    values: ValueChecker = field(factory=ValueChecker)
    timer: asyncio.TimerHandle | None = None


class SettingsDocuments:
    """The open settings files. For the event loop's thread."""

    def __init__(
        self,
        documents: DocumentStore,
        configuration: Configuration,
        publish: Callable[[types.PublishDiagnosticsParams], None],
    ) -> None:
        self._documents, self._configuration, self._publish = documents, configuration, publish
        self._open: dict[str, _Open] = {}

    def holds(self, source: str) -> bool:
        """Return whether a settings file is open: then its problems are shown in it."""
        return any(str(one.path) == source for one in self._open.values())

    def opened(self, document: Document) -> None:
        """Check a document if it is a settings file."""
        path = file_of(document.uri)
        if path is not None and (kind := kind_of(path)) is not None:
            self._open[document.uri] = _Open(path, kind)
            self._check(document.uri)

    def changed(self, document: Document) -> None:
        """Check a document again when the user pauses."""
        one = self._open.get(document.uri)
        if one is not None:
            if one.timer is not None:
                one.timer.cancel()
            loop = asyncio.get_running_loop()
            one.timer = loop.call_later(PAUSE_SECONDS, self._check, document.uri)

    def closed(self, uri: str) -> None:
        """Remove the problems of a document."""
        one = self._open.pop(uri, None)
        if one is not None:
            if one.timer is not None:
                one.timer.cancel()
            self._publish(types.PublishDiagnosticsParams(uri=uri, diagnostics=[]))

    def check_all(self) -> None:
        """Check all again, after something else changed that their values depend on."""
        for uri in [*self._open]:
            self._check(uri)

    def _check(self, uri: str) -> None:
        one, document = self._open.get(uri), self._documents.get(uri)
        if one is None or document is None:
            return
        try:
            found = [*self._diagnostics(one, document)][:MOST_DIAGNOSTICS]
        except Exception as error:  # whatever it holds, the document stays open
            log.error("Checking a settings file failed: %s", where(error))
            return
        params = types.PublishDiagnosticsParams(uri=uri, diagnostics=found, version=document.version)
        self._publish(params)

    def _diagnostics(self, one: _Open, document: Document) -> Iterable[types.Diagnostic]:
        from aide_lsp.settings.editing.diagnostics import Diagnostic, diagnose

        text, configuration = document.text(), self._configuration
        below = configuration.user_layers() if one.kind == "project" else []
        found = diagnose(text, one.path, one.kind, below, configuration.limits, one.values)
        # About the file as such: it is ignored, or hides another one.
        of_file = (
            problem
            for problem in configuration.resolve(document.uri).problems
            if problem.source == str(one.path) and problem.notice and not problem.key
        )
        found = [*(Diagnostic((0, 0), problem.message, True) for problem in of_file), *found]
        for diagnostic in found:
            yield types.Diagnostic(
                range=range_of(text, diagnostic.span, self._documents.encoding),
                message=escaped(diagnostic.message),
                severity=types.DiagnosticSeverity.Information
                if diagnostic.notice
                else types.DiagnosticSeverity.Warning,
                source="Aide",
            )


def range_of(text: str, span: Span, encoding: Encoding) -> types.Range:
    """Return offsets as a range in the client's units."""
    return types.Range(*(_position(text, offset, encoding) for offset in span))


def _position(text: str, offset: int, encoding: Encoding) -> types.Position:
    start = text.rfind("\n", 0, offset) + 1
    end = text.find("\n", offset)
    line = text[start : len(text) if end < 0 else end]
    return types.Position(text.count("\n", 0, offset), to_column(line, offset - start, encoding))
